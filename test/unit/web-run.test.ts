import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { type End, read } from '../../src/reference/ends.ts';
import { rowsOf as referenceRows } from '../../src/reference/rows.ts';
import type { Evaluation } from '../../src/train/evaluate.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import type { Progress } from '../../src/train/trainer.ts';
import {
  addEvaluation,
  addProfile,
  addProgress,
  emptyHistory,
  historyUpTo,
  smooth,
  toCsv,
} from '../../src/web/charts/history.ts';
import { bytes } from '../../src/web/format.ts';
import { readFiles } from '../../src/web/keep/files.ts';
import { sharesOf } from '../../src/web/memory/shares.ts';
import { firstRow, readWeights, rowsOf } from '../../src/web/memory/weights.ts';
import { adviceFor } from '../../src/web/trust/advice.ts';
import {
  decodeAnswer,
  drawSource,
  lengthsFor,
  shownSource,
  testOnPairs,
} from '../../src/web/worker/answers.ts';
import { fakeEngine } from '../support/fake-engine.ts';

const progress = (step: number, loss = 1): Progress =>
  ({ step, steps: 1e9, loss, coarse: 0.5, fine: 0.6 }) as Progress;
const evaluation = { coarse: 0.25, fine: 0.5 } as Evaluation;

describe('curves', () => {
  test('have one point per step, however often it is reported', () => {
    const history = emptyHistory();
    addProgress(history, progress(25), 25);
    addEvaluation(history, evaluation, 25);
    addProgress(history, progress(50, Number.NaN), 25);
    expect(history.step).toEqual([25, 50]);
    expect(history.loss).toEqual([1, null]);
    expect(history.evaluatedCoarse).toEqual([0.25, null]);
    expect(toCsv(history).split('\n').slice(1)).toEqual([
      '25,1,0.5,0.6,0.25,0.5,,,,,,,',
      '50,,0.5,0.6,,,,,,,,,',
      '',
    ]);
  });

  test('of long runs drop every other point of the older half, but keep evaluations and the order', () => {
    const history = emptyHistory();
    for (let step = 1; step <= 20_000; step++) {
      addProgress(history, progress(step), 1);
      if (step % 1000 === 0) addEvaluation(history, evaluation, step);
    }
    expect(history.step.length).toBeLessThanOrEqual(4000);
    expect(history.step.at(-1)).toBe(20_000);
    expect(history.step).toEqual(history.step.toSorted((a, b) => a - b));
    expect(history.evaluatedCoarse.filter(value => value !== null)).toHaveLength(20);
    for (const column of [history.loss, history.evaluatedFine, history.length]) {
      expect(column).toHaveLength(history.step.length);
    }
  });

  test('skip reports of single steps; push and pop get points at most as often as there are reports', () => {
    const history = emptyHistory();
    const phase = { push: 0.5, pop: 0.25, steps: 1, ends: [] };
    for (let step = 1; step <= 60; step++) {
      addProgress(history, progress(step), 25);
      addProfile(history, { reading: phase, writing: phase }, step, 25);
    }
    addProgress(history, { ...progress(61), steps: 61 }, 25);
    expect(history.step).toEqual([1, 25, 26, 50, 51, 61]);
    expect(history.readingPush).toEqual([0.5, null, 0.5, null, 0.5, null]);
    expect(history.loss).toEqual([null, 1, null, 1, null, 1]);
  });

  test('lose the points after a checkpoint that is resumed', () => {
    const history = emptyHistory();
    for (const step of [25, 50, 75]) addProgress(history, progress(step), 25);
    expect(historyUpTo(history, 60)).toMatchObject({ step: [25, 50], loss: [1, 1] });
    expect(historyUpTo(history, 75).step).toEqual([25, 50, 75]);
    expect(historyUpTo(history, 0).step).toEqual([]);
  });

  test('a moving mean starts with the first value, and keeps gaps', () => {
    expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
    const [first, gap, last] = smooth([1, null, 3], 0.5);
    expect([first, gap]).toEqual([1, null]);
    // (0.25·1 + 0.5·3) / 0.75
    expect(last).toBeCloseTo(7 / 3, 12);
  });
});

