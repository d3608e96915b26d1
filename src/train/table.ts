import { assign, type Config } from '../base/config.ts';
import { InputError, show, suggest } from '../base/errors.ts';
import { CHOMSKY, CHOMSKY_SMALL } from './presets/chomsky.ts';
import { configOf, type Grid, testedLengths } from './presets/grid.ts';
import { PAPER } from './presets/paper.ts';
import { SMALL } from './presets/small.ts';
import type { Ending } from './trainer.ts';

/** A table of results: which runs it is made of, and how they are compared. */
export interface TableSpec {
  name: 'paper' | 'chomsky';
  scale: 'full' | 'small';
  grid: Grid;
  /** Seeds of every cell, unless asked otherwise. */
  seeds: number;
  /** What counts, and from where on a run has succeeded. */
  score: 'coarse' | 'accuracy';
  solvedAt: number;
  /** Measured as well at this multiple of the longest source trained on. */
  far?: number;
}

/** Every table by name and scale. */
export const TABLES: readonly TableSpec[] = [
  {
    name: 'paper',
    scale: 'full',
    grid: PAPER,
    seeds: 1,
    score: 'coarse',
    solvedAt: 0.99,
    far: 10,
  },
  {
    name: 'paper',
    scale: 'small',
    grid: SMALL,
    seeds: 1,
    score: 'coarse',
    solvedAt: 0.99,
    far: 10,
  },
  { name: 'chomsky', scale: 'full', grid: CHOMSKY, seeds: 3, score: 'accuracy', solvedAt: 0.9 },
  {
    name: 'chomsky',
    scale: 'small',
    grid: CHOMSKY_SMALL,
    seeds: 3,
    score: 'accuracy',
    solvedAt: 0.9,
  },
];

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
  sequences: number;
}

export interface Measured extends Measure {
  coarse: number;
  fine: number;
  accuracy: number;
  /** Nats per symbol. */
  loss: number;
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
  seeds: readonly number[];
  /** `reverse`, `stack` or `reverse/stack`; empty: all. */
  only: readonly string[];
  sets: readonly string[];
}

/**
 * All runs of a table. Seeds are the outermost, so that early on every cell has one.
 * @throws InputError for an unknown task or model
 */
export function cellsOf({ grid }: Pick<TableSpec, 'grid'>, { seeds, only, sets }: Choice): Cell[] {
  const wanted = only.map(word => matcher(grid, word));
  const cells: Cell[] = [];
  for (const seed of seeds) {
    for (const task of grid.tasks) {
      for (const model of grid.models) {
        if (wanted.length && !wanted.some(matches => matches(task, model))) continue;
        const config = assign(configOf(grid, task, model), [...sets, `seed=${seed}`]);
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
export function measuresOf(config: Config, far?: number): Measure[] {
  const { minLength, maxLength } = config.task;
  const [low, high] = testedLengths(config);
  const measures: Measure[] = [
    { name: 'train', low: minLength, high: maxLength, sequences: 1000 },
    { name: 'test', low, high, sequences: 1000 },
  ];
  if (far) measures.push({ name: 'far', low: far * maxLength, high: far * maxLength, sequences: 256 });
  return measures;
}

export const measuredAt = (result: CellResult, name: Measure['name']): Measured | undefined =>
  result.measured.find(one => one.name === name);

/** What the seeds of a task and model come to. */
export interface Pair {
  task: string;
  model: string;
  /** The run that does best on fresh sequences of the trained lengths; the test has no say. */
  best?: CellResult;
  /** How many succeed in the test. */
  solved: number;
  /** Runs that there are to be, and those that are finished. */
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
      pairs.push({
        task,
        model,
        best,
        solved: done.filter(result => isSolved(spec, result)).length,
        runs: mine.length,
        done: done.length,
      });
    }
  }
  return pairs;
}

/** Whether a run's score in the test is that of a solved task. */
export const isSolved = (
  { score, solvedAt }: Pick<TableSpec, 'score' | 'solvedAt'>,
  result: CellResult,
): boolean => (measuredAt(result, 'test')?.[score] ?? 0) >= solvedAt;

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
    return train ? [train[score], train.fine, -train.loss].map(known) : [];
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
