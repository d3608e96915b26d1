import type { Evaluation } from '../../train/evaluate.ts';
import { meanOf, type Profile } from '../../train/metrics.ts';
import type { Progress } from '../../train/trainer.ts';

/**
 * The curves of a run: columns with one entry per recorded step, null where a step has no such number. A plain object,
 * so that it can be stored without conversion.
 */
export interface History {
  step: number[];
  loss: Column;
  coarse: Column;
  fine: Column;
  evaluatedCoarse: Column;
  evaluatedFine: Column;
  length: Column;
  gradientNorm: Column;
  readingPush: Column;
  readingPop: Column;
  writingPush: Column;
  writingPop: Column;
  timeStepsPerSecond: Column;
}
type Column = (number | null)[];
export type ColumnName = Exclude<keyof History, 'step'>;

const COLUMNS: readonly ColumnName[] = [
  'loss',
  'coarse',
  'fine',
  'evaluatedCoarse',
  'evaluatedFine',
  'length',
  'gradientNorm',
  'readingPush',
  'readingPop',
  'writingPush',
  'writingPop',
  'timeStepsPerSecond',
];

/** Maximum number of points of a run. Beyond it, every other point of the older half is dropped. */
const MAX_POINTS = 4000;

export function emptyHistory(): History {
  const history = { step: [] } as unknown as History;
  for (const name of COLUMNS) history[name] = [];
  return history;
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Returns the index of a step. Appends the step if it is not the last one. */
function indexOf(history: History, step: number): number {
  if (history.step.at(-1) !== step) {
    if (history.step.length >= MAX_POINTS) thin(history);
    history.step.push(step);
    for (const name of COLUMNS) history[name].push(null);
  }
  return history.step.length - 1;
}

/** Drops every other point of the older half. Evaluations are kept, because they are few. */
function thin(history: History): void {
  const half = history.step.length / 2;
  const isKept = history.step.map((_, i) => i >= half || i % 2 === 1 || history.evaluatedCoarse[i] !== null);
  history.step = history.step.filter((_, i) => isKept[i]);
  for (const name of COLUMNS) history[name] = history[name].filter((_, i) => isKept[i]);
}

/**
 * Adds a report of the trainer. Reports of single steps cover only the steps since the last regular report, so they
 * are not added to the curves.
 */
export function addProgress(history: History, progress: Progress, reportEvery: number): void {
  const { step, steps } = progress;
  if (step % reportEvery !== 0 && step !== steps) return;
  const i = indexOf(history, step);
  const { loss, coarse, fine, length, gradientNorm, timeStepsPerSecond } = progress;
  for (const [name, value] of Object.entries({
    loss,
    coarse,
    fine,
    length,
    gradientNorm,
    timeStepsPerSecond,
  })) {
    history[name as ColumnName][i] = orNull(value);
  }
}

/** Adds the push and pop strengths that were measured after a step, at most as often as there are reports. */
export function addProfile(history: History, profile: Profile, step: number, reportEvery: number): void {
  const last = history.readingPush.findLastIndex(value => value !== null);
  if (last >= 0 && step < history.step[last] + reportEvery) return;
  const i = indexOf(history, step);
  history.readingPush[i] = orNull(meanOf(profile.reading, 'push'));
  history.readingPop[i] = orNull(meanOf(profile.reading, 'pop'));
  history.writingPush[i] = orNull(meanOf(profile.writing, 'push'));
  history.writingPop[i] = orNull(meanOf(profile.writing, 'pop'));
}

export function addEvaluation(history: History, { coarse, fine }: Evaluation, step: number): void {
  const i = indexOf(history, step);
  history.evaluatedCoarse[i] = orNull(coarse);
  history.evaluatedFine[i] = orNull(fine);
}

/** Returns the history up to a step, from which a run resumes: the steps after it are trained again. */
export function historyUpTo(history: History, step: number): History {
  const length = history.step.findIndex(other => other > step);
  if (length < 0) return history;
  const result = { ...history, step: history.step.slice(0, length) };
  for (const name of COLUMNS) result[name] = history[name].slice(0, length);
  return result;
}

/** Exponential moving average. `share` is the weight of the past; 0 returns the values unchanged. Null stays null. */
export function smooth(values: Column, share: number): Column {
  if (share <= 0) return values;
  let [mean, weight] = [0, 0];
  return values.map(value => {
    if (value === null) return null;
    mean = share * mean + (1 - share) * value;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}

/** Returns comma-separated values: a header line, then one line per step. */
export function toCsv(history: History): string {
  const rows = history.step.map((step, i) =>
    [step, ...COLUMNS.map(name => history[name][i] ?? '')].join(','),
  );
  return `${[['step', ...COLUMNS].join(','), ...rows].join('\n')}\n`;
}
