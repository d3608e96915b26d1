import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import type { StepReport } from '../../src/engine/engine.ts';
import { preset } from '../../src/train/presets.ts';
import {
  accumulateError,
  applyGrowth,
  type CurriculumState,
  startCurriculum,
} from '../../src/train/run-state.ts';

/** A report of ten sequences with this total error. */
const report = (absoluteError: number, finite = true): StepReport => ({
  objective: 0,
  loss: 0,
  targets: 0,
  symbols: 0,
  correct: 0,
  sequences: 10,
  coarse: 0,
  fine: 0,
  absoluteError,
  gradientNorm: 0,
  finite,
});

const part5 = preset('tutorial-part5');
const accumulated = (state: CurriculumState, errors: number[], config = part5) =>
  errors.reduce((s, error) => accumulateError(config, s, report(error)), state);
const times = (n: number, error: number): number[] => Array(n).fill(error);

describe("the tutorial's rule, with range = longest − shortest + 1", () => {
  const start = startCurriculum(part5);

  test('grows when the error per 100 sequences is below 5 × range', () => {
    expect(applyGrowth(accumulated(start, times(10, 0.49))).length).toBe(2);
    expect(applyGrowth(accumulated(start, times(10, 0.5))).length).toBe(1);
    expect(applyGrowth(accumulated(start, times(9, 0.1))).length).toBe(1);
  });

  test('the limit is proportional to the range: at length 2 it is 10', () => {
    const two = applyGrowth(accumulated(start, times(10, 0)));
    expect(applyGrowth(accumulated(two, times(10, 0.9))).length).toBe(3);
    expect(applyGrowth(accumulated(two, times(10, 1.1))).length).toBe(2);
  });

  test('errors of one window of 100 sequences do not count in the next window', () => {
    expect(accumulated(start, [...times(10, 9), ...times(10, 0.1)]).grow).toBe(true);
  });

  test('part 6: error < range + 4, and not within the first 10,000 sequences', () => {
    const part6 = preset('tutorial-part6');
    const zero = startCurriculum(part6);
    expect(accumulated(zero, times(1000, 0), part6).grow).toBe(false);
    expect(accumulated(zero, times(1010, 0.69), part6).grow).toBe(true);
    expect(accumulated(zero, times(1010, 0.71), part6).grow).toBe(false);
  });
});

describe('decisions', () => {
  const start = startCurriculum(part5);

  test('take effect when growth is applied, and only then; one at a time', () => {
    const decided = accumulated(start, times(50, 0));
    expect(decided).toMatchObject({ length: 1, grow: true, windowSequences: 0 });
    expect(applyGrowth(decided)).toMatchObject({ length: 2, grow: false });
    expect(applyGrowth(applyGrowth(decided)).length).toBe(2);
    expect(accumulated(start, [...times(10, 0), ...times(10, 9)]).grow).toBe(true);
  });

  test('ignore steps that were not finite', () => {
    const state = accumulateError(part5, start, report(Number.NaN, false));
    expect(state).toEqual(start);
  });

  test('compare the error per 100 sequences, also in windows of another size', () => {
    const config = assign(part5, ['growEvery=30']);
    expect(accumulated(start, times(3, 0.49), config).grow).toBe(true);
    expect(accumulated(start, times(3, 0.51), config).grow).toBe(false);
  });

  test('are not made without a curriculum', () => {
    const config = preset('reverse');
    expect(accumulated(startCurriculum(config), times(100, 0), config)).toEqual(startCurriculum(config));
  });

  test('are unchanged by JSON', () => {
    const state = accumulated(start, [...times(10, 0.1), 0.3]);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});
