import type { Rng } from '../base/rng.ts';
import { type Answering, answering } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/** Bits of a whole number ≥ 0, lowest first. Zero has one bit. */
export const lowestFirst = (value: bigint): number[] => [...value.toString(2)].map(Number).reverse();

/** The number with these bits, highest first. */
export const numberOf = (highestFirst: readonly number[]): bigint => BigInt(`0b0${highestFirst.join('')}`);

/** Bits of a random number, uniform over 1 … 2^length − 1. */
export function randomBits(rng: Rng, length: number): number[] {
  for (;;) {
    const bits = randomSource(2, rng, length);
    if (bits.includes(1)) return bits;
  }
}

/** The index of the operator among the source symbols, and of `end` among the outputs. */
const MARK = 2;

/**
 * A task of calculating with two binary numbers. The source is both numbers, lowest bit first, with an operator between
 * them. The target is the bits of the result, lowest first and without trailing zeros, followed by `end`. Sources of 1
 * or 2 symbols consist of bits only.
 * @param alone returns the bits of the result for a source without an operator
 */
export function binaryCalculation(
  definition: Pick<Answering, 'name' | 'example' | 'longestTarget'>,
  operator: string,
  calculate: (a: bigint, b: bigint) => bigint,
  alone: (bits: readonly number[]) => number[],
): Task {
  const read = (bits: readonly number[]): bigint => numberOf([...bits].reverse());
  return answering({
    ...definition,
    symbolNames: ['0', '1', operator],
    outputNames: ['0', '1', 'end'],
    source: (rng, length) => {
      if (length <= 2) return randomSource(2, rng, length);
      const first = rng.int(1, length - 2);
      return [...randomBits(rng, first), MARK, ...randomBits(rng, length - 1 - first)];
    },
    targetOf: source => {
      const at = source.indexOf(MARK);
      if (at < 0) return source.length <= 2 ? [...alone(source), MARK] : undefined;
      const [a, b] = [source.slice(0, at), source.slice(at + 1)];
      if (a.length === 0 || b.length === 0 || b.includes(MARK)) return undefined;
      return [...lowestFirst(calculate(read(a), read(b))), MARK];
    },
  });
}
