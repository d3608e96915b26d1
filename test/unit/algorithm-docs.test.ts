import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCUMENT, loadAlgorithm } from '../../bench/algorithm-code.ts';
import { EXAMPLE, FOLDER, figures } from '../../bench/figures.ts';
import { entriesOf } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import { profileOf } from '../../src/gpu/profile.ts';
import { timeLaunches } from '../../src/kernels/time-memory.ts';
import { pop } from '../../src/reference/ends.ts';
import { memoryBackward, memoryForward, type RowName } from '../../src/reference/memory.ts';

/**
 * docs/algorithm.md: its programs agree with src/reference, its tables show their
 * results, and its figures are drawn by bench/figures.ts. After changing how a figure is drawn,
 * update its file with `npx vitest run --project unit test/unit/algorithm-docs.test.ts -u`.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, DOCUMENT), 'utf8');
const code = await loadAlgorithm(ROOT);

/** Replaces −0 by 0: sums in another order may give the other zero. */
const withoutMinusZero = (numbers: ArrayLike<number>): number[] => Array.from(numbers, x => x + 0);

interface Inputs {
  T: number;
  /** [T][E] */
  push: number[][];
  pop: number[][];
  /** [T][E][M] */
  value: number[][][];
  dRead: number[][][];
}

/**
 * Strengths that are multiples of 1/grid up to most/grid, so that
 * all sums are exact; values and gradients are whole numbers.
 */
function draw(seed: number, E: number, grid: number, most: number): Inputs {
  const rng = new Rng(seed, grid, most);
  const [T, M] = [rng.int(1, 14), rng.int(1, 3)];
  const each = <Of>(n: number, of: () => Of): Of[] => Array.from({ length: n }, of);
  const strengths = () => each(T, () => each(E, () => rng.int(0, most) / grid));
  const rows = () => each(T, () => each(E, () => each(M, () => rng.int(-8, 8))));
  return { T, push: strengths(), pop: strengths(), value: rows(), dRead: rows() };
}

/** The results of the reference, as flat arrays. */
function truthOf(kind: RowName, { push, pop, value, dRead }: Inputs): Record<string, number[]> {
  const controls = [push.flat(), pop.flat()];
  const forward = memoryForward(kind, controls, value.flat(2));
  const gradients = memoryBackward(kind, controls, value.flat(2), forward, dRead.flat(2));
  return {
    read: withoutMinusZero(forward.read),
    ...Object.fromEntries(Object.entries(gradients).map(([name, all]) => [name, withoutMinusZero(all)])),
  };
}

/**
 * [grid, most]: ties at nearly every step; strengths 0 and 1; any strengths; small ones, so that reads take many rows.
 */
const GRIDS = [
  [4, 4],
  [1, 1],
  [2 ** 14, 2 ** 14],
  [2 ** 14, 2 ** 11],
] as const;

describe.each(GRIDS)('strengths that are multiples of 1/%i, up to %i times that', (grid, most) => {
  const seeds = Array.from({ length: 250 }, (_, seed) => seed);
  const firsts = <Of>(all: Of[][]): Of[] => all.map(([first]) => first);

  test.each(['stack', 'queue', 'deque'] as const)(
    'memoryForward and memoryBackward equal the reference: %s',
    kind => {
      for (const seed of seeds) {
        const inputs = draw(seed, kind === 'deque' ? 2 : 1, grid, most);
        const { push, pop, value, dRead } = inputs;
        const state = code.memoryForward(kind, push, pop, value);
        const { dPush, dPop, dValue } = code.memoryBackward(kind, push, pop, value, state, dRead);
        const actual = {
          read: state.read.flat(2),
          dPush: dPush.flat(),
          dPop: dPop.flat(),
          dValue: dValue.flat(2),
        };
        for (const [name, expected] of Object.entries(truthOf(kind, inputs)))
          expect(withoutMinusZero(actual[name as keyof typeof actual]), `${name}, seed ${seed}`).toEqual(
            expected,
          );
      }
    },
  );

  test('stackForward and stackBackward, and the stack parallel over time, equal the reference', () => {
    for (const seed of seeds) {
      const inputs = draw(seed, 1, grid, most);
      const [push, pop] = [firsts(inputs.push), firsts(inputs.pop)];
      const [value, dRead] = [firsts(inputs.value), firsts(inputs.dRead)];
      const state = code.stackForward(push, pop, value);
      const stepwise = { read: state.read, ...code.stackBackward(push, pop, value, state, dRead) };
      const { low, high } = code.stackHeights(push, pop, 1 + (seed % 5));
      const links = code.stackLinks(low);
      const read = code.stackReads(value, low, high, links.link);
      const overTime = { read, ...code.stackGradients(value, low, high, links, dRead) };
      for (const [name, expected] of Object.entries(truthOf('stack', inputs))) {
        for (const actual of [stepwise, overTime])
          expect(withoutMinusZero(actual[name as 'read'].flat()), `${name}, seed ${seed}`).toEqual(expected);
      }
    }
  });

  test('the queue parallel over time equals the reference', () => {
    for (const seed of seeds) {
      const inputs = draw(seed, 1, grid, most);
      const [push, pop] = [firsts(inputs.push), firsts(inputs.pop)];
      const [value, dRead] = [firsts(inputs.value), firsts(inputs.dRead)];
      const { front, end } = code.queueHeights(push, pop);
      const read = code.queueReads(value, front, end);
      const actual = { read, ...code.queueGradients(pop, value, front, end, dRead) };
      for (const [name, expected] of Object.entries(truthOf('queue', inputs)))
        expect(withoutMinusZero(actual[name as 'read'].flat()), `${name}, seed ${seed}`).toEqual(expected);
    }
  });

  test('popByBlocks equals the pop of the reference', () => {
    for (const seed of seeds) {
      const rng = new Rng(seed, grid, 1);
      const s = Array.from({ length: rng.int(0, 20) }, () => rng.int(0, most) / grid);
      const u = rng.int(0, 6 * most) / grid;
      const { removed, taken } = code.popByBlocks(s, u, rng.int(1, 9));
      const left = s.map((x, k) => (k < removed ? 0 : k === removed ? x - taken : x));
      expect(left).toEqual(withoutMinusZero(pop(Float64Array.from(s), u, 'bottom')));
    }
  });
});

