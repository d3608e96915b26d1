/** Compares the outputs of two implementations. */
import { InputError } from '../../src/base/errors.ts';

/**
 * The allowed difference, relative to a tensor's largest number. Float32 sums in another
 * order differ by about 1e-6 over a few hundred terms, and by ten times as much after a
 * training step through a hundred time steps. A wrong formula causes 1e-2 or more. Changes of parameters, which float32
 * stores with few digits, have their own tolerance: cases/training.ts.
 */
export const TOLERANCE = 1e-4;

export interface Agreement {
  /** The tensor that differs most. */
  worst: string;
  /** Its largest difference, relative to its largest number. NaN if a number is NaN or infinite. */
  difference: number;
  /** The difference of every tensor. */
  tensors: Map<string, number>;
}

/** @throws InputError if a tensor is missing or has another size */
export function agree(
  expected: ReadonlyMap<string, ArrayLike<number>>,
  got: ReadonlyMap<string, ArrayLike<number>>,
): Agreement {
  const agreement: Agreement = { worst: '', difference: -1, tensors: new Map() };
  for (const [name, numbers] of expected) {
    const actual = got.get(name);
    if (!actual)
      throw new InputError(`tensor ${name} is missing: got ${[...got.keys()].join(', ') || 'none'}.`);
    if (actual.length !== numbers.length)
      throw new InputError(`tensor ${name} should have ${numbers.length} numbers, got ${actual.length}.`);
    const difference = relativeDifference(numbers, actual);
    agreement.tensors.set(name, difference);
    if (!(difference <= agreement.difference)) Object.assign(agreement, { worst: name, difference });
    if (Number.isNaN(difference)) break;
  }
  return agreement;
}

function relativeDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let largest = 0;
  let worst = 0;
  for (let n = 0; n < expected.length; n++) {
    const difference = Math.abs(expected[n] - actual[n]);
    if (!Number.isFinite(difference)) return Number.NaN;
    largest = Math.max(largest, Math.abs(expected[n]));
    worst = Math.max(worst, difference);
  }
  return worst / (largest || 1);
}
