import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/cli/show/table-data.ts';
import { notesOf } from '../../src/cli/show/table-notes.ts';
import { markdownTable, plainTable } from '../../src/cli/show/table-report.ts';
import { CFL_TASKS } from '../../src/train/presets/cfl.ts';
import { CHOMSKY_TASKS } from '../../src/train/presets/chomsky.ts';
import { MODELS } from '../../src/train/presets/models.ts';
import { PAPER_MODELS, PAPER_TASKS } from '../../src/train/presets/paper.ts';
import { PUBLISHED, TABLE_3 } from '../../src/train/published.ts';
import { setup } from '../../src/train/setup.ts';
import {
  bestOf,
  measurementsOf,
  type RunResult,
  runsOf,
  scoreOf,
  shardOf,
  type TableRun,
  tableCells,
} from '../../src/train/table.ts';
import { TABLES, type TableSpec } from '../../src/train/tables.ts';

const specOf = (name: string, scale: string): TableSpec =>
  TABLES.find(table => table.name === name && table.scale === scale)!;
const small = specOf('paper', 'small');
const all = (spec: TableSpec, seeds = [0, 1, 2]): TableRun[] => runsOf(spec, { seeds, only: [], sets: [] });

/** A run's result with these [coarse, fine] at trained and at test lengths; far beyond, they are 0.25 and 0.5. */
function result(
  cell: TableRun,
  train: [number, number],
  test: [number, number],
  over: object = {},
): RunResult {
  const measures = measurementsOf(cell.config, { far: 10 });
  const shares = [train, test, [0.25, 0.5]];
  return {
    kind: 'cell',
    key: cell.key,
    seed: cell.config.train.seed,
    rate: cell.config.train.rate,
    ending: 'done',
    step: 10,
    restarts: 0,
    seconds: 5,
    total: 6,
    engine: 'reference',
    adapter: 'float64 reference',
    plan: 'literal',
    parameters: 100,
    date: '2026-01-01T00:00:00.000Z',
    measured: measures.map((measure, i) => ({
      ...measure,
      coarse: shares[i][0],
      fine: shares[i][1],
      accuracy: shares[i][1],
      loss: 0.1,
    })),
    ...over,
  };
}

describe('the runs of a table', () => {
  test.each(TABLES.map(spec => [`${spec.name} ${spec.scale}`, spec] as const))(
    '%s: every cell has a valid configuration',
    (_, spec) => {
      const cells = all(spec);
      const { tasks, models } = spec.grid;
      expect(cells).toHaveLength(3 * tasks.length * models.length);
      expect(new Set(cells.map(({ key }) => key)).size).toBe(cells.length);
      for (const { config, key } of cells.slice(0, tasks.length * models.length)) {
        expect(() => setup(config), key).not.toThrow();
        for (const { low, high } of measurementsOf(config, spec)) expect(low, key).toBeLessThanOrEqual(high);
      }
    },
  );

  test('the first seed of every cell comes before any second seed', () => {
    expect(
      all(small)
        .slice(0, 35)
        .map(({ config }) => config.train.seed),
    ).toEqual(Array(35).fill(0));
  });

  test('shards cover all runs, each once', () => {
    const cells = all(small);
    for (const n of [1, 2, 7, 8, 200]) {
      const shards = Array.from({ length: n }, (_, i) => shardOf(cells, i + 1, n));
      expect(
        shards
          .flat()
          .map(({ key }) => key)
          .sort(),
      ).toEqual(cells.map(({ key }) => key).sort());
    }
  });

  test('--only selects tasks, models or cells; --set changes all of them', () => {
    const keys = (...only: string[]) => runsOf(small, { seeds: [0], only, sets: [] }).map(({ key }) => key);
    expect(keys('reverse')).toHaveLength(PAPER_MODELS.length);
    expect(keys('queue')).toHaveLength(PAPER_TASKS.length);
    expect(keys('reverse/stack', 'copy/queue')).toEqual(['copy/queue/seed0', 'reverse/stack/seed0']);
    for (const wrong of ['', 'stak', 'stack/reverse', 'reverse/stack/seed0', 'reverse/']) {
      expect(() => keys(wrong)).toThrow(/^--only takes a task, a model or task\/model of the table, got/);
    }
    const [cell] = runsOf(small, { seeds: [0], only: ['copy/queue'], sets: ['hidden=3', 'rate=0.5'] });
    expect([cell.config.model.hidden, cell.config.train.rate]).toEqual([3, 0.5]);
  });
});

