import { CHANCE, PUBLISHED, TABLE_3 } from '../../train/published.ts';
import { type Cell, type CellResult, type Pair, pairsOf } from '../../train/table.ts';
import type { TableSpec } from '../../train/tables.ts';
import { notesOf } from './table-notes.ts';

/** All that is known of a table at some time: `table.json`. */
export interface Report {
  kind: 'table';
  table: string;
  scale: string;
  /** ISO, of the report. */
  date: string;
  adapters: string[];
  /** What it was made with, and how to read it: a line each. */
  notes: string[];
  /** Seconds of all runs together. */
  seconds: number;
  runs: number;
  finished: number;
  pairs: (Pair & { published: unknown })[];
  /** Scores of others by task and model, where there is no cell to put them into; and those of guessing. */
  published: Readonly<Record<string, Readonly<Record<string, number>>>>;
  chance: Readonly<Record<string, number>>;
  results: readonly CellResult[];
}

/** Puts results together; runs that are missing are counted. */
export function reportOf(
  spec: TableSpec,
  cells: readonly Cell[],
  results: readonly CellResult[],
  sets: readonly string[],
  now: Date,
): Report {
  return {
    kind: 'table',
    table: spec.name,
    scale: spec.scale,
    date: now.toISOString(),
    adapters: [...new Set(results.map(({ engine, adapter }) => `${adapter} (${engine})`))],
    notes: notesOf(spec, cells, sets),
    seconds: results.reduce((sum, { total }) => sum + total, 0),
    runs: cells.length,
    finished: results.length,
    pairs: pairsOf(spec, cells, results).map(pair => ({
      ...pair,
      published: (spec.name === 'paper' && TABLE_3[pair.task]?.[pair.model]) || null,
    })),
    published: PUBLISHED[spec.name].scores,
    chance: Object.fromEntries(spec.grid.tasks.map(task => [task, CHANCE[task] ?? 0.5])),
    results,
  };
}
