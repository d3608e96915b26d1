import { CFL, CFL_SMALL } from './presets/cfl.ts';
import { CHOMSKY, CHOMSKY_SMALL } from './presets/chomsky.ts';
import type { Grid } from './presets/grid.ts';
import { PAPER } from './presets/paper.ts';
import { SMALL } from './presets/small.ts';

/** A table of results: its runs, and how they are compared. */
export interface TableSpec {
  name: 'paper' | 'chomsky' | 'cfl';
  scale: 'full' | 'small';
  grid: Grid;
  /** Default number of seeds per cell, and the number for models without a memory if it differs. */
  seeds: number;
  seedsWithoutMemory?: number;
  /**
   * The score of a run: the share of sequences that are correct in every symbol, the share of correct symbols, or the
   * cross-entropy above its lower bound in nats per symbol (for language modelling, see lowerBound; lower is better).
   */
  score: 'coarse' | 'accuracy' | 'excess';
  /** The score from which a run is a success (for `excess`: up to which), and the measurement that gives the score. */
  successAt: number;
  successOn: 'train' | 'test';
  /**
   * Number of sequences on which a finished run is measured: at the trained lengths, and in the test if `test` is
   * absent.
   */
  sequences: number;
  /** Lengths tested at the end; by default those that are evaluated during training. */
  test?: TestLengths;
  /** If present, runs are also measured at this multiple of the longest trained length. */
  far?: number;
}

/**
 * The lengths low, low + every, … up to high, with `each` sequences per length. All lengths have the same weight in the
 * mean.
 */
export interface TestLengths {
  low: number;
  high: number;
  every: number;
  each: number;
}

const PAPER_TABLE = { name: 'paper', seeds: 1, score: 'coarse', successAt: 0.99, successOn: 'test' } as const;
const CHOMSKY_TABLE = { name: 'chomsky', score: 'accuracy', successAt: 0.9, successOn: 'test' } as const;
const CFL_TABLE = { name: 'cfl', score: 'excess', successAt: 0.05, successOn: 'train' } as const;

/** Every table by name and scale. */
export const TABLES: readonly TableSpec[] = [
  { ...PAPER_TABLE, scale: 'full', grid: PAPER, sequences: 1000, far: 10 },
  { ...PAPER_TABLE, scale: 'small', grid: SMALL, sequences: 1000, far: 10 },
  {
    ...CHOMSKY_TABLE,
    scale: 'full',
    grid: CHOMSKY,
    seeds: 10,
    sequences: 1000,
    test: { low: 41, high: 500, every: 1, each: 8 },
  },
  {
    ...CHOMSKY_TABLE,
    scale: 'small',
    grid: CHOMSKY_SMALL,
    seeds: 3,
    seedsWithoutMemory: 1,
    sequences: 256,
    // Lengths 41, 92, 143, … 500.
    test: { low: 41, high: 500, every: 51, each: 20 },
  },
  {
    ...CFL_TABLE,
    scale: 'full',
    grid: CFL,
    seeds: 10,
    sequences: 1000,
    test: { low: 81, high: 100, every: 1, each: 100 },
  },
  {
    ...CFL_TABLE,
    scale: 'small',
    grid: CFL_SMALL,
    seeds: 1,
    sequences: 1000,
    test: { low: 81, high: 100, every: 1, each: 20 },
  },
];