test('the backward pass undoes every step: all slots are empty again', () => {
  const rng = new Rng(3, 1);
  const numbers = (): number[] => Array.from({ length: 60 }, () => rng.uniform());
  const [push, pops] = [numbers(), numbers()];
  const value = push.map(() => [1]);
  const state = code.stackForward(push, pops, value);
  const afterForward = structuredClone(state.slots);
  code.stackBackward(push, pops, value, state, value);
  expect(state.slots).not.toEqual(afterForward);
  expect(state.slots.every(slot => slot === undefined)).toBe(true);
});

describe('the tables of the example', () => {
  const { push, pop: pops } = EXAMPLE;
  const value = push.map((_, t) => [t + 1]);
  const T = push.length;
  /** `.8`, `2.9`: rounded to hide the rounding errors of float64. */
  const short = (x: number): string =>
    String(Number(x.toFixed(10)))
      .replace(/^(-?)0\./, '$1.')
      .replace('-', '−');
  const rowsAfter = (section: string): string[] =>
    text.split(`<!-- ${section} -->\n`)[1].split('\n\n')[0].split('\n').slice(2);
  const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const name = ({ row, s }: { row: number; s: number }): string => `row ${row + 1}: ${short(s)}`;

  test('the table of the forward pass shows the results of stackForward', () => {
    const expected = push.map((d, t) => {
      const at = (n: number) => code.stackForward(push.slice(0, n), pops.slice(0, n), value.slice(0, n));
      const { slots, undo, read } = at(t + 1);
      const before = at(t);
      const { edge, reached, before: strength } = undo[t];
      const live = slots.slice(0, edge + 1);
      const hi = t > 0 ? before.undo[t - 1].edge + 1 : 0;
      const removed = before.slots.slice(edge, hi).map(({ row }) => `row ${row + 1}`);
      let left = 1;
      const weights = [...live].reverse().flatMap(({ row, s }) => {
        const weight = Math.min(s, left);
        left -= weight;
        return weight > 0 ? [`row ${row + 1}: ${short(weight)}`] : [];
      });
      const boundary = reached
        ? `row ${live[edge - 1].row + 1}: ${short(strength)} → ${short(live[edge - 1].s)}`
        : '–';
      return line([
        t + 1,
        short(pops[t]),
        short(d),
        removed.join(', ') || '–',
        boundary,
        live.map(name).join(', '),
        weights.join(', '),
        short(read[t][0]),
      ]);
    });
    expect(rowsAfter('forward')).toEqual(expected);
  });

  test('dd and du in the table of the backward pass, and dv below it, are the results of stackBackward', () => {
    const state = code.stackForward(push, pops, value);
    const { dPush, dPop, dValue } = code.stackBackward(push, pops, value, state, value);
    const rows = rowsAfter('backward').map(row => row.split('|').map(cell => cell.trim()));
    expect(rows.map(([, step, , , dd, du]) => [step, dd, du])).toEqual(
      push.map((_, k) => T - 1 - k).map(t => [String(t + 1), short(dPush[t]), short(dPop[t])]),
    );
    expect(text).toContain(`And dv = ${dValue.map(([x]) => short(x)).join(', ')}.`);
  });

  test('the text has the gradients of a sequence of only the first three steps', () => {
    const [d, u, v] = [push, pops, value].map(all => all.slice(0, 3)) as [number[], number[], number[][]];
    const gradients = code.stackBackward(d, u, v, code.stackForward(d, u, v), v);
    const list = (all: number[]): string => all.map(x => short(x + 0)).join(', ');
    expect(text.replaceAll('\n', ' ')).toContain(
      `dd = ${list(gradients.dPush)}, du = ${list(gradients.dPop)} and dv = ${list(gradients.dValue.flat())}:`,
    );
  });
});

