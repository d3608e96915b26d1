import { deepStrictEqual, strictEqual } from 'node:assert';

/** The subset of vitest's expect() that comparisons with the reference use, for a runtime without vitest. */
export const expect = (actual: unknown, what?: string) => ({
  toBe: (expected: unknown) => strictEqual(actual, expected, what),
  toEqual: (expected: unknown) => deepStrictEqual(actual, expected, what),
  toBeLessThanOrEqual(most: number): void {
    if (!((actual as number) <= most)) throw new Error(`${what}: ${actual} is more than ${most}`);
  },
  toBeCloseTo(expected: number, digits = 2): void {
    const difference = Math.abs((actual as number) - expected);
    if (!(difference < 10 ** -digits / 2)) throw new Error(`${what}: ${actual} is not ${expected}`);
  },
});
