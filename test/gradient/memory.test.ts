import { describe, expect, it } from 'vitest';
import { endsOf, gradientName, MEMORY_NAMES, memoryKind } from '../../src/base/memories.ts';
import type { Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { type End, pop, popBackward, read, readBackward } from '../../src/reference/ends.ts';
import { memoryBackward, memoryForward, ROW_MEMORIES, type RowName } from '../../src/reference/memory.ts';
import { rowsOf, zeroRows } from '../../src/reference/rows.ts';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, memoryMargin, popMargin, readMargin, uniforms } from '../support/margins.ts';

// Away from ties the reads are bilinear in strengths and values, so central differences have no
// truncation error. A large step is exact except for rounding, 1e-16·|L|/h ≈ 1e-10 with |L| up to 100.
const EXACT = { h: 1e-4, tolerance: 1e-9 };

const KINDS: RowName[] = ['stack', 'queue', 'deque'];
const ENDS: End[] = ['top', 'bottom'];

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

type Range = [low: number, high: number];
const RANGES: Record<string, { push: Range; pop: Range }> = {
  'from 0 to 1': { push: [0, 1], pop: [0, 1] },
  'small: a read takes many rows': { push: [0.05, 0.3], pop: [0, 0.2] },
  'near 1: a read takes one row': { push: [0.8, 1], pop: [0, 0.5] },
  'above 1': { push: [0, 3], pop: [0, 3] },
  'large pops: often emptied': { push: [0, 1], pop: [0.5, 2] },
};

describe.each(MEMORY_NAMES)('%s', kind => {
  const E = endsOf(kind);
  const names = memoryKind(kind).controls.map(({ name }) => name);
  const scale = memoryKind(kind).activation === 'softmax' ? 9 : 1;
  describe.each(Object.entries(RANGES))('strengths %s', (_, range) => {
    describe.each([1, 2, 5, 20])('T = %i', T => {
      it.each([1, 3])('M = %i', M => {
        for (const seed of [1, 2, 3]) {
          const at: Tensors = drawAwayFromTies(
            rng =>
              new Map(
                names.map(name => [
                  name,
                  // Shares of a softmax: with larger ones the memory would grow without bound.
                  uniforms(rng, T * E, ...(name === 'pop' ? range.pop : range.push)).map(x => x / scale),
                ]),
              ),
            // A kind without rows has no branches.
            drawn =>
              kind in ROW_MEMORIES
                ? memoryMargin(kind as RowName, drawn.get('push')!, drawn.get('pop')!)
                : Infinity,
            { seed },
          );
          const rng = new Rng(seed, 101);
          at.set('value', uniforms(rng, T * E * M, -1, 1));
          const dRead = uniforms(rng, T * E * M, -1, 1);
          const controls = names.map(name => at.get(name)!);
          const value = at.get('value')!;
          const run = () => memoryForward(kind, controls, value);
          const backward = memoryBackward(kind, controls, value, run(), dRead);
          const gradients = new Map([...names, 'value'].map(name => [name, backward[gradientName(name)]]));
          expectGradients(() => dot(run().read, dRead), at, gradients, EXACT);
        }
      });
    });
  });
});

describe.each(['superposition', 'tape'] as const)('gradients of a %s that reads several cells', kind => {
  it.each([
    [1, 1],
    [2, 2],
    [5, 3],
    [5, 5],
  ])('of %i cells, %i are read', (depth, reads) => {
    const [T, M] = [9, 2];
    const rng = new Rng(depth, 101);
    const names = memoryKind(kind).controls.map(({ name }) => name);
    const at: Tensors = new Map([...names.map(name => [name, uniforms(rng, T, 0, 0.3)] as const)]);
    at.set('value', uniforms(rng, T * M, -1, 1));
    const dRead = uniforms(rng, T * reads * M, -1, 1);
    const controls = names.map(name => at.get(name)!);
    const run = () => memoryForward(kind, controls, at.get('value')!, depth, reads);
    const backward = memoryBackward(kind, controls, at.get('value')!, run(), dRead, depth);
    const gradients = new Map([...names, 'value'].map(name => [name, backward[gradientName(name)]]));
    expectGradients(() => dot(run().read, dRead), at, gradients, EXACT);
  });
});

