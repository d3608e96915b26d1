/** A table of results as people read it: plain, and in Markdown. */
import type { Config } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { countParameters } from '../../base/parameters.ts';
import { testedLengths } from '../../train/presets/grid.ts';
import { CHOMSKY_SCORES, TABLE_3 } from '../../train/published.ts';
import { setup } from '../../train/setup.ts';
import {
  type Cell,
  type CellResult,
  type Measured,
  measuredAt,
  type Pair,
  pairsOf,
  type TableSpec,
} from '../../train/table.ts';
import { table } from './columns.ts';
import { count, duration, inARow, modelWords } from './format.ts';

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
  const published: Readonly<Record<string, Readonly<Record<string, unknown>>>> =
    spec.name === 'paper' ? TABLE_3 : CHOMSKY_SCORES;
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
      published: published[pair.task]?.[pair.model] ?? null,
    })),
    results,
  };
}

const range = (low: number, high: number): string => (low === high ? String(high) : `${low}–${high}`);

/** `copy, reverse: 8 symbols …`: names that have a text in common, together. */
function grouped(entries: Iterable<readonly [name: string, text: string]>): string[] {
  const names = new Map<string, Set<string>>();
  for (const [name, text] of entries) names.set(text, (names.get(text) ?? new Set()).add(name));
  return [...names].map(([text, of]) => `${[...of].join(', ')}: ${text}`);
}

/** The same, but the text that most names have stands for all that are not named. */
function mostly(entries: readonly (readonly [name: string, text: string])[]): string[] {
  const texts = [...new Set(entries.map(([, text]) => text))];
  const often = (text: string): number => entries.filter(([, of]) => of === text).length;
  const [usual] = texts.sort((a, b) => often(b) - often(a));
  const rest = grouped(entries.filter(([, text]) => text !== usual));
  return usual === undefined ? [] : [`${rest.length ? 'other runs' : 'runs'}: ${usual}`, ...rest];
}

