import { describe, expect, it } from 'vitest';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, popMargin, readMargin } from '../support/margins.ts';

// Tests of the test helpers, because a check that cannot fail proves nothing.
describe('central differences', () => {
  const at = new Map([['x', Float64Array.of(2, 3)]]);
  const f = () => at.get('x')![0] ** 2 * at.get('x')![1];

  it('accept the true gradient', () => {
    expectGradients(f, at, new Map([['x', Float64Array.of(12, 4)]]));
  });
  it('report tensor and index of a wrong gradient, of NaN, and of a missing gradient', () => {
    const wrong = (x: number[]) => () => expectGradients(f, at, new Map([['x', Float64Array.from(x)]]));
    expect(wrong([12, 4.000001])).toThrow(/x\[1\]: expected (4|3\.99).*, got 4.000001/);
    expect(wrong([Number.NaN, 4])).toThrow(/x\[0\]: expected .*, got NaN/);
    expect(wrong([12])).toThrow('x: expected 2 numbers, got 1');
  });
});

describe('margins', () => {
  it('are 0 at a tie, and the distance to the nearest tie elsewhere', () => {
    expect(popMargin(Float64Array.of(0.75, 0.5), 0.5)).toBe(0);
    expect(popMargin(Float64Array.of(0.75, 0.5), 0.625)).toBe(0.125);
    expect(readMargin(Float64Array.of(0.5, 0.5))).toBe(0);
    expect(readMargin(Float64Array.of(0.75, 0.5))).toBe(0.25);
  });
  it('ignore rows of strength 0', () => {
    expect(popMargin(Float64Array.of(0.75, 0, 0.5), 0.625)).toBe(0.125);
    expect(readMargin(Float64Array.of(0.75, 0.5, 0))).toBe(0.25);
  });
  it('fail with a message if every draw is near a tie', () => {
    expect(() =>
      drawAwayFromTies(
        () => 0,
        () => 0,
      ),
    ).toThrow('away from a tie');
  });
});