describe('reads', () => {
  test.each(['stack', 'queue', 'deque'] as const)(
    '%s: the weights are the factors of the reference’s read',
    kind => {
      const rng = new Rng(1, 1);
      for (let n = 0; n < 200; n++) {
        const strengths = Float64Array.from({ length: rng.int(1, 12) }, () =>
          rng.int(0, 2) ? rng.uniform() : 0,
        );
        // Rows of unit vectors, so that reads are the weights.
        for (const end of kind === 'deque' ? ([0, 1] as const) : ([0] as const)) {
          const from: End = kind === 'stack' || (kind === 'deque' && end === 0) ? 'top' : 'bottom';
          const weights = readWeights(kind, end, [...strengths]);
          strengths.forEach((_, i) => {
            const unit = Float64Array.from(strengths, (_, j) => (i === j ? 1 : 0));
            const [expected] = read(strengths, referenceRows(unit, unit.length), from);
            expect(weights[i]).toBeCloseTo(expected, 12);
          });
        }
      }
    },
  );

  test('of a superposition stack of two cells: a value pushed by half, popped by half, then lost at the bottom', () => {
    // push ½ stay ½, pop ½ stay ½, push 1, push 1
    const [push, pop, stay] = [
      [0.5, 0, 1, 1],
      [0, 0.5, 0, 0],
      [0.5, 0.5, 0, 0],
    ];
    const { left, read } = sharesOf('superposition', [push, pop, stay], 2, 1);
    expect(left).toEqual([[0.5], [0.25, 0], [0.25, 0, 1], [0, 0, 1, 1]]);
    expect(read).toEqual([[0.5], [0.25, 0], [0, 0, 1], [0, 0, 0, 1]]);
  });

  test('of a tape: a value stays until it is overwritten, and is read where the head is', () => {
    const [left, right, stay] = [
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ];
    const shares = sharesOf('tape', [left, right, stay], 4, 1);
    expect(shares.left).toEqual([[1], [1, 1], [0, 1, 1]]);
    expect(shares.read).toEqual([[0], [1, 0], [0, 0, 1]]);
  });

  test("the rows of a deque's bottom are at the bottom of the picture, newest first", () => {
    expect(rowsOf('stack', 2)).toEqual([
      { step: 0, end: 0 },
      { step: 1, end: 0 },
    ]);
    expect(rowsOf('deque', 2)).toEqual([
      { step: 1, end: 1 },
      { step: 0, end: 1 },
      { step: 0, end: 0 },
      { step: 1, end: 0 },
    ]);
    // After step 0 the strengths are those of the two rows in the middle.
    expect(firstRow('deque', 2, 0)).toBe(1);
    expect(firstRow('queue', 2, 0)).toBe(0);
  });
});

describe('sources for the model', () => {
  const opened = async (name: string, engine: Engine = fakeEngine()) => {
    const config = preset(name);
    const { task, spec } = setup(config);
    return { task, model: await engine.model(spec, config.train, initialState(spec, config.train)) };
  };

  test('the answer of an untrained model has probabilities, and is shown with the correct one', async () => {
    const { task, model } = await opened('reverse', createReferenceEngine());
    const tried = await decodeAnswer(model, task, 'abc');
    expect(tried.source).toBe('a b c');
    expect(tried.symbols.length).toBeGreaterThan(0);
    for (const { probability } of tried.symbols) expect(probability).toBeGreaterThan(0);
    const expected = tried.symbols.map(symbol => symbol.expected);
    expect(expected.slice(0, 4)).toEqual(['c', 'b', 'a', '</s>'].slice(0, expected.length));
    expect(tried.right).toBe(false);
  });

  test('a task without an end symbol is answered to the length that the source requires', async () => {
    const { task, model } = await opened('tutorial-part6', createReferenceEngine());
    const { symbols, ended } = await decodeAnswer(model, task, task.example);
    expect(symbols).toHaveLength(task.example.replace(/\s/g, '').length);
    expect(ended).toBe(true);
  });

  test('sources too large for the picture are refused', async () => {
    const { task } = await opened('reverse');
    expect(() => shownSource(task, 'a'.repeat(201))).toThrow(/limited to sources of 200 symbols, got 201/);
    expect(drawSource(task, 12)).toHaveLength(12);
    expect(() => drawSource(task, 0)).toThrow(/from 1 to 200, got 0/);
    expect(() => drawSource(task, Number.NaN)).toThrow(/got NaN/);
  });

  test.each(['reverse', 'tutorial-part5', 'small/gender/stack'])(
    '%s: lengths up to ten times the trained length',
    async name => {
      const { task } = await opened(name);
      const lengths = lengthsFor(task, 10);
      expect(lengths).toEqual([...new Set(lengths)].sort((a, b) => a - b));
      expect(lengths.length).toBeGreaterThan(5);
      expect(lengths.at(-1)).toBeGreaterThan(90);
    },
  );

  test('a model is tested on every pair of a file; unknown symbols are named', async () => {
    const { task, model } = await opened('reverse', createReferenceEngine());
    const tested = await testOnPairs(model, task, { file: 'my.tsv', text: 'a b\tb a\nc d\td c\n' });
    expect(tested).toMatchObject({ pairs: 2, omitted: 0 });
    expect(tested.rows).toHaveLength(2);
    await expect(testOnPairs(model, task, { file: 'my.tsv', text: 'a\ta\nz\tz' })).rejects.toThrow(
      /my.tsv line 2: "z" is not one of the source symbols of task reverse \(a b c d e f g h\)/,
    );
    await expect(testOnPairs(model, task, { file: 'my.tsv', text: 'a\tz' })).rejects.toThrow(
      /my.tsv line 1: "z" is not one of the target symbols/,
    );
  });
});