describe('the two kinds of ties at which float32 and float64 may differ', () => {
  const f32 = (...x: number[]): Float32Array => Float32Array.from(x);
  /** The gradients of push and pop by the CPU engine, and by the reference from the same float32 numbers. */
  const both = async (push: Float32Array, pops: Float32Array) => {
    const T = push.length;
    const [value, dRead] = [
      f32(...push.keys()).map(t => t + 1),
      f32(...push.keys()).map(t => Number(t === T - 1)),
    ];
    const engine = await createCpuEngine();
    const memory = await engine.memory({ kind: 'stack', B: 1, T, M: 1 });
    const read = memory.forwardSync(push, pops, value);
    const actual = memory.backwardSync(dRead);
    engine.destroy();
    const states = memoryForward('stack', [push, pops], value);
    const truth = memoryBackward('stack', [push, pops], value, states, dRead);
    expect(Math.abs(read[T - 1] - states.read[T - 1])).toBeLessThan(1e-6);
    return [actual, truth];
  };

  test('at the end of a pop the gradient of u differs', async () => {
    // Rows of .3 and .2, a pop of .5 and a push of 0: in float64, 1.5e-8 of the first row is left, and is read.
    const [float32, float64] = await both(f32(0.3, 0.2, 0), f32(0, 0, 0.5));
    expect(float32['dPop'][2]).toBeCloseTo(0);
    expect(float64['dPop'][2]).toBeCloseTo(-1);
    expect(Math.fround(0.3) - (0.5 - Math.fround(0.2))).toBeCloseTo(1.5e-8, 9);
  });

  test('at the end of a read the gradients of pushes differ', async () => {
    const [float32, float64] = await both(f32(0.6, 0.4), f32(0, 0));
    expect(withoutMinusZero(float32['dPush'])).toEqual([1, 2]);
    expect(withoutMinusZero(float64['dPush'])).toEqual([0, 1]);
    expect(Math.fround(0.6) - (1 - Math.fround(0.4))).toBeCloseTo(3e-8, 9);
  });
});

test('the table of costs agrees with the sizes in the code', () => {
  const { slots, undoLog, dStrength } = entriesOf('stack', 8, 1, 1);
  const stored = 8 * slots + 16 * undoLog;
  expect(text).toContain(`slots and log, ${stored} bytes per step and end`);
  // In bytes: 16 for push, pop and their gradients; 16 M for value, read and their gradients.
  expect(text).toContain(`E·(${stored + 4 * dStrength + 16} + 16M)`);
  const T = 65_536;
  const counts = (['stack', 'queue'] as const).map(kind => {
    const { forward, backward } = timeLaunches(profileOf('gpu'), kind, 1, T, 32);
    return `${kind} ${forward.length} and ${backward.length}`;
  });
  expect(text).toContain(`${counts.join(', ')} (T = 65,536)`);
  // Lows and keys each have a tree of minima, which adds 1/32 + 1/32² + … of their size.
  const tree = 1 + 1 / 32 + 1 / 32 ** 2 + 2 / T;
  const heights = 8 * tree + 8 + 4 + 4 * tree;
  expect(text).toContain(`heights, links, keys: ${heights.toFixed(1)} bytes per step`);
  expect(text).toContain(`| ${(heights + 12 + 16).toFixed(1)} + 16M |`);
});

test('figures equal those of bench/figures.ts, and all are shown', async () => {
  const all = Object.entries(figures(code));
  for (const [name, svg] of all) {
    expect(text).toContain(`](images/${name})`);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    await expect(svg).toMatchFileSnapshot(join(ROOT, FOLDER, name));
  }
  expect(text.match(/!\[/g)).toHaveLength(all.length);
});

test('the targets of links exist, and so do the source files that the text names', () => {
  const headings = [...text.matchAll(/^## (.+)$/gm)].map(
    ([, heading]) =>
      `#${heading
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith('http')) continue;
    if (target.startsWith('#')) expect(headings).toContain(target);
    else expect(existsSync(join(ROOT, dirname(DOCUMENT), target)), target).toBe(true);
  }
  let folder = '';
  for (const [, path] of text.matchAll(/`([\w./-]+\.ts)`/g)) {
    if (path.includes('/')) folder = dirname(path);
    const file = path.includes('/') ? path : join(folder, path);
    expect(existsSync(join(ROOT, file)), file).toBe(true);
  }
});
