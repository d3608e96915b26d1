import { assign, type Config } from '../base/config.ts';
import { InputError, show, suggest } from '../base/errors.ts';
import { configOf, type Grid, testedLengths } from './presets/grid.ts';
import type { TableSpec } from './tables.ts';
import type { Ending } from './trainer.ts';

/** One training run of a table. */
export interface Cell {
  /** Its folder, and its name: `reverse/stack/seed0`. */
  key: string;
  task: string;
  model: string;
  config: Config;
}

/** What a run is measured on when it has ended: fresh sequences with sources of low to high symbols. */
export interface Measure {
  name: 'train' | 'test' | 'far';
  low: number;
  high: number;
  /** Lengths are this far apart, and each counts alike; absent: a length is drawn for every sequence. */
  every?: number;
  sequences: number;
}

export interface Measured extends Measure {
  coarse: number;
  fine: number;
  accuracy: number;
  /** Nats per symbol. */
  loss: number;
  /** Of a language, the least that it can be over these strings. */
  bound?: number;
}

/** What is left of a run in the end: `result.json` in its folder. */
export interface CellResult {
  kind: 'cell';
  key: string;
  seed: number;
  rate: number;
  ending: Ending | 'diverged';
  step: number;
  restarts: number;
  /** Seconds trained, and with measuring. */
  seconds: number;
  total: number;
  engine: string;
  adapter: string;
  plan: string;
  parameters: number;
  /** ISO, of its end. */
  date: string;
  measured: Measured[];
}

/** Cells of a table that are asked for; all settings as `--set` takes them. */
export interface Choice {
  /** Absent: as many as the table has of each cell. */
  seeds?: readonly number[];
  /** `reverse`, `stack` or `reverse/stack`; empty: all. */
  only: readonly string[];
  sets: readonly string[];
}

/**
 * All runs of a table. Seeds are the outermost, so that early on every cell has one.
 * @throws InputError for an unknown task or model
 */
export function cellsOf(
  { grid, seeds: usual, seedsAlone }: Pick<TableSpec, 'grid' | 'seeds' | 'seedsAlone'>,
  { seeds, only, sets }: Choice,
): Cell[] {
  const wanted = only.map(word => matcher(grid, word));
  const cells: Cell[] = [];
  for (const seed of seeds ?? Array.from({ length: usual }, (_, i) => i)) {
    for (const task of grid.tasks) {
      for (const model of grid.models) {
        if (wanted.length && !wanted.some(matches => matches(task, model))) continue;
        const config = assign(configOf(grid, task, model), [...sets, `seed=${seed}`]);
        const alone = config.model.memory === 'none';
        if (!seeds && alone && seedsAlone !== undefined && seed >= seedsAlone) continue;
        cells.push({ key: `${task}/${model}/seed${seed}`, task, model, config });
      }
    }
  }
  return cells;
}

function matcher(grid: Grid, word: string): (task: string, model: string) => boolean {
  const [first, second, more] = word.split('/');
  const task = grid.tasks.find(name => name === first);
  const model = grid.models.find(name => name === (second ?? first));
  const known = second === undefined ? (task ?? model) : task && model && more === undefined;
  if (!known) {
    const pairs = grid.tasks.flatMap(one => grid.models.map(other => `${one}/${other}`));
    const words = second === undefined ? [...grid.tasks, ...grid.models] : pairs;
    throw new InputError(
      `--only takes a task, a model or task/model of the table, got ${show(word)}.${suggest(word, words)}`,
    );
  }
  if (second !== undefined) return (t, m) => t === task && m === model;
  return task ? t => t === task : (_, m) => m === model;
}

/** Every n-th cell, beginning with the i-th: the shards 1/n … n/n together are all cells, each once. */
export const shardOf = <T>(cells: readonly T[], i: number, n: number): T[] =>
  cells.filter((_, at) => at % n === i - 1);

