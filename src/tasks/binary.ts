import type { Rng } from '../base/rng.ts';
import { type Answering, answering } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/** Bits of an integer ≥ 0, lowest first. Zero has one bit. */
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

/** The index of the operator among the source symbols. */
const OPERATOR = 2;
/** The index of `end` among the outputs. */
const END = 2;

/**
 * A task of calculating with two binary numbers. The source is both numbers, lowest bit first, with an operator between
 * them. The target is the bits of the result, lowest first and without trailing zeros, followed by `end`. Sources of 1
 * or 2 symbols consist of bits only.
 * @param alone returns the bits of the result for a source without an operator, lowest first
 */
export function binaryCalculation(
  definition: Pick<Answering, 'name' | 'example' | 'longestTarget'>,
  operator: string,
  calculate: (a: bigint, b: bigint) => bigint,
  alone: (bits: readonly number[]) => number[],
): Task {
  const numberFrom = (bits: readonly number[]): bigint => numberOf([...bits].reverse());
  return answering({
    ...definition,
    symbolNames: ['0', '1', operator],
    outputNames: ['0', '1', 'end'],
    source: (rng, length) => {
      if (length <= 2) return randomSource(2, rng, length);
      const first = rng.int(1, length - 2);
      return [...randomBits(rng, first), OPERATOR, ...randomBits(rng, length - 1 - first)];
    },
    targetOf: source => {
      const at = source.indexOf(OPERATOR);
      if (at < 0) return source.length <= 2 ? [...alone(source), END] : undefined;
      const [a, b] = [source.slice(0, at), source.slice(at + 1)];
      if (a.length === 0 || b.length === 0 || b.includes(OPERATOR)) return undefined;
      return [...lowestFirst(calculate(numberFrom(a), numberFrom(b))), END];
    },
  });
}