describe.each(KINDS)('%s', kind => {
  const E = ROW_MEMORIES[kind].ends;
  it.each([0, 1, 2, 7])('one step by itself, after %i steps', t => {
    const memory = ROW_MEMORIES[kind];
    const drawn = drawAwayFromTies(
      rng => ({ previous: uniforms(rng, t * E, 0, 1), u: uniforms(rng, E, 0, 2), d: uniforms(rng, E, 0, 1) }),
      // For a deque also the margin of the second pop, on the strengths that the first pop left.
      ({ previous, u }) =>
        kind === 'queue'
          ? popMargin(previous, u[0], 'bottom')
          : Math.min(
              popMargin(previous, u[0], 'top'),
              kind === 'deque' ? popMargin(pop(previous, u[0], 'top'), u[1], 'bottom') : Infinity,
            ),
    );
    const { previous, u, d } = drawn;
    const ds = uniforms(new Rng(1, 101), (t + 1) * E, -1, 1);
    const gradients = memory.stepBackward(previous, u, ds);
    expectGradients(
      () => dot(memory.step(previous, d, u), ds),
      new Map(Object.entries(drawn)),
      new Map([
        ['previous', gradients.ds],
        ['u', gradients.du],
        ['d', gradients.dd],
      ]),
      EXACT,
    );
  });

  it.each([1, 2, 7])('a read after %i steps', t => {
    const [M, n] = [3, t * E];
    const memory = ROW_MEMORIES[kind];
    const strengths = drawAwayFromTies(
      rng => uniforms(rng, n, 0, 0.6),
      s => Math.min(readMargin(s, 'top'), readMargin(s, 'bottom')),
    );
    const rng = new Rng(1, 101);
    const V = uniforms(rng, n * M, -1, 1);
    const dr = uniforms(rng, E * M, -1, 1);
    const ds = new Float64Array(n);
    const dV = zeroRows(n, M);
    memory.readBackward(strengths, rowsOf(V, n), dr, ds, dV);
    expectGradients(
      () => dot(memory.read(strengths, rowsOf(V, n)), dr),
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
});

describe.each(ENDS)('only the %s end', end => {
  it('pops', () => {
    const drawn = drawAwayFromTies(
      rng => ({ previous: uniforms(rng, 9, 0, 1), u: uniforms(rng, 1, 1, 3) }),
      ({ previous, u }) => popMargin(previous, u[0], end),
    );
    const { previous, u } = drawn;
    const ds = uniforms(new Rng(1, 101), 9, -1, 1);
    const gradients = popBackward(previous, u[0], ds, end);
    expectGradients(
      () => dot(pop(previous, u[0], end), ds),
      new Map(Object.entries(drawn)),
      new Map([
        ['previous', gradients.dPrevious],
        ['u', Float64Array.of(gradients.du)],
      ]),
      EXACT,
    );
  });

  it('reads', () => {
    const strengths = drawAwayFromTies(
      rng => uniforms(rng, 9, 0, 0.6),
      s => readMargin(s, end),
    );
    const V = rowsOf(uniforms(new Rng(1, 101), 27, -1, 1), 9);
    const dr = uniforms(new Rng(2, 101), 3, -1, 1);
    const ds = new Float64Array(9);
    readBackward(strengths, V, dr, ds, zeroRows(9, 3), end);
    const at = new Map([['strengths', strengths]]);
    expectGradients(() => dot(read(strengths, V, end), dr), at, new Map([['strengths', ds]]), EXACT);
  });
});

describe('special cases of a deque', () => {
  const [T, M] = [15, 2];
  const rng = new Rng(3, 101);
  const single = {
    push: uniforms(rng, T, 0, 1),
    pop: uniforms(rng, T, 0, 1),
    value: uniforms(rng, T * M, -1, 1),
    dRead: uniforms(rng, T * M, -1, 1),
  };
  /** [T,width] → [T,2,width]: at end `e`, with zeros at the other end. */
  const at = (e: number, flat: Float64Array, width = 1): Float64Array => {
    const padded = new Float64Array(2 * flat.length);
    for (let t = 0; t < T; t++) padded.set(flat.subarray(t * width, (t + 1) * width), (2 * t + e) * width);
    return padded;
  };
  /** The inverse: end `e` of [T,2,width]. */
  const of = (e: number, flat: Float64Array, width = 1): number[] =>
    Array.from({ length: T }, (_, t) => [
      ...flat.subarray((2 * t + e) * width, (2 * t + e + 1) * width),
    ]).flat();

  it.each([
    ['stack', 0],
    ['queue', 1],
  ] as const)('equals a %s exactly if it is pushed at the top, and popped and read at end %i', (kind, e) => {
    const { push, pop: pops, value, dRead } = single;
    const alone = memoryForward(kind, [push, pops], value);
    const gradients = memoryBackward(kind, [push, pops], value, alone, dRead);

    const both = { push: at(0, push), pop: at(e, pops), value: at(0, value, M), dRead: at(e, dRead, M) };
    const forward = memoryForward('deque', [both.push, both.pop], both.value);
    expect(of(e, forward.read, M)).toEqual([...alone.read]);
    forward.strengths.forEach((s, t) => {
      expect([...s.subarray(0, t + 1)]).toEqual(new Array(t + 1).fill(0));
      expect([...s.subarray(t + 1)]).toEqual([...alone.strengths[t]]);
    });
    const back = memoryBackward('deque', [both.push, both.pop], both.value, forward, both.dRead);
    expect(of(0, back.dPush)).toEqual([...gradients.dPush]);
    expect(of(e, back.dPop)).toEqual([...gradients.dPop]);
    expect(of(0, back.dValue, M)).toEqual([...gradients.dValue]);
    expect(of(1, back.dValue, M)).toEqual(new Array(T * M).fill(0));
  });

  it('gives the same with its two ends exchanged', () => {
    const otherRng = new Rng(4, 101);
    const [push, pops] = [uniforms(otherRng, T * 2, 0, 1), uniforms(otherRng, T * 2, 0, 1)];
    // Only one end is popped per step, so the order of the pops does not matter.
    for (let t = 0; t < T; t++) pops[2 * t + (t % 2)] = 0;
    const value = uniforms(otherRng, T * 2 * M, -1, 1);
    const turned = (flat: Float64Array, width = 1): Float64Array => {
      const [top, bottom] = [0, 1].map(e => Float64Array.from(of(e, flat, width)));
      return at(0, bottom, width).map((x, n) => x + at(1, top, width)[n]);
    };
    const upright = memoryForward('deque', [push, pops], value);
    const flipped = memoryForward('deque', [turned(push), turned(pops)], turned(value, M));
    expect([...turned(flipped.read, M)]).toEqual([...upright.read]);
    flipped.strengths.forEach((s, t) => {
      expect([...s.toReversed()]).toEqual([...upright.strengths[t]]);
    });
  });
});

describe('one step by hand', () => {
  it('the Jacobian that one version of the paper misprints', () => {
    // s = [.7, .5], u = .9: ∂s_t[0]/∂s_{t-1} = [1, 1], because s_t[0] = s[0] + s[1] − u here.
    const gradients = popBackward(Float64Array.of(0.7, 0.5), 0.9, Float64Array.of(1, 0), 'top');
    expect([...gradients.dPrevious]).toEqual([1, 1]);
    expect(gradients.du).toBe(-1);
  });
});