/** What every run of a table is measured on. */
export function measuresOf(
  config: Config,
  { sequences = 1000, test, far }: Partial<Pick<TableSpec, 'sequences' | 'test' | 'far'>> = {},
): Measure[] {
  const { minLength, maxLength } = config.task;
  const [low, high] = testedLengths(config);
  const measures: Measure[] = [{ name: 'train', low: minLength, high: maxLength, sequences }];
  if (test) {
    const lengths = Math.floor((test.high - test.low) / test.every) + 1;
    const { low, high, every, each } = test;
    measures.push({ name: 'test', low, high, every, sequences: each * lengths });
  } else measures.push({ name: 'test', low, high, sequences });
  if (far) measures.push({ name: 'far', low: far * maxLength, high: far * maxLength, sequences: 256 });
  return measures;
}

export const measuredAt = (result: CellResult, name: Measure['name']): Measured | undefined =>
  result.measured.find(one => one.name === name);

/** The results of all seeds of a task and model. */
export interface Pair {
  task: string;
  model: string;
  /** The best run on new sequences of the trained lengths. The test does not count. */
  best?: CellResult;
  /** Scores in the measure that decides success: the best of all runs, and the mean. */
  scores?: { best: number; mean: number };
  /** Number of runs that succeed in the test. */
  solved: number;
  /** Number of planned runs, and of finished runs. */
  runs: number;
  done: number;
}

/** The runs of a table by task and model, in the table's order. */
export function pairsOf(spec: TableSpec, cells: readonly Cell[], results: readonly CellResult[]): Pair[] {
  const byKey = new Map(results.map(result => [result.key, result]));
  const pairs: Pair[] = [];
  for (const task of spec.grid.tasks) {
    for (const model of spec.grid.models) {
      const mine = cells.filter(cell => cell.task === task && cell.model === model);
      const done = mine.flatMap(({ key }) => byKey.get(key) ?? []);
      const best = bestOf(spec, done);
      const scores = done.map(result => scoreOf(spec, measuredAt(result, spec.solvedOn)));
      pairs.push({
        task,
        model,
        best,
        ...(scores.length > 0 && {
          scores: {
            best: spec.score === 'excess' ? Math.min(...scores) : Math.max(...scores),
            mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
          },
        }),
        solved: done.filter(result => isSolved(spec, result)).length,
        runs: mine.length,
        done: done.length,
      });
    }
  }
  return pairs;
}

/** What counts of a measure; NaN, or null once it was in a file, where the run has diverged. */
export function scoreOf({ score }: Pick<TableSpec, 'score'>, measured: Measured | undefined): number {
  const value =
    score === 'excess' ? measured && measured.loss - (measured.bound ?? Number.NaN) : measured?.[score];
  return typeof value === 'number' ? value : Number.NaN;
}

/** Whether a run's score is that of a solved task. */
export function isSolved(
  spec: Pick<TableSpec, 'score' | 'solvedAt' | 'solvedOn'>,
  result: CellResult,
): boolean {
  const score = scoreOf(spec, measuredAt(result, spec.solvedOn));
  return spec.score === 'excess' ? score <= spec.solvedAt : score >= spec.solvedAt;
}

/** By the score at trained lengths, then fine accuracy, then the lower loss. */
export function bestOf(
  { score }: Pick<TableSpec, 'score'>,
  results: readonly CellResult[],
): CellResult | undefined {
  const rank = (result: CellResult): number[] => {
    const train = measuredAt(result, 'train');
    // A run that has diverged gives no numbers (null, once read from its file): it comes after all others.
    const known = (value: number | null): number =>
      typeof value === 'number' && Number.isFinite(value) ? value : -Infinity;
    if (!train) return [];
    const first = scoreOf({ score }, train);
    return [score === 'excess' ? -first : first, train.fine, -train.loss].map(known);
  };
  const better = (a: readonly number[], b: readonly number[]): boolean => {
    const at = a.findIndex((value, i) => value !== (b[i] ?? -Infinity));
    return at >= 0 && a[at] > (b[at] ?? -Infinity);
  };
  return results.reduce<CellResult | undefined>(
    (best, result) => (!best || better(rank(result), rank(best)) ? result : best),
    undefined,
  );
}
