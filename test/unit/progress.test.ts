import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { DeviceLost } from '../../src/base/errors.ts';
import { type Progress, Reporter } from '../../src/train/callbacks.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { LastSnapshot } from '../../src/train/last-snapshot.ts';
import { preset } from '../../src/train/presets.ts';
import { ProgressMeter } from '../../src/train/progress-meter.ts';
import { startRun } from '../../src/train/run-state.ts';

/** The trainer's reports, its speed, and its last snapshot. */

const config = assign(preset('reverse'), ['steps=100', 'batch=10']);
const run = startRun(config);

describe('the meter', () => {
  test('has no numbers before the first step', () => {
    const meter = new ProgressMeter();
    expect(meter.isKnown).toBe(false);
    const progress = meter.progress(config, run, 0);
    expect(progress).toMatchObject({ step: 0, steps: 100, loss: Number.NaN, eta: Number.NaN });
    expect(progress.sequencesPerSecond).toBeNaN();
  });

  test('measures speed since the last report, and keeps the last metrics until there are newer ones', () => {
    const meter = new ProgressMeter();
    meter.add(50, 20, true);
    meter.add(70, 40, true);
    const first = meter.progress(config, run, 2);
    // 20 sequences and 120 time steps in 60 ms. Smoothed ms per step: 20, then 0.8 · 20 + 0.2 · (60/2).
    expect(first.sequencesPerSecond).toBeCloseTo(1000 / 3);
    expect(first.timeStepsPerSecond).toBeCloseTo(2000);
    expect(first.eta).toBeCloseTo((98 * 22) / 1000);
    meter.reported({ ...first, loss: 3 });
    expect(meter.progress(config, run, 2)).toEqual({ ...first, loss: 3 });
    meter.add(50, 10, false);
    expect(meter.progress(config, run, 3).sequencesPerSecond).toBeCloseTo(1000);
    meter.forget();
    expect(meter.progress(config, run, 2).sequencesPerSecond).toBeCloseTo(1000 / 3);
  });

  test('limits the steps in flight by number and by time', () => {
    const fast = new ProgressMeter();
    fast.add(1, 0.1, true);
    expect([fast.isFull(127), fast.isFull(128)]).toEqual([false, true]);
    const slow = new ProgressMeter();
    slow.add(1, 100, true);
    expect([slow.isFull(1), slow.isFull(2)]).toEqual([false, true]);
  });
});

test('steps that are repeated after a lost device are not reported again', () => {
  const reported: string[] = [];
  const reporter = new Reporter(
    {
      onProgress: ({ step }) => reported.push(`progress ${step}`),
      onEvaluation: (_, step) => reported.push(`evaluation ${step}`),
      onRestart: ({ step }) => reported.push(`restart ${step}`),
    },
    5,
  );
  const progress = (step: number, force = false) => reporter.progress({ step } as Progress, force);
  expect([progress(5), progress(10), progress(5), progress(10), progress(10, true)]).toEqual([
    ...[false, true, false, false, true],
  ]);
  for (const step of [10, 20, 10, 20, 30]) reporter.evaluation({} as never, step);
  for (const step of [15, 15]) reporter.restart({ step, restarts: 1, loss: 1 });
  expect(reported).toEqual([
    ...['progress 10', 'progress 10', 'evaluation 10', 'evaluation 20', 'evaluation 30', 'restart 15'],
  ]);
});

describe('the last snapshot', () => {
  const checkpoint = { run } as Checkpoint;

  test('is a copy; a new one is due after the interval, or at once if the interval is 0', () => {
    const last = new LastSnapshot(checkpoint);
    expect(last.checkpoint).toEqual(checkpoint);
    expect(last.checkpoint.run).not.toBe(run);
    expect(last.isDue(60_000)).toBe(false);
    const start = performance.now();
    while (performance.now() === start);
    expect(last.isDue(0)).toBe(true);
  });

  test('is due later if the previous one took long, to bound its share of the time', () => {
    const last = new LastSnapshot(checkpoint);
    last.replace(checkpoint, performance.now() - 1000);
    const start = performance.now();
    while (performance.now() - start < 5);
    expect(last.isDue(1)).toBe(false);
  });

  test('counts lost devices in total, and gives up after too many without a newer snapshot', () => {
    const last = new LastSnapshot(checkpoint);
    const lost = new DeviceLost('gone.');
    for (let n = 1; n <= 5; n++) expect(last.countLostDevice(lost)).toBe(n);
    expect(() => last.countLostDevice(lost)).toThrow(
      'gone. The device has been lost 6 times since the last snapshot',
    );
    last.replace(checkpoint, performance.now());
    expect(last.countLostDevice(lost)).toBe(7);
  });
});
