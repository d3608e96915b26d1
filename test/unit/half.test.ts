import { expect, test } from 'vitest';
import { halfOf, numberOf } from '../../src/base/half.ts';

/** The nearest half-precision number (float16). */
const rounded = (value: number): number => numberOf(halfOf(value));

test('every float16 is converted back to itself', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = numberOf(bits);
    if (Number.isNaN(value)) expect(halfOf(value)).toBe(0x7e00);
    else expect(halfOf(value)).toBe(bits);
  }
});

test('other numbers are rounded to the nearest, ties to even', () => {
  expect([0, 1, -2, 0.5, 65_504, 2 ** -14, 2 ** -24, 6.097555160522461e-5].map(rounded)).toEqual([
    0,
    1,
    -2,
    0.5,
    65_504,
    2 ** -14,
    2 ** -24,
    6.097555160522461e-5,
  ]);
  expect(rounded(1 + 2 ** -11)).toBe(1);
  expect(rounded(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
  expect(rounded(1 + 2 ** -11 + 2 ** -20)).toBe(1 + 2 ** -10);
  expect(rounded(2 - 2 ** -12)).toBe(2);
  expect(rounded(2 ** -25)).toBe(0);
  expect(rounded(1.5 * 2 ** -24)).toBe(2 ** -23);
  expect(rounded(65_519)).toBe(65_504);
  expect(rounded(65_520)).toBe(Infinity);
  expect(rounded(-1e9)).toBe(-Infinity);
  for (let n = 0; n < 1000; n++) {
    const x = Math.tan(n) * 10 ** ((n % 9) - 5);
    const y = rounded(x);
    expect(Math.abs(y - x)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -11, 2 ** -25));
  }
});
