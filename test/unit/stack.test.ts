import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';
import { zeroRows } from '../../src/reference/rows.ts';
import { stack } from '../../src/reference/stack.ts';

const f64 = (...x: number[]): Float64Array => Float64Array.from(x);

describe("the paper's Figure 1a", () => {
  const push = [0.8, 0.5, 0.9];
  const pop = [0, 0.1, 0.9];

  it('strengths', () => {
    const { strengths } = memoryForward('stack', [push, pop], [1, 2, 3]);
    const expected = [[0.8], [0.7, 0.5], [0.3, 0, 0.9]];
    expected.forEach((row, t) => {
      expect(strengths[t]).toHaveLength(row.length);
      row.forEach((s, i) => {
        expect(strengths[t][i]).toBeCloseTo(s, 15);
      });
    });
    expect(strengths[2][1]).toBe(0);
  });

  it('reads, with rows of the identity as values: 0.8·v1; 0.5·v1 + 0.5·v2; 0.1·v1 + 0·v2 + 0.9·v3', () => {
    const { read } = memoryForward('stack', [push, pop], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    [0.8, 0, 0, 0.5, 0.5, 0, 0.1, 0, 0.9].forEach((r, n) => {
      expect(read[n]).toBeCloseTo(r, 15);
    });
  });

  it('gradients of L = r1 + 2·r2 + 3·r3', () => {
    const value = [1, 2, 3];
    const forward = memoryForward('stack', [push, pop], value);
    const { dPush, dPop, dValue } = memoryBackward('stack', [push, pop], value, forward, [1, 2, 3]);
    [2.1, 1, 2.7].forEach((dv, t) => {
      expect(dValue[t]).toBeCloseTo(dv, 14);
    });
    expect([...dPop]).toEqual([0, 0, 0]);
    [1, 2, 6].forEach((dd, t) => {
      expect(dPush[t]).toBeCloseTo(dd, 14);
    });
  });
});

/** One read of scalar rows with dr = 1: the weights (which equal dV), and ds. */
function read(strengths: number[], values: number[]): { weights: number[]; ds: number[] } {
  const ds = new Float64Array(strengths.length);
  const dV = zeroRows(strengths.length, 1);
  const rows = values.map(v => f64(v));
  stack.readBackward(Float64Array.from(strengths), rows, f64(1), ds, dV);
  return { weights: dV.map(row => row[0]), ds: [...ds] };
}

/** One pop and its backward pass, with ds = 7, 11, 13 … for the old rows and 5 for the new one. */
function pop(previous: number[], u: number, d = 1): { s: number[]; ds: number[]; dd: number; du: number } {
  const before = Float64Array.from(previous);
  const dStrengths = f64(...[7, 11, 13, 17].slice(0, previous.length), 5);
  const { ds, dd, du } = stack.stepBackward(before, [u], dStrengths);
  return { s: [...stack.step(before, [d], [u])], ds: [...ds], dd: dd[0], du: du[0] };
}

describe('ties take the left argument', () => {
  it('a row whose strength equals what is left to read is read whole', () => {
    // Row 0: min(½, max(0, 1 − ½)): the left argument is s, so ds[0] = v[0], and the row above gets no gradient for it.
    expect(read([0.5, 0.5], [2, 3])).toEqual({ weights: [0.5, 0.5], ds: [2, 3] });
  });
  it('a row with s = 1 on top is read whole, and no gradient reaches the rows below', () => {
    // Row 0: min(½, max(0, 1 − 1)): the right argument of min, then the left of max, the constant 0.
    expect(read([0.5, 1], [2, 3])).toEqual({ weights: [0, 1], ds: [0, 3] });
  });
  it('no tie: a row read in part passes a gradient to every row above it', () => {
    // Row 0: min(1, 1 − ¾) = ¼: ds[1] and ds[2] lose v[0] = 2.
    expect(read([1, 0.5, 0.25], [2, 3, 4])).toEqual({ weights: [0.25, 0.5, 0.25], ds: [0, 1, 2] });
  });

  it('a row with s = what is left to pop is removed, and passes no gradient', () => {
    // Row 1: max(0, ½ − ½) is the constant 0. Row 0: max(0, u − ½) as well, so it loses exactly 0.
    expect(pop([0.75, 0.5], 0.5)).toEqual({ s: [0.75, 0, 1], ds: [7, 0], dd: 5, du: 0 });
  });
  it('a boundary row that loses exactly 0 passes no gradient to u or to the rows removed above it', () => {
    expect(pop([1, 0.25, 0.5], 0.75)).toEqual({ s: [1, 0, 0, 1], ds: [7, 0, 0], dd: 5, du: 0 });
  });
  it('no tie: the boundary row passes its gradient to u and to the rows removed above it', () => {
    expect(pop([1, 0.25, 0.5], 1)).toEqual({ s: [0.75, 0, 0, 1], ds: [7, 7, 7], dd: 5, du: -7 });
    expect(pop([0.5, 1, 0.5], 0.75)).toEqual({ s: [0.5, 0.75, 0, 1], ds: [7, 11, 11], dd: 5, du: -11 });
  });

  it('d = 0: the new row has weight 0, but d has the gradient of a row read whole', () => {
    expect(read([0.5, 0], [2, 3])).toEqual({ weights: [0.5, 0], ds: [2, 3] });
    expect(pop([0.5], 0, 0)).toEqual({ s: [0.5, 0], ds: [7], dd: 5, du: 0 });
  });
  it('d = 0: at later steps the row of strength 0 passes no gradient', () => {
    expect(pop([0.5, 0], 0)).toEqual({ s: [0.5, 0, 1], ds: [7, 0], dd: 5, du: 0 });
    expect(pop([0.5, 0], 0.25)).toEqual({ s: [0.25, 0, 1], ds: [7, 7], dd: 5, du: -7 });
  });
  it('u = 0: no row is reached, so u has no gradient', () => {
    expect(pop([0.5, 1], 0)).toEqual({ s: [0.5, 1, 1], ds: [7, 11], dd: 5, du: 0 });
  });
  it('an empty memory: u has no gradient', () => {
    expect(pop([], 0.5)).toEqual({ s: [1], ds: [], dd: 5, du: 0 });
    expect(pop([], 0)).toEqual({ s: [1], ds: [], dd: 5, du: 0 });
  });
  it('a memory that becomes empty, with or without pop strength left: no gradient passes', () => {
    for (const u of [1, 0.75]) {
      expect(pop([0.25, 0.5], u)).toEqual({ s: [0, 0, 1], ds: [0, 0], dd: 5, du: 0 });
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
      const ones = new Array(T).fill(1);
      const { read, strengths } = memoryForward('stack', [push, u], ones);
      let before = 0;
      strengths.forEach((s, t) => {
        expect(s).toHaveLength(t + 1);
        expect(sum(s)).toBe(before - Math.min(u[t], before) + push[t]);
        before = sum(s);
        expect(read[t]).toBe(Math.min(1, before));
      });
    }
  });

  it('the whole sequence equals its steps', () => {
    const [T, M] = [12, 2];
    const rng = new Rng(7, 103);
    const [push, u] = [quarters(rng, T), quarters(rng, T)];
    const value = Float64Array.from({ length: T * M }, () => rng.normal());
    const { read, strengths } = memoryForward('stack', [push, u], value);
    let s: Float64Array = new Float64Array(0);
    const rows: Float64Array[] = [];
    for (let t = 0; t < T; t++) {
      rows.push(value.slice(t * M, (t + 1) * M));
      s = stack.step(s, [push[t]], [u[t]]);
      expect([...strengths[t]]).toEqual([...s]);
      expect([...read.slice(t * M, (t + 1) * M)]).toEqual([...stack.read(s, rows)]);
    }
  });
});
