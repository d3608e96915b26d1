import { CFL, CFL_SMALL } from './presets/cfl.ts';
import { CHOMSKY, CHOMSKY_SMALL } from './presets/chomsky.ts';
import type { Grid } from './presets/grid.ts';
import { PAPER } from './presets/paper.ts';
import { SMALL } from './presets/small.ts';

/** A table of results: which runs it is made of, and how they are compared. */
export interface TableSpec {
  name: 'paper' | 'chomsky' | 'cfl';
  scale: 'full' | 'small';
  grid: Grid;
  /** Seeds of every cell, unless asked otherwise; of models without a memory, where those have others. */
  seeds: number;
  seedsAlone?: number;
  /**
   * What counts: the share of sequences wholly right, the share of symbols that are right, or the nats per symbol above the
   * lower bound (of a language, see lowerBound: the less the better).
   */
  score: 'coarse' | 'accuracy' | 'excess';
  /** From where on a run has succeeded, and in which measure. */
  solvedAt: number;
  solvedOn: 'train' | 'test';
  /** Sequences of the trained lengths at the end. */
  sequences: number;
  /** Lengths tested at the end; absent: those that are evaluated during training. */
  test?: TestLengths;
  /** Measured as well at this multiple of the longest source trained on. */
  far?: number;
}

/** Every so many lengths from low to high, each with so many sequences; every length counts alike. */
export interface TestLengths {
  low: number;
  high: number;
  every: number;
  each: number;
}

const PAPERS = { name: 'paper', seeds: 1, score: 'coarse', solvedAt: 0.99, solvedOn: 'test' } as const;
const CHOMSKYS = { name: 'chomsky', score: 'accuracy', solvedAt: 0.9, solvedOn: 'test' } as const;
const CFLS = { name: 'cfl', score: 'excess', solvedAt: 0.05, solvedOn: 'train' } as const;

/** Every table by name and scale. */
export const TABLES: readonly TableSpec[] = [
  { ...PAPERS, scale: 'full', grid: PAPER, sequences: 1000, far: 10 },
  { ...PAPERS, scale: 'small', grid: SMALL, sequences: 1000, far: 10 },
  {
    ...CHOMSKYS,
    scale: 'full',
    grid: CHOMSKY,
    seeds: 10,
    sequences: 1000,
    test: { low: 41, high: 500, every: 1, each: 8 },
  },
  {
    ...CHOMSKYS,
    scale: 'small',
    grid: CHOMSKY_SMALL,
    seeds: 3,
    seedsAlone: 1,
    sequences: 256,
    // 41, 92 … 500.
    test: { low: 41, high: 500, every: 51, each: 20 },
  },
  {
    ...CFLS,
    scale: 'full',
    grid: CFL,
    seeds: 10,
    sequences: 1000,
    test: { low: 81, high: 100, every: 1, each: 100 },
  },
  {
    ...CFLS,
    scale: 'small',
    grid: CFL_SMALL,
    seeds: 1,
    sequences: 1000,
    test: { low: 81, high: 100, every: 1, each: 20 },
  },
];
