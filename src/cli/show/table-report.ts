/** A table of results for people: as plain text, and in Markdown. */
import { PUBLISHED } from '../../train/published.ts';
import { measuredAt, type RunResult } from '../../train/table.ts';
import type { TableSpec } from '../../train/tables.ts';
import { table } from './columns.ts';
import { count, duration } from './format.ts';
import type { Report } from './table-data.ts';
import { coarseAndFine, measuredText, rowsOf } from './table-rows.ts';

const titleOf = (report: Report): string =>
  `table ${report.table}, scale ${report.scale}: ${report.finished} of ${report.runs} runs finished`;

/** How to read the numbers. */
const LEGENDS: Readonly<Record<TableSpec['score'], string>> = {
  coarse: 'coarse/fine at trained lengths → coarse/fine in the test',
  accuracy:
    'symbol accuracy in percent (mean over the tested lengths) of the best seed, as published; in brackets the mean over the seeds; then successes/seeds',
  excess:
    'cross-entropy above its lower bound, in nats per symbol, at trained lengths, of the best seed; in brackets the mean over the seeds; then successes/seeds',
};

const footOf = (spec: TableSpec, report: Report): string[] => [
  LEGENDS[spec.score],
  ...(spec.far ? [`at ${spec.far}×: coarse/fine at ${spec.far} times the longest training source`] : []),
  ...report.notes,
  `published: ${PUBLISHED[spec.name].source}`,
  `${report.adapters.join(', ') || 'no finished runs'} · ${report.date.slice(0, 10)} · ${duration(report.seconds)} of runs`,
];

/** For the terminal. */
export const plainTable = (spec: TableSpec, report: Report): string =>
  `${titleOf(report)}\n\n${table(rowsOf(spec, report))}\n\n${footOf(spec, report).join('\n')}\n`;

/** `table.md`. */
export function markdownTable(spec: TableSpec, report: Report): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const markdown = ([head, ...rest]: readonly string[][]): string[] => [
    row(head),
    `|${'-|'.repeat(head.length)}`,
    ...rest.map(row),
  ];
  const [head, ...rest] = rowsOf(spec, report);
  return [
    `# ${titleOf(report)}`,
    '',
    ...markdown([spec.score === 'coarse' ? ['model', ...head.slice(1)] : head, ...rest]),
    '',
    ...footOf(spec, report).map(line => `- ${line}`),
    '',
    '## Every run',
    '',
    ...markdown(runRows(spec, report)),
    '',
  ].join('\n');
}

/** One row per run: how it ended, and its scores. */
function runRows(spec: TableSpec, { results }: Report): string[][] {
  const far = (result: RunResult): string[] => {
    const measured = measuredAt(result, 'far');
    return spec.far ? [measured ? coarseAndFine(measured) : ''] : [];
  };
  const rows = results.map(result => [
    result.key,
    result.ending,
    count(result.step),
    String(result.restarts),
    (result.total / 60).toFixed(1),
    ...(['train', 'test'] as const).map(name => measuredText(spec, result, name)),
    ...far(result),
  ]);
  const names = ['run', 'ended', 'steps', 'restarts', 'minutes', 'trained lengths', 'test'];
  return [
    [...names, ...(spec.far ? [`at ${spec.far}×`] : [])],
    ...rows.sort((a, b) => a[0].localeCompare(b[0])),
  ];
}