/** None for a cell that cannot be run with its settings: it may not have been asked for. */
function parametersOf(config: Config): number[] {
  try {
    return [countParameters(setup(config).spec)];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

function notesOf(spec: TableSpec, cells: readonly Cell[], sets: readonly string[]): string[] {
  const tasks = grouped(
    cells.map(({ task, config }) => {
      const { symbols, minLength, maxLength } = config.task;
      const tested = range(...testedLengths(config));
      const far = spec.far ? `, and at ${spec.far * maxLength}` : '';
      return [task, `${symbols} symbols, lengths ${range(minLength, maxLength)}, tested at ${tested}${far}`];
    }),
  );
  const sizes = new Map<string, number[]>();
  for (const { model, config } of cells) {
    sizes.set(model, [...(sizes.get(model) ?? []), ...parametersOf(config)]);
  }
  const models = grouped(
    cells.map(({ model, config }) => {
      const counts = sizes.get(model)!;
      const ends = [...new Set([Math.min(...counts), Math.max(...counts)].map(count))];
      const words = counts.length ? ` (${ends.join('–')} parameters)` : '';
      return [model, `${modelWords(config.model)}${words}`];
    }),
  );
  const training = cells.map(({ task, model, config: { train } }) => {
    const { optimiser, rate, batch, steps, noise, stopAt, stopPasses, patience } = train;
    const rules = [
      ...(stopAt ? [`by coarse ${stopAt} at tested lengths (on other sequences)${inARow(stopPasses)}`] : []),
      ...(patience ? [`by no better training loss in ${patience} evaluations`] : []),
    ];
    const ends = rules.length ? `, ended before ${rules.join(', or ')}` : '';
    const recipe = `${optimiser}, rate ${rate}, batches of ${batch}${noise ? `, noise ${noise}` : ''}`;
    return [`${task}/${model}`, `${recipe}, ${count(steps)} steps at most${ends}`] as const;
  });
  const shown = spec.score === 'coarse' ? 'coarse accuracy' : 'symbol accuracy';
  return [
    ...tasks,
    ...models,
    ...mostly([...new Map(training)]),
    ...(sets.length ? [`changed by --set: ${sets.join(' ')}`] : []),
    `best: the run that does best at trained lengths (${shown}, then fine, then loss); the test has no say`,
    `success: test ${shown} ${spec.solvedAt} or better`,
  ];
}

/** `.98`, `1`, as the paper prints shares. */
const share = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  const text = value.toFixed(2);
  return text === '1.00' ? '1' : text.replace(/^0/, '');
};
const both = ({ coarse, fine }: Measured): string => `${share(coarse)}/${share(fine)}`;
const MISSING = '…';

/** The lines of a model: what was published, what is measured, how many seeds succeed. */
function linesOf(spec: TableSpec, report: Report, model: string): string[][] {
  const pairs = spec.grid.tasks.map(
    task => report.pairs.find(pair => pair.task === task && pair.model === model)!,
  );
  const paper = spec.score === 'coarse';
  const measured = ({ best, runs }: Pair): string => {
    if (!best) return runs > 0 ? MISSING : '';
    const [train, test] = [measuredAt(best, 'train')!, measuredAt(best, 'test')!];
    return paper ? `${both(train)}→${both(test)}` : `${share(train.accuracy)}→${share(test.accuracy)}`;
  };
  const success = ({ best, solved, runs, done }: Pair): string =>
    best ? `${solved}/${done}${done < runs ? MISSING : ''}` : '';
  const far = ({ best }: Pair): string => {
    const one = best && measuredAt(best, 'far');
    return one ? both(one) : '';
  };
  const published = ({ published: is }: Report['pairs'][number]): string => {
    if (typeof is === 'number') return share(is);
    if (!Array.isArray(is)) return '';
    const [a, b, c, d] = is.map(share);
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

const titleOf = (report: Report): string =>
  `table ${report.table}, scale ${report.scale}: ${report.finished} of ${report.runs} runs finished`;

const footOf = (spec: TableSpec, report: Report): string[] => [
  spec.score === 'coarse'
    ? 'coarse/fine at trained lengths → coarse/fine in the test'
    : 'symbol accuracy at trained lengths → in the test; published: of the test',
  ...(spec.far ? [`at ${spec.far}×: coarse/fine at ${spec.far} times the longest source trained on`] : []),
  ...report.notes,
  ...(spec.name === 'paper'
    ? ['published: Grefenstette et al. 2015, Table 3 (128 symbols, lengths 8–64, tested at 65–128)']
    : [
        `published: Delétang et al. 2023 (lengths 1–40, tested at 41–500), and there also ${othersPublished(spec)}`,
      ]),
  `${report.adapters.join(', ') || 'nothing run yet'} · ${report.date.slice(0, 10)} · ${duration(report.seconds)} of runs`,
];

/** Published models that we have no column for. */
function othersPublished(spec: TableSpec): string {
  const names = new Set(Object.values(CHOMSKY_SCORES).flatMap(Object.keys));
  const others = [...names].filter(name => !spec.grid.models.includes(name));
  return others
    .map(name => {
      const scores = Object.entries(CHOMSKY_SCORES).map(([task, of]) => `${task} ${share(of[name])}`);
      return `${name}: ${scores.join(', ')}`;
    })
    .join('; ');
}

/** For the terminal. */
export function plainTable(spec: TableSpec, report: Report): string {
  const models = spec.grid.models.filter(model => hasRuns(report, model));
  const tasks = ['', '', ...spec.grid.tasks];
  const rows = [tasks, ...models.flatMap(model => linesOf(spec, report, model))];
  return `${titleOf(report)}\n\n${table(rows)}\n\n${footOf(spec, report).join('\n')}\n`;
}

/** `table.md`. */
export function markdownTable(spec: TableSpec, report: Report): string {
  const models = spec.grid.models.filter(model => hasRuns(report, model));
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = models.flatMap(model => linesOf(spec, report, model)).map(row);
  const head = ['model', '', ...spec.grid.tasks];
  return [
    `# ${titleOf(report)}`,
    '',
    row(head),
    `|${'-|'.repeat(head.length)}`,
    ...lines,
    '',
    ...footOf(spec, report).map(line => `- ${line}`),
    '',
    '## Every run',
    '',
    ...runRows(spec, report).map((cells, i) => (i === 1 ? `|${'-|'.repeat(cells.length)}` : row(cells))),
    '',
  ].join('\n');
}

/** Each run with its seed, how it ended, and what it came to; the second row is left for a line. */
function runRows(spec: TableSpec, { results }: Report): string[][] {
  const far = (result: CellResult): string[] => {
    const one = measuredAt(result, 'far');
    return spec.far ? [one ? both(one) : ''] : [];
  };
  const rows = results.map(result => [
    result.key,
    result.ending,
    count(result.step),
    String(result.restarts),
    (result.total / 60).toFixed(1),
    ...(['train', 'test'] as const).map(name => both(measuredAt(result, name)!)),
    ...far(result),
  ]);
  const names = ['run', 'ended', 'steps', 'restarts', 'minutes', 'trained lengths', 'test'];
  const head = [...names, ...(spec.far ? [`at ${spec.far}×`] : [])];
  return [head, head, ...rows.sort((a, b) => a[0].localeCompare(b[0]))];
}

const hasRuns = (report: Report, model: string): boolean =>
  report.pairs.some(pair => pair.model === model && pair.runs > 0);