describe('results', () => {
  const cells = runsOf(small, { seeds: [0, 1, 2], only: ['reverse/stack'], sets: [] });
  const [a, b, c] = cells;

  test('the best run is the best at trained lengths, whatever its test result', () => {
    const results = [
      result(a, [0.9, 0.95], [1, 1]),
      result(b, [0.9, 0.97], [0, 0.2]),
      result(c, [0.8, 1], [1, 1]),
    ];
    expect(bestOf(small, results)?.seed).toBe(1);
    expect(bestOf({ score: 'accuracy' }, results)?.seed).toBe(2);
    // For a language, the best run is the nearest to the bound; a result without a bound has no score.
    const languages = results.map((result, i) => ({
      ...result,
      measured: result.measured.map(measured => ({ ...measured, loss: 0.5 - i / 10, bound: 0.25 })),
    }));
    expect(bestOf({ score: 'excess' }, languages)?.seed).toBe(2);
    expect(scoreOf({ score: 'excess' }, languages[2].measured[0])).toBeCloseTo(0.05, 12);
    expect(scoreOf({ score: 'excess' }, results[0].measured[0])).toBeNaN();
    // A run that diverged has NaN, or null if it was read from a file.
    const diverged = [Number.NaN, null].map(x => result(a, [x as number, x as number], [0, 0]));
    expect(bestOf(small, [diverged[0], results[2]])?.seed).toBe(2);
    expect(bestOf(small, [diverged[1], results[2]])?.seed).toBe(2);
    expect(bestOf(small, [])).toBeUndefined();
  });

  test('success counts the runs that reach successAt', () => {
    const runs = runsOf(small, { seeds: [0, 1, 2], only: ['reverse/stack'], sets: [] });
    const results = [0.995, 0.9].map((test, i) => result(runs[i], [1, 1], [test, 1]));
    const [pair] = tableCells(small, runs, results).filter(({ runs }) => runs > 0);
    expect(pair).toMatchObject({ successes: 1, runs: 3, done: 2, best: { seed: 0 } });
  });

  test('the published results have every cell of the paper', () => {
    for (const task of PAPER_TASKS) expect(Object.keys(TABLE_3[task])).toEqual([...PAPER_MODELS]);
    for (const task of Object.keys(PUBLISHED.chomsky.scores)) expect(CHOMSKY_TASKS).toContain(task);
  });
});

