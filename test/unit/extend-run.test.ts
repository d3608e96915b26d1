import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { extendedConfig } from '../../src/train/extend-run.ts';
import { preset } from '../../src/train/presets.ts';
import { startRun } from '../../src/train/run-state.ts';
import { initialState, setup } from '../../src/train/setup.ts';

const config = assign(preset('reverse'), ['steps=300', 'stopAt=0.9', 'patience=5', 'reportEvery=25']);
const { spec } = setup(config);
const extended = (step: number, passes: number, stale: number, steps = 300) => {
  const run = startRun(config);
  const state = { ...initialState(spec, config.train), step };
  return extendedConfig({
    config: { ...config, train: { ...config.train, steps } },
    engine: 'gpu',
    state,
    run: { ...run, passes, patience: { ...run.patience, stale } },
  }).train;
};

test('to continue a finished run, only the settings that ended it are changed', () => {
  expect(extended(300, 0, 0)).toEqual({ ...config.train, steps: 600 });
  expect(extended(200, 2, 0)).toEqual({ ...config.train, stopAt: 0 });
  expect(extended(200, 0, 5)).toEqual({ ...config.train, patience: 0 });
  expect(extended(100, 1, 4)).toEqual(config.train);
  expect(extended(300, 2, 5)).toEqual({ ...config.train, steps: 600, stopAt: 0, patience: 0 });
  expect(extended(0, 0, 0, 0)).toEqual({ ...config.train, steps: 25 });
  expect(extended(1e9, 0, 0, 1e9).steps).toBe(1e9);
});
