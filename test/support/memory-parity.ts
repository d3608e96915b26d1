import { endsOf } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import type { MemoryShape } from '../../src/engine/engine.ts';
import { gpuMemory } from '../../src/engine/gpu-memory.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { MemoryForm } from '../../src/kernels/memory.ts';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/**
 * The memory kernel against the reference, in Node and in a browser.
 *
 * TOLERANCE is 1e-5 of the largest number of a tensor. float32 rounds at 6e-8; a read sums up to T/10 rows, a
 * gradient up to M products, so a few hundred roundings of either sign stay below it.
 *
 * Strengths are multiples of 2^-14, so that float32 computes all their sums exactly and takes every max and min
 * as float64 does: the gradient jumps there, and no tolerance could bridge a branch taken the other way.
 */
export const TOLERANCE = 1e-5;

export const RANGES: Record<string, (rng: Rng) => number> = {
  'near 0': rng => rng.int(0, 300) / 2 ** 14,
  uniform: rng => rng.int(0, 2 ** 14) / 2 ** 14,
  'near 1': rng => (2 ** 14 - rng.int(0, 300)) / 2 ** 14,
  '0 or 1': rng => rng.int(0, 1),
};

export const KINDS = ['stack', 'queue', 'deque'] as const;

export const FORMS: MemoryForm[] = [
  { form: 'lane', size: 8, subgroups: false },
  { form: 'block', size: 32, subgroups: false },
  { form: 'block', size: 32, subgroups: true },
];

/** Different sequences in a batch; the batch repeats them, since the reference is slow. */
const DISTINCT = 3;

export const nameOf = ({ form, subgroups }: MemoryForm): string =>
  form + (subgroups ? ' with subgroups' : '');

/** Largest difference over largest number. */
function largestDifference(actual: Float32Array, expected: (k: number) => number): number {
  let difference = 0;
  let largest = 0;
  actual.forEach((x, k) => {
    const e = expected(k);
    difference = Math.max(difference, Number.isFinite(x) ? Math.abs(x - e) : Infinity);
    largest = Math.max(largest, Math.abs(e));
  });
  return difference === 0 ? 0 : difference / largest;
}

/** Largest relative difference of each tensor of a forward and backward pass; strengths absolutely. */
export async function compareMemory(
  gpu: Gpu,
  shape: MemoryShape,
  form: MemoryForm,
  range: string,
): Promise<Record<string, number>> {
  const { kind, B, T, M } = shape;
  const E = endsOf(kind);
  const rng = new Rng(1, T, M);
  const make = (width: number, draw: () => number): Float32Array => {
    const all = new Float32Array(B * T * E * width);
    const one = Float32Array.from({ length: Math.min(B, DISTINCT) * T * E * width }, draw);
    for (let at = 0; at < all.length; at += one.length) all.set(one.subarray(0, all.length - at), at);
    return all;
  };
  const push = make(1, () => RANGES[range](rng));
  const pop = make(1, () => RANGES[range](rng));
  const value = make(M, () => 2 * rng.uniform() - 1);
  const dRead = make(M, () => 2 * rng.uniform() - 1);

  const memory = await gpuMemory(gpu, shape, undefined, form);
  const read = await memory.forward(push, pop, value);
  // T·T/2 numbers a sequence: too many for the large batch.
  const strengths = B <= 7 ? await memory.strengths() : [];
  const gradients = await memory.backward(dRead);
  memory.destroy();

  const truth = Array.from({ length: Math.min(B, DISTINCT) }, (_, b) => {
    const of = (all: Float32Array, width: number): Float32Array =>
      all.subarray(b * T * E * width, (b + 1) * T * E * width);
    const inputs = [of(push, 1), of(pop, 1), of(value, M)] as const;
    const forward = memoryForward(kind, ...inputs);
    return { ...forward, ...memoryBackward(kind, ...inputs, forward.strengths, of(dRead, M)) };
  });
  const against = (actual: Float32Array, name: 'read' | 'dPush' | 'dPop' | 'dValue', width: number): number =>
    largestDifference(actual, k => {
      const b = Math.floor(k / (T * E * width));
      return truth[b % DISTINCT][name][k - b * T * E * width];
    });
  let strength = 0;
  for (const [b, steps] of strengths.entries()) {
    const expected = truth[b % DISTINCT].strengths;
    for (const [t, row] of steps.entries()) {
      for (const [i, s] of row.entries()) strength = Math.max(strength, Math.abs(s - expected[t][i]));
    }
  }
  return {
    read: against(read, 'read', M),
    strength,
    dPush: against(gradients.dPush, 'dPush', 1),
    dPop: against(gradients.dPop, 'dPop', 1),
    dValue: against(gradients.dValue, 'dValue', M),
  };
}
