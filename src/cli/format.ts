/** Numbers and results as people read them. */
import type { Evaluation } from '../train/evaluate.ts';
import type { Profile } from '../train/metrics.ts';
import type { Progress } from '../train/trainer.ts';

/**
 * Text of unknown origin as one line: control characters, which may end a line or drive the terminal, as
 * escapes; cut off where it does not end.
 */
export function printable(text: string, most = 2000): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char =>
    char === '\n' ? '\\n' : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}

/** `–` where there was nothing to measure. */
export const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';

export const count = (value: number): string => Math.round(value).toLocaleString('en');

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export const progressLine = (of: Progress): string =>
  [
    `step ${of.step}/${of.steps}`,
    `loss ${fixed(of.loss, 4)}`,
    `accuracy ${fixed(of.accuracy, 3)}`,
    `length ${of.length}`,
    `${count(of.sequencesPerSecond)} sequences/s`,
    `ETA ${duration(of.eta)}`,
    ...(of.badSteps > 0 ? [`${of.badSteps} steps not finite`] : []),
  ].join('  ');

export const evaluationLine = (of: Evaluation, step: number): string =>
  `step ${step}: at length ${of.length} coarse ${fixed(of.coarse, 3)}, fine ${fixed(of.fine, 3)}, ` +
  `symbols ${fixed(of.accuracy, 3)}, loss ${fixed(of.loss, 4)}`;

export const EVALUATION_HEAD = 'length  coarse   fine  symbols    loss';

export const evaluationRow = (of: Evaluation): string =>
  [
    String(of.length).padStart(6),
    fixed(of.coarse, 3).padStart(6),
    fixed(of.fine, 3).padStart(5),
    fixed(of.accuracy, 3).padStart(7),
    fixed(of.loss, 4).padStart(6),
  ].join('  ');

export const profileLine = ({ reading, writing }: Profile): string =>
  `push ${fixed(reading.push, 2)} while reading, ${fixed(writing.push, 2)} while writing; ` +
  `pop ${fixed(reading.pop, 2)} while reading, ${fixed(writing.pop, 2)} while writing`;

const BARS = '▁▂▃▄▅▆▇█';

/** One mark for a number from low to high. */
export const bar = (value: number, low: number, high: number): string =>
  BARS[Math.max(0, Math.min(7, Math.floor(((value - low) / (high - low)) * 8)))];

/** One mark per strength: `·` for a dead row, `█` for a whole one. */
export const strengthBars = (strengths: readonly number[]): string =>
  strengths.map(s => (s < 0.005 ? '·' : bar(s - 1 / 16, 0, 1))).join('');
