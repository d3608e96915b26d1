import { describe, expect, it } from 'vitest';
import type { Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import {
  rowsOf,
  stackBackward,
  stackForward,
  stackRead,
  stackReadBackward,
  stackStep,
  stackStepBackward,
  zeroRows,
} from '../../src/reference/stack.ts';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, popMargin, readMargin, stackMargin, uniforms } from '../support/margins.ts';

// Away from ties the reads are bilinear in strengths and values, so that central differences have no
// truncation error: a large step is exact but for rounding, 1e-16·|L|/h ≈ 1e-11 with |L| up to 100.
const EXACT = { h: 1e-4, tolerance: 1e-9 };

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

type Range = [low: number, high: number];
const RANGES: Record<string, { push: Range; pop: Range }> = {
  'from 0 to 1': { push: [0, 1], pop: [0, 1] },
  'small: many rows make a read': { push: [0.05, 0.3], pop: [0, 0.2] },
  'near 1: one row makes a read': { push: [0.8, 1], pop: [0, 0.5] },
  'above 1': { push: [0, 3], pop: [0, 3] },
  'large pops: often emptied': { push: [0, 1], pop: [0.5, 2] },
};

describe.each(Object.entries(RANGES))('strengths %s', (_, range) => {
  describe.each([1, 2, 5, 20])('T = %i', T => {
    it.each([1, 3])('M = %i', M => {
      for (const seed of [1, 2, 3]) {
        const at: Tensors = drawAwayFromTies(
          rng =>
            new Map([
              ['push', uniforms(rng, T, ...range.push)],
              ['pop', uniforms(rng, T, ...range.pop)],
            ]),
          drawn => stackMargin(drawn.get('push')!, drawn.get('pop')!),
          { seed },
        );
        const rng = new Rng(seed, 101);
        at.set('value', uniforms(rng, T * M, -1, 1));
        const dRead = uniforms(rng, T * M, -1, 1);
        const run = () => stackForward(at.get('push')!, at.get('pop')!, at.get('value')!);
        const made = stackBackward(at.get('pop')!, at.get('value')!, run().strengths, dRead);
        const gradients = new Map([
          ['push', made.dPush],
          ['pop', made.dPop],
          ['value', made.dValue],
        ]);
        expectGradients(() => dot(run().read, dRead), at, gradients, EXACT);
      }
    });
  });
});

describe('one step alone', () => {
  it.each([0, 1, 2, 7])('stackStep on %i rows', t => {
    const drawn = drawAwayFromTies(
      rng => ({ previous: uniforms(rng, t, 0, 1), u: uniforms(rng, 1, 0, 2), d: uniforms(rng, 1, 0, 1) }),
      ({ previous, u }) => popMargin(previous, u[0]),
    );
    const { previous, u, d } = drawn;
    const ds = uniforms(new Rng(1, 101), t + 1, -1, 1);
    const made = stackStepBackward(previous, u[0], ds);
    expectGradients(
      () => dot(stackStep(previous, d[0], u[0]), ds),
      new Map(Object.entries(drawn)),
      new Map([
        ['previous', made.ds],
        ['u', Float64Array.of(made.du)],
        ['d', Float64Array.of(made.dd)],
      ]),
      EXACT,
    );
  });

  it.each([1, 2, 7])('stackRead of %i rows', n => {
    const M = 3;
    const strengths = drawAwayFromTies(rng => uniforms(rng, n, 0, 0.6), readMargin);
    const rng = new Rng(1, 101);
    const V = uniforms(rng, n * M, -1, 1);
    const dr = uniforms(rng, M, -1, 1);
    const ds = new Float64Array(n);
    const dV = zeroRows(n, M);
    stackReadBackward(strengths, rowsOf(V, n), dr, ds, dV);
    expectGradients(
      () => dot(stackRead(strengths, rowsOf(V, n)), dr),
      new Map([
        ['strengths', strengths],
        ['V', V],
      ]),
      new Map([
        ['strengths', ds],
        ['V', Float64Array.from(dV.flatMap(row => [...row]))],
      ]),
      EXACT,
    );
  });

  it('the Jacobian that a stored copy of the paper misprints', () => {
    // s = [.7, .5], u = .9: ∂s_t[0]/∂s_{t-1} = [1, 1], the row above a row counting as well as itself.
    const made = stackStepBackward(Float64Array.of(0.7, 0.5), 0.9, Float64Array.of(1, 0, 0));
    expect([...made.ds]).toEqual([1, 1]);
    expect(made.du).toBe(-1);
  });
});