describe('files', () => {
  const file = (name: string, content: string | Uint8Array = 'x') => new File([content as BlobPart], name);

  test('are recognised by their names', async () => {
    const config = JSON.stringify(assign(preset('reverse'), ['hidden=9']));
    expect(await readFiles([file('a.JSON', config)])).toMatchObject({
      kind: 'config',
      config: { model: { hidden: 9 } },
    });
    expect(await readFiles([file('a.tsv', 'a\tb')])).toEqual({
      kind: 'data',
      data: { file: 'a.tsv', text: 'a\tb' },
    });
    expect(await readFiles([file('b.jsonl'), file('a.safetensors')])).toMatchObject({
      kind: 'checkpoint',
      name: 'a.safetensors',
      data: { file: 'b.jsonl' },
    });
  });

  test.each([
    [[], /no file was given/],
    [[file('a.exe')], /"a.exe" cannot be used here/],
    [[file('a.tsv', '')], /a.tsv is empty/],
    [[file('a.tsv'), file('b.tsv')], /2 files at once/],
    [[file('a.tsv', Uint8Array.of(0xff))], /must be UTF-8 text: convert it/],
    [[file('a.json', 'nope')], /a.json is not JSON/],
    [[file('a.json', '[]')], /a.json: a configuration is a JSON object/],
    [[file('a.json', '{"train":{"rate":-1}}')], /a.json: train.rate must be a number from 0/],
  ])('are refused with a message: %#', async (files, words) => {
    await expect(readFiles(files)).rejects.toThrow(words);
  });
});

test.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
    true,
    /enable-unsafe-webgpu/,
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
    true,
    /chrome:\/\/gpu/,
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/110.0.0.0 Safari/537.36 Edg/110.0',
    true,
    /This Edge predates WebGPU/,
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    true,
    /^Update Firefox.*Elsewhere set dom.webgpu.enabled .* use Chrome/,
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', true, /^Set dom.webgpu.enabled/],
  [
    'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    true,
    /from version 26/,
  ],
  [
    'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
    true,
    /feature flags/,
  ],
  ['lynx', true, /use a current Chrome/],
  ['Mozilla/5.0 Chrome/143.0.0.0 Safari/537.36', false, /over https, or from localhost/],
])('advice for %s', (agent, secure, words) => {
  expect(adviceFor(agent, secure, false)).toMatch(words);
});

test('the advice for Firefox with WebGPU but without a GPU names no preference that is already set', () => {
  const agent = 'Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0';
  expect(adviceFor(agent, true, true)).toMatch(/update the graphics driver.*about:support/);
  expect(adviceFor(agent, true, true)).not.toMatch(/gfx\.|dom\.webgpu|Nightly/);
  // On Linux a list of blocked drivers disables WebGPU on most machines.
  const onLinux = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
  expect(adviceFor(onLinux, true, true)).toMatch(/update the graphics driver.*gfx\.webgpu\.ignore-blocklist/);
});

test('for Firefox 140, which refuses all requests of navigator.gpu, the advice is to update it, not a driver', () => {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
  expect(adviceFor(agent, true, true)).toMatch(/^Update Firefox/);
});

test('bytes are formatted for people', () => {
  expect([0, 172, 1536, 7.4 * 2 ** 20, 250 * 2 ** 20, 3 * 2 ** 30].map(bytes)).toEqual([
    '0 B',
    '172 B',
    '1.5 KiB',
    '7.4 MiB',
    '250 MiB',
    '3.0 GiB',
  ]);
});
