/** Whether two engines computed the same. */
import { InputError } from '../../src/base/errors.ts';

/**
 * Of a tensor's largest number. Float32 sums in another order differ by about 1e-6 over a few hundred terms, and a
 * step of training through a hundred time steps makes ten times that of it; a wrong formula is off by 1e-2 or more.
 */
export const TOLERANCE = 1e-4;

export interface Agreement {
  /** The tensor that differs most. */
  worst: string;
  /** Its largest difference, in parts of its largest number. NaN or infinite where a number is. */
  difference: number;
  /** All of them. */
  tensors: Map<string, number>;
}

/** @throws InputError where a tensor is missing or has another size: nothing can be said then */
export function agree(
  expected: ReadonlyMap<string, ArrayLike<number>>,
  got: ReadonlyMap<string, ArrayLike<number>>,
): Agreement {
  const made: Agreement = { worst: '', difference: -1, tensors: new Map() };
  for (const [name, right] of expected) {
    const given = got.get(name);
    if (given?.length !== right.length) {
      const came = given ? `${given.length} numbers` : `only ${[...got.keys()].join(', ') || 'nothing'}`;
      throw new InputError(`tensor ${name} should have ${right.length} numbers, got ${came}.`);
    }
    const difference = apartBy(right, given);
    made.tensors.set(name, difference);
    if (!(difference <= made.difference)) Object.assign(made, { worst: name, difference });
    if (Number.isNaN(difference)) break;
  }
  return made;
}

function apartBy(right: ArrayLike<number>, given: ArrayLike<number>): number {
  let largest = 0;
  let off = 0;
  for (let n = 0; n < right.length; n++) {
    const apart = Math.abs(right[n] - given[n]);
    if (!Number.isFinite(apart)) return Number.NaN;
    largest = Math.max(largest, Math.abs(right[n]));
    off = Math.max(off, apart);
  }
  return off / (largest || 1);
}