describe('report', () => {
  const cells = all(small);
  const find = (key: string) => cells.find(cell => cell.key === key)!;
  const results = [
    result(find('reverse/stack/seed0'), [1, 1], [1, 1]),
    result(find('reverse/stack/seed1'), [0.5, 0.625], [0, 0.1]),
    result(find('copy/queue/seed0'), [0.996, 0.999], [0.984, 0.996]),
  ];
  const report = reportOf(small, cells, results, [], new Date('2026-02-03T04:05:06Z'));

  test('shows measured beside published results; missing results are marked', () => {
    const text = plainTable(small, report);
    expect(text).toMatch(/^table paper, scale small: 3 of 105 runs finished\n/);
    const lines = text.split('\n');
    const at = lines.findIndex(line => line.startsWith('stack'));
    expect(lines[at]).toMatch(/^stack +published +\.89\/\.94→\.00\/\.22 +1\/1→1\/1 +\.44\/\.90→\.00\/\.48/);
    expect(lines[at + 1]).toMatch(/^ +measured +… +1\/1→1\/1 +… +… +…$/);
    expect(lines[at + 2]).toMatch(/^ +success +1\/2…$/);
    expect(lines[at + 3]).toMatch(/^ +at 10× +\.25\/\.50$/);
    expect(text).toMatch(/queue +published.*\n +measured +1\/1→\.98\/1 +…/);
    expect(text).toContain('8 symbols, lengths 4–12, tested at 13–24, and at 120');
    expect(text).toContain('float64 reference (reference) · 2026-02-03 · 18 s of runs');
  });

  test('in Markdown every row has a cell for every task', () => {
    const [first, second] = markdownTable(small, report).split('## Every run');
    expect(second).toMatch(/\| reverse\/stack\/seed0 \| \w+ \| [\d,]+ \| \d+ \| [\d.]+ \| 1\/1 \|/);
    const rows = first.split('\n').filter(line => line.startsWith('|'));
    expect(new Set(rows.map(row => row.split('|').length))).toEqual(new Set([2 + 2 + PAPER_TASKS.length]));
    expect(rows).toContain('|  | measured | … | 1/1→1/1 | … | … | … |');
  });

  test('can be printed without results, and for a part of the table', () => {
    const none = plainTable(small, reportOf(small, cells, [], [], new Date()));
    expect(none).toContain('0 of 105 runs');
    expect(none).toContain('no finished runs');
    const part = runsOf(small, { seeds: [0], only: ['reverse/stack'], sets: ['hidden=3'] });
    const text = plainTable(small, reportOf(small, part, [], ['hidden=3'], new Date()));
    expect(text).not.toContain('lstm1');
    expect(text).toContain('changed by --set: hidden=3');
  });

  test('can be written as JSON, with all its cells', () => {
    expect(JSON.parse(JSON.stringify(report)).pairs).toHaveLength(35);
  });
});

