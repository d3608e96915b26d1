import { assign, type Config } from '../base/config.ts';
import { InputError, show, suggest } from '../base/errors.ts';
import { configOf, evaluatedLengths, type Grid } from './presets/grid.ts';
import type { TableSpec } from './tables.ts';
import type { Ending } from './trainer.ts';

/** One run of a table: a seed of one of its cells. */
export interface TableRun {
  /** Its name, and its folder in the table's folder: `reverse/stack/seed0`. */
  key: string;
  task: string;
  model: string;
  config: Config;
}

/** Sequences on which a finished run is measured: new ones, with sources of low to high symbols. */
export interface Measurement {
  name: 'train' | 'test' | 'far';
  low: number;
  high: number;
  /**
   * If present, the lengths low, low + every, … are measured, and have the same weight in the mean. Otherwise a length
   * is drawn for every sequence.
   */
  every?: number;
  sequences: number;
}

export interface Measured extends Measurement {
  coarse: number;
  fine: number;
  accuracy: number;
  /** Nats per symbol. */
  loss: number;
  /** For language modelling: the lower bound of the loss on these strings (see lowerBound). */
  bound?: number;
}

/** The result of a finished run: `result.json` in its folder. */
export interface RunResult {
  kind: 'cell';
  key: string;
  seed: number;
  rate: number;
  ending: Ending | 'diverged';
  step: number;
  restarts: number;
  /** Seconds of training, and of training and measuring together. */
  seconds: number;
  total: number;
  engine: string;
  adapter: string;
  plan: string;
  parameters: number;
  /** When the run ended, in ISO format. */
  date: string;
  measured: Measured[];
}

/** Selects runs of a table, and changes settings in all of them. */
export interface RunSelection {
  /** By default, as many seeds as the table has. */
  seeds?: readonly number[];
  /** `reverse`, `stack` or `reverse/stack`; empty: all. */
  only: readonly string[];
  /** Settings as `--set` takes them: `hidden=64`. */
  sets: readonly string[];
}

/**
 * The selected runs of a table. Seed 0 of every cell comes before seed 1 of any, so that every cell soon has a result.
 * @throws InputError for an unknown task or model, or an invalid setting
 */
export function runsOf(
  { grid, seeds: defaultSeeds, seedsWithoutMemory }: Pick<TableSpec, 'grid' | 'seeds' | 'seedsWithoutMemory'>,
  { seeds, only, sets }: RunSelection,
): TableRun[] {
  const matchers = only.map(word => matcher(grid, word));
  const runs: TableRun[] = [];
  for (const seed of seeds ?? Array.from({ length: defaultSeeds }, (_, i) => i)) {
    for (const task of grid.tasks) {
      for (const model of grid.models) {
        if (matchers.length && !matchers.some(matches => matches(task, model))) continue;
        const config = assign(configOf(grid, task, model), [...sets, `seed=${seed}`]);
        const maxSeeds = config.model.memory === 'none' ? seedsWithoutMemory : undefined;
        if (!seeds && maxSeeds !== undefined && seed >= maxSeeds) continue;
        runs.push({ key: `${task}/${model}/seed${seed}`, task, model, config });
      }
    }
  }
  return runs;
}

/**
 * Parses a word of --only. Returns a function that says whether it selects a cell. @throws InputError for an unknown
 * task or model
 */
function matcher(grid: Grid, word: string): (task: string, model: string) => boolean {
  const [first, second, more] = word.split('/');
  const task = grid.tasks.find(name => name === first);
  const model = grid.models.find(name => name === (second ?? first));
  const known = second === undefined ? (task ?? model) : task && model && more === undefined;
  if (!known) {
    const pairs = grid.tasks.flatMap(task => grid.models.map(model => `${task}/${model}`));
    const words = second === undefined ? [...grid.tasks, ...grid.models] : pairs;
    throw new InputError(
      `--only takes a task, a model or task/model of the table, got ${show(word)}.${suggest(word, words)}`,
    );
  }
  if (second !== undefined) return (t, m) => t === task && m === model;
  return task ? t => t === task : (_, m) => m === model;
}

/** Shard i of n (i from 1): every n-th run from the i-th on. The shards 1/n … n/n together contain every run once. */
export const shardOf = <T>(runs: readonly T[], i: number, n: number): T[] =>
  runs.filter((_, at) => at % n === i - 1);

