/** Conversion between nested JSON arrays and flat float32 arrays. Every error names the exact place: `push[1][3]`. */
import { InputError, show } from '../../base/errors.ts';

/** The length of an array that must not be empty. @throws InputError naming the place */
export function nonEmptyLength(place: string, given: unknown): number {
  if (!Array.isArray(given)) throw new InputError(`${place} must be an array, got ${show(given)}.`);
  if (given.length === 0) throw new InputError(`${place} is empty: B, T and M must each be at least 1.`);
  return given.length;
}

/**
 * Flattens a nested array of this shape into float32 numbers, row-major.
 * @throws InputError naming the place where the shape is wrong, a number is not finite, or a strength is negative
 */
export function flatten(
  place: string,
  given: unknown,
  shape: readonly number[],
  strength = false,
): Float32Array {
  // The shape is checked first, so that the allocation below cannot exceed the size of the input.
  checkShape(place, given, shape);
  const numbers = new Float32Array(shape.reduce((a, b) => a * b));
  fill(place, given, shape, strength, numbers, 0);
  return numbers;
}

function checkShape(place: string, given: unknown, [length, ...rest]: readonly number[]): void {
  if (!Array.isArray(given)) throw new InputError(`${place} must be an array, got ${show(given)}.`);
  if (given.length !== length) {
    throw new InputError(
      `${place} must have ${length} ${length === 1 ? 'entry' : 'entries'} to match the rest of the input, got ${given.length}.`,
    );
  }
  if (rest.length === 0) return;
  given.forEach((entry, i) => {
    checkShape(`${place}[${i}]`, entry, rest);
  });
}

function fill(
  place: string,
  given: unknown,
  shape: readonly number[],
  strength: boolean,
  into: Float32Array,
  at: number,
): void {
  if (shape.length > 0) {
    const [length, ...rest] = shape;
    (given as unknown[]).forEach((entry, i) => {
      fill(`${place}[${i}]`, entry, rest, strength, into, at * length + i);
    });
    return;
  }
  if (typeof given !== 'number') throw new InputError(`${place} must be a number, got ${show(given)}.`);
  if (strength && !(given >= 0))
    throw new InputError(`${place} must be a strength of at least 0, got ${given}.`);
  if (!Number.isFinite(Math.fround(given)))
    throw new InputError(`${place} must be finite in float32 (magnitude below 3.4e38), got ${given}.`);
  into[at] = given;
}

/** The inverse of flatten. Rounds every number to the fewest digits that identify it in float32. */
export function unflatten(
  place: string,
  from: ArrayLike<number>,
  shape: readonly number[],
  at = 0,
): unknown[] {
  const [length, ...rest] = shape;
  return Array.from({ length }, (_, i) => {
    const here = `${place}[${i}]`;
    return rest.length > 0
      ? unflatten(here, from, rest, at * length + i)
      : shortest(here, from[at * length + i]);
  });
}

/** A float32 number with the fewest digits that identify it. @throws InputError if it is infinite or NaN */
export function shortest(place: string, value: number): number {
  if (!Number.isFinite(value))
    throw new InputError(`${place} overflows float32: make value and dRead smaller.`);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** Merges arrays [N,size], one per end, into one array [N,E,size]. */
export function interleave(ends: readonly Float32Array[], size: number): Float32Array {
  const E = ends.length;
  if (E === 1) return ends[0];
  const all = new Float32Array(E * ends[0].length);
  ends.forEach((end, e) => {
    for (let i = 0; i < end.length; i++) all[(Math.floor(i / size) * E + e) * size + (i % size)] = end[i];
  });
  return all;
}

/** Extracts end e of an array [N,E,size] as [N,size]. */
export function endOf(all: Float32Array, e: number, E: number, size: number): Float32Array {
  if (E === 1) return all;
  return Float32Array.from(
    { length: all.length / E },
    (_, i) => all[(Math.floor(i / size) * E + e) * size + (i % size)],
  );
}
