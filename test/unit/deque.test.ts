import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { deque } from '../../src/reference/deque.ts';
import { memoryForward } from '../../src/reference/memory.ts';
import { rowsOf, zeroRows } from '../../src/reference/rows.ts';

const f64 = (...x: number[]): Float64Array => Float64Array.from(x);

describe('a deque by hand: end 0 is the top, end 1 the bottom; rows go from bottom to top', () => {
  it('pushes at both ends', () => {
    const { strengths, read } = memoryForward(
      'deque',
      [
        [0.75, 0.5, 0.25, 1],
        [0, 0, 0, 0],
      ],
      [1, 2, 3, 4],
    );
    expect(strengths.map(s => [...s])).toEqual([
      [0.5, 0.75],
      [1, 0.5, 0.75, 0.25],
    ]);
    // t = 0: ¾·1 + ¼·2 from the top, ½·2 + ½·1 from the bottom. t = 1: ¼·3 + ¾·1 from the top, 1·4 from the bottom.
    expect([...read]).toEqual([1.25, 1.5, 1.5, 4]);
  });

  it('pops at the top first, then pops at the bottom what is left', () => {
    // The top pop takes all of row 2 and strength ½ of row 1; the bottom pop finds rows of ½ and ¼.
    expect([...deque.step(f64(0.5, 0.75, 0.25), f64(1, 0), f64(0.75, 0.625))]).toEqual([0, 0, 0.125, 0, 1]);
    // The bottom pop may empty the deque, and then stops.
    expect([...deque.step(f64(0.5, 0.75, 0.25), f64(1, 0), f64(0.75, 2))]).toEqual([0, 0, 0, 0, 1]);
    // What the top pop could not take is not added to the bottom pop.
    expect([...deque.step(f64(0.5), f64(0.25, 0.75), f64(0.75, 0))]).toEqual([0.75, 0, 0.25]);
  });

  it('reads from both ends may take parts of the same row', () => {
    expect([...deque.read(f64(0.75, 0.5), [f64(2), f64(3)])]).toEqual([
      0.5 * 3 + 0.5 * 2,
      0.75 * 2 + 0.25 * 3,
    ]);
  });

  it('two pops that reach the same row both get its gradient', () => {
    const previous = f64(0.5, 1, 0.25);
    const u = f64(0.5, 0.75);
    expect([...deque.step(previous, f64(1, 1), u)]).toEqual([1, 0, 0.5, 0, 1]);
    // Row 1 loses ¼ to the top pop, because row 2 is removed, and ¼ to the bottom pop, because row 0 is.
    const { ds, dd, du } = deque.stepBackward(previous, u, f64(3, 7, 11, 13, 5));
    expect([...ds]).toEqual([11, 11, 11]);
    expect([...dd]).toEqual([5, 3]);
    expect([...du]).toEqual([-11, -11]);
  });
});

describe('ties take the left argument', () => {
  it('a read at either end: a row whose strength equals what is left to read is read whole', () => {
    const read = (...dr: [number, number]) => {
      const ds = new Float64Array(3);
      deque.readBackward(f64(0.5, 0.5, 0.5), rowsOf([2, 3, 4], 3), f64(...dr), ds, zeroRows(3, 1));
      return [...ds];
    };
    expect(read(1, 0)).toEqual([0, 3, 4]);
    expect(read(0, 1)).toEqual([2, 3, 0]);
  });
  it('a row at which both pops end exactly: neither pop has a gradient', () => {
    // The top pop ends exactly between rows 2 and 1, the bottom pop between rows 0 and 1. So u has no gradient.
    const { ds, du } = deque.stepBackward(f64(0.5, 1, 0.25), f64(0.25, 0.5), f64(3, 7, 11, 13, 5));
    expect([...ds]).toEqual([0, 11, 0]);
    expect([...du]).toEqual([0, 0]);
  });
  it('two pops that empty the deque: no gradient passes', () => {
    const { ds, du } = deque.stepBackward(f64(0.5, 0.5), f64(0.5, 0.5), f64(3, 7, 11, 5));
    expect([...ds]).toEqual([0, 0]);
    expect([...du]).toEqual([0, 0]);
  });
});

describe('whole sequences', () => {
  it('with strengths 0 and 1 it is a deque of symbols', () => {
    const T = 40;
    const rng = new Rng(5, 103);
    const [push, pop] = [0, 1].map(() => Array.from({ length: 2 * T }, () => rng.int(0, 1)));
    const value = Array.from({ length: 2 * T }, (_, n) => n + 1);
    const { read } = memoryForward('deque', [push, pop], value);
    const symbols: number[] = [];
    for (let t = 0; t < T; t++) {
      if (pop[2 * t]) symbols.pop();
      if (pop[2 * t + 1]) symbols.shift();
      if (push[2 * t]) symbols.push(value[2 * t]);
      if (push[2 * t + 1]) symbols.unshift(value[2 * t + 1]);
      expect([...read.slice(2 * t, 2 * t + 2)]).toEqual([symbols.at(-1) ?? 0, symbols[0] ?? 0]);
    }
  });

  it('with multiples of ¼, pops take min(u, what is left), and the weights of a read sum to min(1, the total)', () => {
    const T = 30;
    for (let seed = 0; seed < 20; seed++) {
      const rng = new Rng(seed, 103);
      const [push, u] = [0, 1].map(() => Array.from({ length: 2 * T }, () => rng.int(0, 4) / 4));
      const { read, strengths } = memoryForward('deque', [push, u], new Array(2 * T).fill(1));
      let all = 0;
      strengths.forEach((s, t) => {
        expect(s).toHaveLength(2 * (t + 1));
        for (const e of [0, 1]) all -= Math.min(u[2 * t + e], all);
        all += push[2 * t] + push[2 * t + 1];
        expect(s.reduce((sum, x) => sum + x, 0)).toBe(all);
        expect([...read.slice(2 * t, 2 * t + 2)]).toEqual([Math.min(1, all), Math.min(1, all)]);
      });
    }
  });

  it('a sequence equals its steps', () => {
    const [T, M] = [12, 2];
    const rng = new Rng(7, 103);
    const [push, u] = [0, 1].map(() => Float64Array.from({ length: 2 * T }, () => rng.uniform()));
    const value = Float64Array.from({ length: 2 * T * M }, () => rng.normal());
    const { read, strengths } = memoryForward('deque', [push, u], value);
    let s: Float64Array = new Float64Array(0);
    let rows: Float64Array[] = [];
    for (let t = 0; t < T; t++) {
      const [top, bottom] = rowsOf(value.slice(2 * t * M, 2 * (t + 1) * M), 2);
      rows = [bottom, ...rows, top];
      s = deque.step(s, push.slice(2 * t, 2 * t + 2), u.slice(2 * t, 2 * t + 2));
      expect([...strengths[t]]).toEqual([...s]);
      expect([...read.slice(2 * t * M, 2 * (t + 1) * M)]).toEqual([...deque.read(s, rows)]);
    }
  });
});