describe('tables of tasks and models', () => {
  const chomsky = specOf('chomsky', 'small');
  const cells = runsOf(chomsky, { only: [], sets: [] });
  const find = (key: string) => cells.find(cell => cell.key === key)!;

  test('models with a memory have three seeds and the others one, unless seeds are requested', () => {
    expect(cells).toHaveLength(CHOMSKY_TASKS.length * (2 + 3 * (MODELS.length - 2)));
    const seeds = (key: string) => cells.filter(cell => cell.key.startsWith(key)).length;
    expect([seeds('parity-check/rnn/'), seeds('parity-check/lstm/')]).toEqual([1, 1]);
    for (const model of MODELS.slice(2)) expect(seeds(`parity-check/${model}/`)).toBe(3);
    expect(runsOf(chomsky, { seeds: [0, 1], only: ['parity-check/rnn'], sets: [] })).toHaveLength(2);
  });

  test('final measurements use the published lengths, not the lengths of the evaluations that stop a run', () => {
    const measures = measurementsOf(find('reverse-string/stack/seed0').config, chomsky);
    expect(measures).toMatchObject([
      { name: 'train', low: 1, high: 40 },
      { name: 'test', low: 41, high: 500, every: 51, sequences: 200 },
    ]);
  });

  const results = [
    result(find('reverse-string/stack/seed0'), [0.1, 0.99], [0.1, 0.95]),
    result(find('reverse-string/stack/seed1'), [0.1, 0.8], [0.1, 0.5]),
    result(find('parity-check/rnn/seed0'), [1, 1], [1, 1]),
  ];

  test('the Chomsky tasks: best and mean in percent, beside the published columns', () => {
    const report = reportOf(chomsky, cells, results, [], new Date());
    const lines = plainTable(chomsky, report).split('\n');
    const head = lines.find(line => line.startsWith('task'))!;
    expect(head).toMatch(
      /^task +chance +rnn +lstm +superposition +tape +stack +queue +deque +published: RNN/,
    );
    const row = (task: string) => lines.find(line => line.startsWith(task))!;
    expect(row('reverse-string')).toMatch(
      / 50\.0 +… +… +… +… +95\.0 \(72\.5\) 1\/2… +… +… +62\.0 +60\.9 +100 +100$/,
    );
    expect(row('parity-check')).toMatch(/ 50\.0 +100 +… +…/);
    expect(row('cycle-navigation')).toMatch(/ 20\.0 /);
    expect(row('bucket-sort')).toMatch(/ 20\.0 +… +… +… +… +… +… +…$/);
    const [first, second] = markdownTable(chomsky, report).split('## Every run');
    const rows = first.split('\n').filter(line => line.startsWith('|'));
    expect(rows).toHaveLength(2 + CHOMSKY_TASKS.length);
    expect(new Set(rows.map(line => line.split('|').length))).toEqual(new Set([2 + 2 + MODELS.length + 4]));
    expect(second).toMatch(/\| reverse-string\/stack\/seed1 \| done \| 10 \| 0 \| 0\.1 \| 80\.0 \| 50\.0 \|/);
  });

  test('languages: nats above the bound, which is shown; a run near the bound succeeds', () => {
    const spec = specOf('cfl', 'small');
    const all = runsOf(spec, { only: [], sets: [] });
    expect(all).toHaveLength(CFL_TASKS.length * MODELS.length);
    const of = (key: string, loss: number): RunResult => {
      const scored = result(all.find(cell => cell.key === key)!, [0, 0], [0, 0]);
      return { ...scored, measured: scored.measured.map(measured => ({ ...measured, loss, bound: 0.375 })) };
    };
    const done = [of('lm-dyck/lstm/seed0', 0.5), of('lm-dyck/stack/seed0', 0.4)];
    const report = reportOf(spec, all, done, [], new Date());
    const row = plainTable(spec, report)
      .split('\n')
      .find(line => line.startsWith('lm-dyck'))!;
    expect(row).toMatch(/^lm-dyck +0\.375 +… +0\.125 +… +… +0\.025 +… +…$/);
    const successes = report.pairs.filter(pair => pair.done > 0).map(pair => [pair.model, pair.successes]);
    expect(successes).toEqual([
      ['lstm', 0],
      ['stack', 1],
    ]);
  });

  test('the notes list the settings that differ by task or model, then those of all other runs', () => {
    const chomsky = specOf('chomsky', 'small');
    const notes = notesOf(chomsky, all(chomsky), []);
    expect(notes.slice(0, 2)).toEqual([
      'bucket-sort: 5 symbols, lengths 1–40, tested at 41, 92 … 500',
      'other tasks: 2 symbols, lengths 1–40, tested at 41, 92 … 500',
    ]);
    expect(notes.find(note => note.startsWith('stack: '))).toMatch(
      /^stack: rnn 32 \+ stack 8 \([\d,–]+ parameters\); in even-pairs, .*cycle-navigation: rnn 64 \+ stack 8 \(/,
    );
    expect(notes.filter(note => /steps at most/.test(note)).map(note => note.split(':')[0])).toEqual([
      'modular-arithmetic, solve-equation, missing-duplicate',
      'even-pairs, modular-arithmetic-simple, parity-check, cycle-navigation',
      'other runs',
    ]);
    const paper = specOf('paper', 'full');
    expect(notesOf(paper, all(paper), []).filter(note => /^lstm8: .* steps at most/.test(note))).toHaveLength(
      1,
    );
    const one = runsOf(small, { only: ['reverse/stack'], sets: ['hidden=9'] });
    expect(notesOf(small, one, ['hidden=9']).filter(note => /^(all|changed)/.test(note))).toEqual([
      expect.stringMatching(/^all tasks: 8 symbols/),
      expect.stringMatching(/^all runs: rmsprop/),
      'changed by --set: hidden=9',
    ]);
  });
});
