/** Numbers and results as people read them. */
import type { ModelConfig } from '../../base/config.ts';
import type { Evaluation } from '../../train/evaluate.ts';
import type { PhaseProfile, Profile } from '../../train/metrics.ts';
import type { Progress } from '../../train/trainer.ts';

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

export const count = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';

/** `rnn 32 + stack 8`, `lstm 4 × 256`, `gru 64 + 2 × deque 16` */
export function modelWords({ controller, layers, hidden, memory, memories, width }: ModelConfig): string {
  const controls = layers > 1 ? `${controller} ${layers} × ${hidden}` : `${controller} ${hidden}`;
  if (memory === 'none') return controls;
  return `${controls} + ${memories > 1 ? `${memories} × ` : ''}${memory} ${width}`;
}

/** `640 kB`, `3.1 MB`: of 1000, as disks and device memories are sold. */
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

/** `10`, or `13–24` where it was a range. */
export const lengthsOf = ({ shortest, length }: Pick<Evaluation, 'shortest' | 'length'>): string =>
  shortest < length ? `${shortest}–${length}` : String(length);

export const evaluationLine = (of: Evaluation, step: number): string =>
  `step ${step}: at length ${lengthsOf(of)} coarse ${fixed(of.coarse, 3)}, fine ${fixed(of.fine, 3)}, ` +
  `symbols ${fixed(of.accuracy, 3)}, loss ${fixed(of.loss, 4)}${aboveBound(of)}`;

/** Of a language: `, 0.0123 above its lower bound`. */
const aboveBound = ({ loss, bound }: Pick<Evaluation, 'loss' | 'bound'>): string =>
  bound === undefined ? '' : `, ${fixed(loss - bound, 4)} above its lower bound`;

export const EVALUATION_HEAD = 'length  coarse   fine  symbols    loss  sequences';

export const evaluationRow = (of: Evaluation): string =>
  [
    lengthsOf(of).padStart(6),
    fixed(of.coarse, 3).padStart(6),
    fixed(of.fine, 3).padStart(5),
    fixed(of.accuracy, 3).padStart(7),
    fixed(of.loss, 4).padStart(6),
    String(of.sequences).padStart(9),
  ].join('  ') + aboveBound(of);

/** Where memories have several ends, those of each: `push 1.00/0.00 while reading`. */
export function profileLine({ reading, writing }: Profile): string {
  const mean = (of: PhaseProfile, name: string): string =>
    of.ends.length > 0 ? of.ends.map(end => fixed(end[name], 2)).join('/') : '–';
  const names = Object.keys(reading.ends[0] ?? {});
  return names
    .map(name => `${name} ${mean(reading, name)} while reading, ${mean(writing, name)} while writing`)
    .join('; ');
}

const BARS = '▁▂▃▄▅▆▇█';

/** One mark for a number from low to high. */
export const bar = (value: number, low: number, high: number): string =>
  BARS[Math.max(0, Math.min(7, Math.floor(((value - low) / (high - low)) * 8)))];

/** One mark per strength: `·` for a dead row, `█` for a whole one. */
export const strengthBars = (strengths: readonly number[]): string =>
  strengths.map(s => (s < 0.005 ? '·' : bar(s - 1 / 16, 0, 1))).join('');

/** `, 2 times in a row`; nothing for once. */
export const inARow = (times: number): string => (times > 1 ? `, ${times} times in a row` : '');

/** As a shell takes it. */
export const quote = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
