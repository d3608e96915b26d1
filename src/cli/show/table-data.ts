import { CHANCE, PUBLISHED, TABLE_3 } from '../../train/published.ts';
import { type RunResult, type TableCell, type TableRun, tableCells } from '../../train/table.ts';
import type { TableSpec } from '../../train/tables.ts';
import { notesOf } from './table-notes.ts';

/** The state of a table at some time: `table.json`. */
export interface Report {
  kind: 'table';
  table: string;
  scale: string;
  /** When the report was made, in ISO format. */
  date: string;
  adapters: string[];
  /** The settings of the runs, and how to read the table: one line each. */
  notes: string[];
  /** The sum of the seconds of all runs. */
  seconds: number;
  runs: number;
  finished: number;
  /** The cells of the table: every task with every model. */
  pairs: (TableCell & { published: unknown })[];
  /** Published scores by task and model, shown in columns of their own; and the accuracy of guessing, by task. */
  published: Readonly<Record<string, Readonly<Record<string, number>>>>;
  chance: Readonly<Record<string, number>>;
  results: readonly RunResult[];
}

/** Makes the report from the results so far. */
export function reportOf(
  spec: TableSpec,
  runs: readonly TableRun[],
  results: readonly RunResult[],
  sets: readonly string[],
  now: Date,
): Report {
  return {
    kind: 'table',
    table: spec.name,
    scale: spec.scale,
    date: now.toISOString(),
    adapters: [...new Set(results.map(({ engine, adapter }) => `${adapter} (${engine})`))],
    notes: notesOf(spec, runs, sets),
    seconds: results.reduce((sum, { total }) => sum + total, 0),
    runs: runs.length,
    finished: results.length,
    pairs: tableCells(spec, runs, results).map(cell => ({
      ...cell,
      published: (spec.name === 'paper' && TABLE_3[cell.task]?.[cell.model]) || null,
    })),
    published: PUBLISHED[spec.name].scores,
    chance: Object.fromEntries(spec.grid.tasks.map(task => [task, CHANCE[task] ?? 0.5])),
    results,
  };
}
