/** Formats numbers and results for people. */
import type { ModelConfig } from '../../base/config.ts';
import type { Evaluation } from '../../train/evaluate.ts';
import type { PhaseProfile, Profile } from '../../train/metrics.ts';
import type { Progress } from '../../train/trainer.ts';

/**
 * Makes text of unknown origin safe to print on one line: escapes control characters, which may end the line or control
 * the terminal, and cuts the text after `max` characters.
 */
export function printable(text: string, max = 2000): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char =>
    char === '\n' ? '\\n' : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}

/** A number with `digits` digits after the point; `–` if it is not finite, because nothing was measured. */
export const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';

export const count = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';

/** `rnn 32 + stack 8`, `lstm 4 × 256`, `gru 64 + 2 × deque 16` */
export function modelText({ controller, layers, hidden, memory, memories, width }: ModelConfig): string {
  const controllerText = layers > 1 ? `${controller} ${layers} × ${hidden}` : `${controller} ${hidden}`;
  if (memory === 'none') return controllerText;
  return `${controllerText} + ${memories > 1 ? `${memories} × ` : ''}${memory} ${width}`;
}

/** `640 kB`, `3.1 MB`, in decimal units. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const shown = value / 1000 ** at;
  return `${at > 0 && shown < 10 ? shown.toFixed(1) : Math.round(shown)} ${units[at]}`;
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export const progressLine = (progress: Progress): string =>
  [
    `step ${progress.step}/${progress.steps}`,
    `loss ${fixed(progress.loss, 4)}`,
    `accuracy ${fixed(progress.accuracy, 3)}`,
    `length ${progress.length}`,
    `${count(progress.sequencesPerSecond)} sequences/s`,
    `ETA ${duration(progress.eta)}`,
    ...(progress.badSteps > 0 ? [`skipped steps: ${progress.badSteps} (not finite)`] : []),
  ].join('  ');

/** `10`, or `13–24` for a range. */
export const lengthsOf = ({ shortest, length }: Pick<Evaluation, 'shortest' | 'length'>): string =>
  shortest < length ? `${shortest}–${length}` : String(length);

export const evaluationLine = (evaluation: Evaluation, step: number): string =>
  `step ${step}: at length ${lengthsOf(evaluation)} coarse ${fixed(evaluation.coarse, 3)}, fine ${fixed(evaluation.fine, 3)}, ` +
  `symbols ${fixed(evaluation.accuracy, 3)}, loss ${fixed(evaluation.loss, 4)}${aboveBound(evaluation)}`;

/** For language modelling: `, 0.0123 above its lower bound`. */
const aboveBound = ({ loss, bound }: Pick<Evaluation, 'loss' | 'bound'>): string =>
  bound === undefined ? '' : `, ${fixed(loss - bound, 4)} above its lower bound`;

export const EVALUATION_HEAD = 'length  coarse   fine  symbols    loss  sequences';

export const evaluationRow = (evaluation: Evaluation): string =>
  [
    lengthsOf(evaluation).padStart(6),
    fixed(evaluation.coarse, 3).padStart(6),
    fixed(evaluation.fine, 3).padStart(5),
    fixed(evaluation.accuracy, 3).padStart(7),
    fixed(evaluation.loss, 4).padStart(6),
    String(evaluation.sequences).padStart(9),
  ].join('  ') + aboveBound(evaluation);

/**
 * The mean of each control while reading and while writing. With several ends, one number per end:
 * `push 1.00/0.00 while …`.
 */
export function profileLine({ reading, writing }: Profile): string {
  const mean = ({ ends }: PhaseProfile, name: string): string =>
    ends.length > 0 ? ends.map(end => fixed(end[name], 2)).join('/') : '–';
  const names = Object.keys(reading.ends[0] ?? {});
  return names
    .map(name => `${name} ${mean(reading, name)} while reading, ${mean(writing, name)} while writing`)
    .join('; ');
}

const BARS = '▁▂▃▄▅▆▇█';

/** One mark for a number between low and high. */
export const bar = (value: number, low: number, high: number): string =>
  BARS[Math.max(0, Math.min(7, Math.floor(((value - low) / (high - low)) * 8)))];

/** One mark per strength: `·` for an empty row, `█` for strength 1. */
export const strengthBars = (strengths: readonly number[]): string =>
  strengths.map(s => (s < 0.005 ? '·' : bar(s - 1 / 16, 0, 1))).join('');

/** `, 2 times in a row`; empty for once. */
export const inARow = (times: number): string => (times > 1 ? `, ${times} times in a row` : '');

/** Quotes a path for a shell, if needed. */
export const quote = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
