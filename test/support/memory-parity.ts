import type { MemoryName } from '../../src/base/memories.ts';
import { endsOf, MEMORY_NAMES, memoryKind, readsOf } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type MemoryReads, memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/**
 * Compares a memory of an engine with the reference, in Node and in a browser.
 *
 * TOLERANCE is 1e-5 of the largest number of a tensor. float32 rounds at 6e-8. A read sums
 * at most about a hundred rows, a gradient up to M products, so a few hundred roundings of either sign stay below it.
 *
 * Strengths are multiples of 2^-14, so that float32 computes all their sums exactly and every max and min takes the
 * same argument as in float64. Otherwise the gradient would jump, and no tolerance could cover a different branch.
 */
export const TOLERANCE = 1e-5;

export const RANGES: Record<string, (rng: Rng) => number> = {
  'near 0': rng => rng.int(0, 300) / 2 ** 14,
  uniform: rng => rng.int(0, 2 ** 14) / 2 ** 14,
  'near 1': rng => (2 ** 14 - rng.int(0, 300)) / 2 ** 14,
  '0 or 1': rng => rng.int(0, 1),
};

export const KINDS = MEMORY_NAMES;

/** For kinds with cells: the number of cells, and how many of them are read. */
export interface Cells {
  depth?: number;
  reads?: number;
}

/** Number of different sequences in a batch. The batch repeats them, because the reference is slow. */
const DISTINCT = 3;

/** The largest difference relative to the largest number. */
export function largestDifference(actual: Float32Array, expected: (k: number) => number): number {
  let difference = 0;
  let largest = 0;
  actual.forEach((x, k) => {
    const e = expected(k);
    difference = Math.max(difference, Number.isFinite(x) ? Math.abs(x - e) : Infinity);
    largest = Math.max(largest, Math.abs(e));
  });
  return difference === 0 ? 0 : difference / largest;
}

/** A few sequences, and what the reference computes for them. */
export interface MemoryTruth {
  kind: MemoryName;
  T: number;
  M: number;
  cells: Cells;
  /** For each sequence, [T,E] of every control, [T,E,M] of the values and [T,Q,M] of dRead (Q reads per step). */
  sequences: Record<string, Float32Array>[];
  expected: { forward: MemoryReads; tensors: Record<string, Float64Array> }[];
}

const truths = new Map<string, MemoryTruth>();

/** DISTINCT sequences with strengths of a range: the same ones for every engine that is compared. */
export function memoryTruth(
  kind: MemoryName,
  T: number,
  M: number,
  range: string,
  cells: Cells = {},
): MemoryTruth {
  const key = [kind, T, M, range, cells.depth, cells.reads].join();
  const truth = truths.get(key) ?? makeTruth(kind, T, M, range, cells);
  truths.set(key, truth);
  return truth;
}

/**
 * Random controls of a kind, [T,E] each. If they are shares of a softmax, their
 * sum is at most 1, because with a larger sum a memory grows without bound.
 */
export function asControls(kind: MemoryName, drawn: readonly Float32Array[]): Float32Array[] {
  if (memoryKind(kind).activation === 'sigmoid') return [...drawn];
  const sums = drawn[0].map((_, n) => drawn.reduce((sum, all) => sum + all[n], 0));
  return drawn.map(all => all.map((x, n) => x / Math.max(1, sums[n])));
}

function makeTruth(kind: MemoryName, T: number, M: number, range: string, cells: Cells): MemoryTruth {
  const rng = new Rng(1, T, M);
  const n = T * endsOf(kind);
  const names = memoryKind(kind).controls.map(({ name }) => name);
  const make = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  const symmetric = () => 2 * rng.uniform() - 1;
  const sequences = Array.from({ length: DISTINCT }, () => {
    const controls = asControls(
      kind,
      names.map(() => make(n, () => RANGES[range](rng))),
    );
    return {
      ...Object.fromEntries(names.map((name, c) => [name, controls[c]])),
      value: make(n * M, symmetric),
      dRead: make(T * readsOf(kind, cells.reads) * M, symmetric),
    };
  });
  const expected = sequences.map((sequence: Record<string, Float32Array>) => {
    const controls = names.map(name => sequence[name]);
    const { value, dRead } = sequence;
    const forward = memoryForward(kind, controls, value, cells.depth, cells.reads);
    const gradients = memoryBackward(kind, controls, value, forward, dRead, cells.depth);
    return { forward, tensors: { read: forward.read, ...gradients } };
  });
  return { kind, T, M, cells, sequences, expected };
}

/**
 * Runs a forward and a backward pass over a batch of B, which repeats the sequences. Returns the
 * largest relative difference of each tensor; for strengths, the largest absolute difference.
 */
export async function compareMemory(
  engine: Engine,
  truth: MemoryTruth,
  B: number,
): Promise<Record<string, number>> {
  const { kind, T, M, cells, sequences, expected } = truth;
  const batchOf = (name: string): Float32Array => {
    const length = sequences[0][name].length;
    const all = new Float32Array(B * length);
    for (let b = 0; b < B; b++) all.set(sequences[b % DISTINCT][name], b * length);
    return all;
  };
  const memory = await engine.memory({ kind, B, T, M, ...cells });
  const names = memoryKind(kind).controls.map(({ name }) => name);
  const read = await memory.forward(...[...names, 'value'].map(batchOf));
  // T·T/2 numbers per sequence: too many for large batches.
  const strengths = B <= 7 ? await memory.strengths() : [];
  const actual: Record<string, Float32Array> = { read, ...(await memory.backward(batchOf('dRead'))) };
  memory.destroy();

  let strength = 0;
  for (const [b, steps] of strengths.entries()) {
    const wanted = expected[b % DISTINCT].forward.strengths;
    for (const [t, row] of steps.entries()) {
      for (const [i, s] of row.entries()) strength = Math.max(strength, Math.abs(s - wanted[t][i]));
    }
  }
  const differenceOf = (name: string): number => {
    const { length } = expected[0].tensors[name];
    const at = (k: number): number => expected[Math.floor(k / length) % DISTINCT].tensors[name][k % length];
    return largestDifference(actual[name], at);
  };
  return {
    strength,
    ...Object.fromEntries(Object.keys(expected[0].tensors).map(name => [name, differenceOf(name)])),
  };
}
