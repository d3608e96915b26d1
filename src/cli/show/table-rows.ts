/** The rows of a table of results, in one of two layouts. The first row is the head. */
import { type Measured, measuredAt, type RunResult, scoreOf, type TableCell } from '../../train/table.ts';
import type { TableSpec } from '../../train/tables.ts';
import { fixed } from './format.ts';
import type { Report } from './table-data.ts';

const MISSING = '…';

/** `.98`, `1`, as the paper prints shares. */
export const share = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  const text = value.toFixed(2);
  return text === '1.00' ? '1' : text.replace(/^0/, '');
};

/** `98.2`, `100`: shares as Delétang et al. print them. */
const percent = (value: number): string => fixed(100 * value, 1).replace(/^100\.0$/, '100');

/** Coarse and fine accuracy: `.98/.99`. */
export const coarseAndFine = ({ coarse, fine }: Measured): string => `${share(coarse)}/${share(fine)}`;

/** A score as its table prints it. */
export const scoreText = ({ score }: Pick<TableSpec, 'score'>, value: number): string =>
  score === 'accuracy' ? percent(value) : score === 'excess' ? fixed(value, 3) : share(value);

/** A run's score in a measurement, as its table prints it. */
export const measuredText = (spec: TableSpec, result: RunResult, name: Measured['name']): string => {
  const measured = measuredAt(result, name);
  if (!measured) return '';
  return spec.score === 'coarse' ? coarseAndFine(measured) : scoreText(spec, scoreOf(spec, measured));
};

export const rowsOf = (spec: TableSpec, report: Report): string[][] => {
  const models = spec.grid.models.filter(model =>
    report.pairs.some(pair => pair.model === model && pair.runs > 0),
  );
  return spec.score === 'coarse'
    ? [['', '', ...spec.grid.tasks], ...models.flatMap(model => linesOf(spec, report, model))]
    : taskRows(spec, report, models);
};

const tableCellOf = ({ pairs }: Report, task: string, model: string): Report['pairs'][number] =>
  pairs.find(pair => pair.task === task && pair.model === model)!;

/**
 * The rows of one model in the paper's layout: published results, measured results, successes, and results far beyond
 * the trained lengths. Empty rows are left out, except that of measured results.
 */
function linesOf(spec: TableSpec, report: Report, model: string): string[][] {
  const pairs = spec.grid.tasks.map(task => tableCellOf(report, task, model));
  const measured = ({ best, runs }: TableCell): string => {
    if (!best) return runs > 0 ? MISSING : '';
    return `${coarseAndFine(measuredAt(best, 'train')!)}→${coarseAndFine(measuredAt(best, 'test')!)}`;
  };
  const success = ({ best, successes, runs, done }: TableCell): string =>
    best ? `${successes}/${done}${done < runs ? MISSING : ''}` : '';
  const far = ({ best }: TableCell): string => {
    const measured = best && measuredAt(best, 'far');
    return measured ? coarseAndFine(measured) : '';
  };
  const published = ({ published: shares }: Report['pairs'][number]): string => {
    if (!Array.isArray(shares)) return '';
    const [a, b, c, d] = shares.map(share);
    return `${a}/${b}→${c}/${d}`;
  };
  const lines = [
    [model, 'published', ...pairs.map(published)],
    ['', 'measured', ...pairs.map(measured)],
    ['', 'success', ...pairs.map(success)],
    ...(spec.far ? [['', `at ${spec.far}×`, ...pairs.map(far)]] : []),
  ];
  return lines
    .filter((line, i) => i === 1 || line.slice(2).some(Boolean))
    .map((line, i) => (i === 0 ? [model, ...line.slice(1)] : line));
}

/**
 * One row per task, one column per model: the best seed, and for several seeds their mean and the number of successes.
 * Then one column per published model.
 */
function taskRows(spec: TableSpec, report: Report, models: readonly string[]): string[][] {
  const tasks = spec.grid.tasks.filter(task =>
    models.some(model => tableCellOf(report, task, model).runs > 0),
  );
  const cell = ({ scores, successes, runs, done }: TableCell): string => {
    if (!scores) return runs > 0 ? MISSING : '';
    const [best, mean] = [scores.best, scores.mean].map(value => scoreText(spec, value));
    const others = done > 1 ? ` (${mean}) ${successes}/${done}` : '';
    return `${best}${others}${done < runs ? MISSING : ''}`;
  };
  /** The baseline of a task: the accuracy of guessing, or for languages the lower bound of the loss. */
  const baseline = (task: string): string => {
    if (spec.score === 'accuracy') return percent(report.chance[task]);
    const bounds = report.results
      .filter(({ key }) => key.startsWith(`${task}/`))
      .flatMap(result => measuredAt(result, spec.successOn)?.bound ?? []);
    return fixed(bounds.reduce((sum, bound) => sum + bound, 0) / bounds.length, 3);
  };
  const published = [...new Set(tasks.flatMap(task => Object.keys(report.published[task] ?? {})))];
  return [
    [
      'task',
      spec.score === 'accuracy' ? 'chance' : 'bound',
      ...models,
      ...published.map(name => `published: ${name}`),
    ],
    ...tasks.map(task => [
      task,
      baseline(task),
      ...models.map(model => cell(tableCellOf(report, task, model))),
      ...published.map(name => {
        const value = report.published[task]?.[name];
        return value === undefined ? '' : scoreText(spec, value);
      }),
    ]),
  ];
}