/** What is measured when a run of a table has finished. */
export function measurementsOf(
  config: Config,
  { sequences = 1000, test, far }: Partial<Pick<TableSpec, 'sequences' | 'test' | 'far'>> = {},
): Measurement[] {
  const { minLength, maxLength } = config.task;
  const [low, high] = evaluatedLengths(config);
  const measures: Measurement[] = [{ name: 'train', low: minLength, high: maxLength, sequences }];
  if (test) {
    const lengths = Math.floor((test.high - test.low) / test.every) + 1;
    const { low, high, every, each } = test;
    measures.push({ name: 'test', low, high, every, sequences: each * lengths });
  } else measures.push({ name: 'test', low, high, sequences });
  if (far) measures.push({ name: 'far', low: far * maxLength, high: far * maxLength, sequences: 256 });
  return measures;
}

export const measuredAt = (result: RunResult, name: Measurement['name']): Measured | undefined =>
  result.measured.find(measured => measured.name === name);

/** A cell of a table, one task with one model: the results of all its seeds. */
export interface TableCell {
  task: string;
  model: string;
  /** The run with the best score at the trained lengths (see bestOf). The test result is not used to choose it. */
  best?: RunResult;
  /** Scores in the measurement `successOn`: the best of all runs, and the mean. */
  scores?: { best: number; mean: number };
  /** Number of runs whose score in the measurement `successOn` reaches successAt. */
  successes: number;
  /** Number of planned runs, and of finished runs. */
  runs: number;
  done: number;
}

/** The cells of a table, in its order. @param runs the planned runs @param results of the finished runs */
export function tableCells(
  spec: TableSpec,
  runs: readonly TableRun[],
  results: readonly RunResult[],
): TableCell[] {
  const byKey = new Map(results.map(result => [result.key, result]));
  const cells: TableCell[] = [];
  for (const task of spec.grid.tasks) {
    for (const model of spec.grid.models) {
      const planned = runs.filter(run => run.task === task && run.model === model);
      const done = planned.flatMap(({ key }) => byKey.get(key) ?? []);
      const best = bestOf(spec, done);
      const scores = done.map(result => scoreOf(spec, measuredAt(result, spec.successOn)));
      cells.push({
        task,
        model,
        best,
        ...(scores.length > 0 && {
          scores: {
            best: spec.score === 'excess' ? Math.min(...scores) : Math.max(...scores),
            mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
          },
        }),
        successes: done.filter(result => isSuccess(spec, result)).length,
        runs: planned.length,
        done: done.length,
      });
    }
  }
  return cells;
}

/** The score in a measurement. NaN if it has none, as for a run that diverged (JSON stores NaN as null). */
export function scoreOf({ score }: Pick<TableSpec, 'score'>, measured: Measured | undefined): number {
  const value =
    score === 'excess' ? measured && measured.loss - (measured.bound ?? Number.NaN) : measured?.[score];
  return typeof value === 'number' ? value : Number.NaN;
}

/** Whether a run's score in the measurement `successOn` reaches successAt. */
export function isSuccess(
  spec: Pick<TableSpec, 'score' | 'successAt' | 'successOn'>,
  result: RunResult,
): boolean {
  const score = scoreOf(spec, measuredAt(result, spec.successOn));
  return spec.score === 'excess' ? score <= spec.successAt : score >= spec.successAt;
}

/**
 * The best run: by the score at the trained lengths, then by fine accuracy, then by loss. Undefined if there are no
 * results.
 */
export function bestOf(
  { score }: Pick<TableSpec, 'score'>,
  results: readonly RunResult[],
): RunResult | undefined {
  const rank = (result: RunResult): number[] => {
    const train = measuredAt(result, 'train');
    // A run that diverged has NaN (null after reading it from its file), and ranks below all others.
    const finite = (value: number | null): number =>
      typeof value === 'number' && Number.isFinite(value) ? value : -Infinity;
    if (!train) return [];
    const first = scoreOf({ score }, train);
    return [score === 'excess' ? -first : first, train.fine, -train.loss].map(finite);
  };
  const better = (a: readonly number[], b: readonly number[]): boolean => {
    const at = a.findIndex((value, i) => value !== (b[i] ?? -Infinity));
    return at >= 0 && a[at] > (b[at] ?? -Infinity);
  };
  return results.reduce<RunResult | undefined>(
    (best, result) => (!best || better(rank(result), rank(best)) ? result : best),
    undefined,
  );
}
