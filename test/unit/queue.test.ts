import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';
import { queue } from '../../src/reference/queue.ts';
import { rowsOf, zeroRows } from '../../src/reference/rows.ts';

const f64 = (...x: number[]): Float64Array => Float64Array.from(x);

describe('a queue by hand', () => {
  const push = [0.75, 0.5, 1];
  const pop = [0, 0.25, 0.75];

  it('strengths: the oldest rows are popped first', () => {
    const { strengths } = memoryForward('queue', [push, pop], [1, 2, 3]);
    expect(strengths.map(s => [...s])).toEqual([[0.75], [0.5, 0.5], [0, 0.25, 1]]);
  });

  it('reads: one unit, from the oldest rows on', () => {
    const { read } = memoryForward('queue', [push, pop], [1, 2, 3]);
    expect([...read]).toEqual([0.75, 0.5 + 2 * 0.5, 0.25 * 2 + 0.75 * 3]);
  });

  it('gradients of L = r1 + 2·r2 + 3·r3', () => {
    const value = [1, 2, 3];
    const forward = memoryForward('queue', [push, pop], value);
    const { dPush, dPop, dValue } = memoryBackward('queue', [push, pop], value, forward, [1, 2, 3]);
    expect([...dValue]).toEqual([0.75 + 2 * 0.5, 2 * 0.5 + 3 * 0.25, 3 * 0.75]);
    // Step 3: row 2 is read in part, so ds of row 1 is 3·(2 − 3). The pop passes it to rows 0 and 1, and +3 to u.
    // Step 2: both rows are read whole: ds = 2·1 − 3, 2·2 − 3; row 0 is the boundary: du = 1. Step 1: ds = 1 − 1.
    expect([...dPush]).toEqual([0, 1, 0]);
    expect([...dPop]).toEqual([0, 1, 3]);
  });
});

/** One read of scalar rows with dr = 1: the weights (which equal dV), and ds. */
function read(strengths: number[], values: number[]): { weights: number[]; ds: number[] } {
  const ds = new Float64Array(strengths.length);
  const dV = zeroRows(strengths.length, 1);
  queue.readBackward(Float64Array.from(strengths), rowsOf(values, values.length), f64(1), ds, dV);
  return { weights: dV.map(row => row[0]), ds: [...ds] };
}

/** One pop and its backward pass, with ds = 7, 11, 13 … for the old rows and 5 for the new one. */
function pop(previous: number[], u: number): { s: number[]; ds: number[]; dd: number; du: number } {
  const before = Float64Array.from(previous);
  const dStrengths = f64(...[7, 11, 13].slice(0, previous.length), 5);
  const { ds, dd, du } = queue.stepBackward(before, [u], dStrengths);
  return { s: [...queue.step(before, [1], [u])], ds: [...ds], dd: dd[0], du: du[0] };
}

describe('ties take the left argument', () => {
  it('a row whose strength equals what is left to read is read whole', () => {
    expect(read([0.5, 0.5], [3, 2])).toEqual({ weights: [0.5, 0.5], ds: [3, 2] });
  });
  it('a row with s = 1 at the bottom is read whole, and no gradient reaches the rows above', () => {
    expect(read([1, 0.5], [3, 2])).toEqual({ weights: [1, 0], ds: [3, 0] });
  });
  it('no tie: a row read in part passes a gradient to every row below it', () => {
    expect(read([0.25, 0.5, 1], [4, 3, 2])).toEqual({ weights: [0.25, 0.5, 0.25], ds: [2, 1, 0] });
  });
  it('a row with s = what is left to pop is removed, and passes no gradient', () => {
    expect(pop([0.5, 0.75], 0.5)).toEqual({ s: [0, 0.75, 1], ds: [0, 11], dd: 5, du: 0 });
  });
  it('a boundary row that loses exactly 0 passes no gradient to u or to the rows removed below it', () => {
    expect(pop([0.5, 0.25, 1], 0.75)).toEqual({ s: [0, 0, 1, 1], ds: [0, 0, 13], dd: 5, du: 0 });
  });
  it('no tie: the boundary row passes its gradient to u and to the rows removed below it', () => {
    expect(pop([0.5, 0.25, 1], 1)).toEqual({ s: [0, 0, 0.75, 1], ds: [13, 13, 13], dd: 5, du: -13 });
  });
  it('a memory that is empty, or becomes empty: no gradient passes', () => {
    expect(pop([], 0.5)).toEqual({ s: [1], ds: [], dd: 5, du: 0 });
    for (const u of [1, 0.75]) {
      expect(pop([0.5, 0.25], u)).toEqual({ s: [0, 0, 1], ds: [0, 0], dd: 5, du: 0 });
    }
  });
});

describe('strengths that are multiples of ¼, whose sums are exact', () => {
  const quarters = (rng: Rng, T: number) => Array.from({ length: T }, () => rng.int(0, 4) / 4);
  const sum = (x: Iterable<number>) => [...x].reduce((a, b) => a + b, 0);

  it('a pop takes min(u, the total), and the weights of a read sum to min(1, the total)', () => {
    const T = 40;
    for (let seed = 0; seed < 20; seed++) {
      const rng = new Rng(seed, 103);
      const [push, u] = [quarters(rng, T), quarters(rng, T)];
      const { read, strengths } = memoryForward('queue', [push, u], new Array(T).fill(1));
      let before = 0;
      strengths.forEach((s, t) => {
        expect(s).toHaveLength(t + 1);
        expect(sum(s)).toBe(before - Math.min(u[t], before) + push[t]);
        before = sum(s);
        expect(read[t]).toBe(Math.min(1, before));
      });
    }
  });

  it('with strengths 0 and 1 it is a queue of symbols', () => {
    const T = 30;
    const rng = new Rng(5, 103);
    const [push, u] = [0, 1].map(() => Array.from({ length: T }, () => rng.int(0, 1)));
    const value = Array.from({ length: T }, (_, t) => t + 1);
    const { read } = memoryForward('queue', [push, u], value);
    const symbols: number[] = [];
    for (let t = 0; t < T; t++) {
      if (u[t]) symbols.shift();
      if (push[t]) symbols.push(value[t]);
      expect(read[t]).toBe(symbols[0] ?? 0);
    }
  });

  it('the whole sequence equals its steps', () => {
    const [T, M] = [12, 2];
    const rng = new Rng(7, 103);
    const [push, u] = [quarters(rng, T), quarters(rng, T)];
    const value = Float64Array.from({ length: T * M }, () => rng.normal());
    const { read, strengths } = memoryForward('queue', [push, u], value);
    let s: Float64Array = new Float64Array(0);
    const rows: Float64Array[] = [];
    for (let t = 0; t < T; t++) {
      rows.push(value.slice(t * M, (t + 1) * M));
      s = queue.step(s, [push[t]], [u[t]]);
      expect([...strengths[t]]).toEqual([...s]);
      expect([...read.slice(t * M, (t + 1) * M)]).toEqual([...queue.read(s, rows)]);
    }
  });
});
