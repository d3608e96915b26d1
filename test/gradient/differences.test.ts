import { describe, expect, it } from 'vitest';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, popMargin, readMargin } from '../support/margins.ts';

// The tests of the tests: a check that cannot fail proves nothing.
describe('central differences', () => {
  const at = new Map([['x', Float64Array.of(2, 3)]]);
  const f = () => at.get('x')![0] ** 2 * at.get('x')![1];

  it('pass the true gradient', () => {
    expectGradients(f, at, new Map([['x', Float64Array.of(12, 4)]]));
  });
  it('name tensor and index of a wrong one, of NaN, and of one that is missing', () => {
    const wrong = (x: number[]) => () => expectGradients(f, at, new Map([['x', Float64Array.from(x)]]));
    expect(wrong([12, 4.000001])).toThrow(/x\[1\]: expected (4|3\.99).*, got 4.000001/);
    expect(wrong([Number.NaN, 4])).toThrow(/x\[0\]: expected .*, got NaN/);
    expect(wrong([12])).toThrow('x: expected 2 numbers, got 1');
  });
});

describe('margins', () => {
  it('are 0 at a tie and the distance to it elsewhere', () => {
    expect(popMargin(Float64Array.of(0.75, 0.5), 0.5)).toBe(0);
    expect(popMargin(Float64Array.of(0.75, 0.5), 0.625)).toBe(0.125);
    expect(readMargin(Float64Array.of(0.5, 0.5))).toBe(0);
    expect(readMargin(Float64Array.of(0.75, 0.5))).toBe(0.25);
  });
  it('ignore dead rows', () => {
    expect(popMargin(Float64Array.of(0.75, 0, 0.5), 0.625)).toBe(0.125);
    expect(readMargin(Float64Array.of(0.75, 0.5, 0))).toBe(0.25);
  });
  it('say so where no draw is good', () => {
    expect(() =>
      drawAwayFromTies(
        () => 0,
        () => 0,
      ),
    ).toThrow('away from a tie');
  });
});
