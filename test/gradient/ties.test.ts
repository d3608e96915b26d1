import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { memoryBackward, memoryForward, ROW_MEMORIES, type RowName } from '../../src/reference/memory.ts';

/**
 * Where two arguments of a max or min are equal, finite differences are meaningless. So this file implements
 * the paper's formulas again, with every sum written in full, in dual numbers x + x'ε whose max and min take the
 * derivative of the left argument. Strengths are quarters, whose sums are exact, so that nearly every step has ties.
 */
interface Dual {
  x: number;
  dx: number;
}

const dual = (x: number, dx = 0): Dual => ({ x, dx });
const ZERO = dual(0);
const ONE = dual(1);
const plus = (a: Dual, b: Dual): Dual => dual(a.x + b.x, a.dx + b.dx);
const minus = (a: Dual, b: Dual): Dual => dual(a.x - b.x, a.dx - b.dx);
const times = (a: Dual, b: Dual): Dual => dual(a.x * b.x, a.dx * b.x + a.x * b.dx);
const max = (left: Dual, right: Dual): Dual => (left.x >= right.x ? left : right);
const min = (left: Dual, right: Dual): Dual => (left.x <= right.x ? left : right);
const sum = (terms: Dual[]): Dual => terms.reduce(plus, ZERO);

/** Σ over the rows above row i; Σ over the rows below it. */
const above = (s: Dual[], i: number): Dual => sum(s.slice(i + 1));
const below = (s: Dual[], i: number): Dual => sum(s.slice(0, i));

type Sum = typeof above;
const popped = (s: Dual[], u: Dual, over: Sum): Dual[] =>
  s.map((si, i) => max(ZERO, minus(si, max(ZERO, minus(u, over(s, i))))));
/**
 * min(s, max(0, room)), except that a row with a total strength of 1 or more before it has no derivative, even if its
 * own strength is 0 (docs/algorithm.md, section 6).
 */
const weight = (si: Dual, room: Dual): Dual => (room.x > 0 ? min(si, room) : ZERO);
const readOf = (s: Dual[], V: Dual[], over: Sum): Dual =>
  sum(s.map((si, i) => times(weight(si, minus(ONE, over(s, i))), V[i])));

/** Reads [T,E] of rows of width 1. push, pop, value are [T,E]. */
const PAPER: Record<RowName, (push: Dual[], pop: Dual[], value: Dual[]) => Dual[]> = {
  stack(push, pop, value) {
    let s: Dual[] = [];
    return push.map((d, t) => {
      s = [...popped(s, pop[t], above), d];
      return readOf(s, value, above);
    });
  },
  queue(push, pop, value) {
    let s: Dual[] = [];
    return push.map((d, t) => {
      s = [...popped(s, pop[t], below), d];
      return readOf(s, value, below);
    });
  },
  deque(push, pop, value) {
    let s: Dual[] = [];
    let V: Dual[] = [];
    const reads: Dual[] = [];
    for (let t = 0; t < push.length; t += 2) {
      const both = popped(popped(s, pop[t], above), pop[t + 1], below);
      s = [push[t + 1], ...both, push[t]];
      V = [value[t + 1], ...V, value[t]];
      reads.push(readOf(s, V, above), readOf(s, V, below));
    }
    return reads;
  },
};

describe.each(['stack', 'queue', 'deque'] as const)('%s', kind => {
  it.each([
    ['quarters', 4],
    ['0 or 1', 1],
  ])('strengths of %s: gradients equal the derivatives of the left arguments exactly', (_, parts) => {
    const T = 7;
    const n = T * ROW_MEMORIES[kind].ends;
    for (let seed = 0; seed < 40; seed++) {
      const rng = new Rng(seed, 105);
      const whole = (low: number, high: number) => Array.from({ length: n }, () => rng.int(low, high));
      const inputs = [whole(0, parts).map(x => x / parts), whole(0, parts).map(x => x / parts), whole(-8, 8)];
      const dRead = whole(-8, 8);
      const [push, pop, value] = inputs;
      const forward = memoryForward(kind, [push, pop], value);
      const { read } = forward;
      const { dPush, dPop, dValue } = memoryBackward(kind, [push, pop], value, forward, dRead);

      const [d, u, v] = inputs.map(all => all.map(x => dual(x)));
      expect([...read]).toEqual(PAPER[kind](d, u, v).map(({ x }) => x));
      /** The derivative of L = Σ dRead · read with respect to number k of input i. */
      const derivative = (i: number, k: number): number => {
        const [d1, u1, v1] = inputs.map((all, j) => all.map((x, l) => dual(x, j === i && l === k ? 1 : 0)));
        return PAPER[kind](d1, u1, v1).reduce((total, { dx }, l) => total + dx * dRead[l], 0);
      };
      [dPush, dPop, dValue].forEach((gradient, i) => {
        // Adding 0 turns −0 into 0: sums in another order may give the other zero.
        expect([...gradient].map(x => x + 0)).toEqual(inputs[i].map((_, k) => derivative(i, k) + 0));
      });
    }
  });
});
