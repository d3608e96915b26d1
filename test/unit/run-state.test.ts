import { describe, expect, test } from 'vitest';
import { assign, type Config } from '../../src/base/config.ts';
import type { StepReport } from '../../src/engine/engine.ts';
import { preset } from '../../src/train/presets.ts';
import {
  addSeconds,
  afterEvaluation,
  afterReport,
  afterReportStep,
  BAD_STEPS,
  dueAt,
  endingOf,
  type RunState,
  startRun,
} from '../../src/train/run-state.ts';

/** The transitions of a run's state, without an engine and without timers. */

const reverse = (...sets: string[]): Config => assign(preset('reverse'), sets);
/** The fake model's report: 10 sequences, 20 targets. */
const report = (change: Partial<StepReport> = {}): StepReport => ({
  objective: 1,
  loss: 10,
  targets: 20,
  symbols: 20,
  correct: 5,
  sequences: 10,
  coarse: 1,
  fine: 2,
  absoluteError: 0,
  gradientNorm: 2,
  finite: true,
  ...change,
});
const BAD = report({ finite: false, loss: Number.NaN });
const reports = (config: Config, run: RunState, ...all: StepReport[]): RunState =>
  all.reduce((state, report) => afterReport(config, state, report), run);
const times = (n: number, report: StepReport): StepReport[] => Array(n).fill(report);
/** Freezes a state, so that a transition that changes its input fails. */
const frozen = (run: RunState): RunState => {
  for (const part of Object.values(run)) Object.freeze(part);
  return Object.freeze(run);
};

describe('a report', () => {
  test('is added to the window, the curriculum and the patience; its input is not changed', () => {
    const config = assign(preset('tutorial-part5'), ['growEvery=1000']);
    const start = frozen(startRun(config));
    const run = reports(config, start, report({ absoluteError: 3 }), report({ loss: 4, absoluteError: 5 }));
    expect(run.window).toMatchObject({ steps: 2, loss: 14, targets: 40, sequences: 20, gradientNorm: 4 });
    expect(run.curriculum).toMatchObject({ sequences: 20, windowError: 8, grow: false });
    expect(run.patience).toMatchObject({ loss: 14, targets: 40, evaluations: 0 });
    expect(start).toEqual(startRun(config));
  });

  test('that is not finite is only counted, in total and in a row', () => {
    const config = reverse();
    const run = reports(config, startRun(config), report(), BAD, BAD);
    expect(run.window).toMatchObject({ steps: 1, badSteps: 2, loss: 10 });
    expect(run.patience).toMatchObject({ loss: 10, targets: 20 });
    expect(run.badStreak).toBe(2);
    expect(reports(config, run, report()).badStreak).toBe(0);
  });

  test('after the maximum of bad steps in a row, leaves their count at the maximum until the decision', () => {
    const config = reverse();
    const run = reports(config, startRun(config), ...times(BAD_STEPS + 3, BAD), report(), report());
    expect(run.badStreak).toBe(BAD_STEPS);
  });
});

describe('a report step', () => {
  test('gives the mean loss of the window, and starts a new window', () => {
    const config = reverse();
    const { run, decision, loss } = afterReportStep(
      config,
      frozen(reports(config, startRun(config), report(), report({ loss: 30 }))),
      10,
    );
    expect([decision, loss]).toEqual(['continue', 1]);
    expect(run.window).toEqual(startRun(config).window);
    expect(run.patience).toMatchObject({ loss: 40, targets: 40 });
  });

  test('applies the growth of the curriculum; with longer sequences patience starts from zero', () => {
    const config = assign(preset('tutorial-part5'), ['growEvery=20']);
    const decided = afterEvaluation(reports(config, startRun(config), report(), report(), report()), false);
    expect(decided.curriculum).toMatchObject({ length: 1, grow: true });
    expect(decided.patience.evaluations).toBe(1);
    const { run } = afterReportStep(config, decided, 10);
    expect(run.curriculum).toMatchObject({ length: 2, grow: false });
    expect(run.patience).toEqual(startRun(config).patience);
    // Without growth, patience does not change.
    const still = { ...decided, curriculum: { ...decided.curriculum, grow: false } };
    expect(afterReportStep(config, still, 10).run.patience).toEqual(decided.patience);
  });

  test('gives up after exactly ten bad steps in a row; then the count restarts', () => {
    const config = reverse();
    const nine = reports(config, startRun(config), ...times(BAD_STEPS - 1, BAD));
    expect(afterReportStep(config, nine, 10)).toMatchObject({ decision: 'continue', run: { badStreak: 9 } });
    const ten = afterReport(config, nine, BAD);
    expect(afterReportStep(config, ten, 10)).toMatchObject({ decision: 'diverge', run: { badStreak: 0 } });
  });
});

describe('a restart', () => {
  // The mean loss is 0.5 per target.
  const config = reverse('restartAfter=15', 'restartAbove=0.4', 'reportEvery=10', 'maxRestarts=2');
  const stuck = reports(config, startRun(config), report());
  const decisionAt = (step: number, run: RunState = stuck, other = config) =>
    afterReportStep(other, run, step).decision;

  test('is decided once for each set of weights: at the first report step after restartAfter', () => {
    expect([10, 20, 24, 25, 30].map(step => decisionAt(step))).toEqual([
      'continue',
      'restart',
      'restart',
      'continue',
      'continue',
    ]);
    expect(decisionAt(35, { ...stuck, initialisedAt: 20 })).toBe('restart');
    expect(decisionAt(30, { ...stuck, initialisedAt: 20 })).toBe('continue');
  });

  test('needs a loss above the limit, and a restart left', () => {
    expect(decisionAt(20, stuck, assign(config, ['restartAbove=0.5']))).toBe('continue');
    expect(decisionAt(20, stuck, assign(config, ['restartAfter=0']))).toBe('continue');
    expect(decisionAt(20, { ...stuck, restarts: 1 })).toBe('restart');
    expect(decisionAt(20, { ...stuck, restarts: 2 })).toBe('continue');
    // A window without a finite step has no loss.
    expect(decisionAt(20, reports(config, startRun(config), BAD))).toBe('continue');
  });

  test('keeps the seconds and the count, and resets everything else', () => {
    const run = addSeconds(afterEvaluation({ ...stuck, restarts: 1, passes: 1 }, true), 3);
    const { run: next } = afterReportStep(config, frozen(run), 20);
    expect(next).toEqual({ ...startRun(config), seconds: 3, restarts: 2, initialisedAt: 20 });
    // The order of the keys in a checkpoint does not change.
    expect(Object.keys(next)).toEqual(Object.keys(startRun(config)));
  });
});

describe('an evaluation', () => {
  const config = reverse();
  /** The state after evaluations of windows with these losses. */
  const evaluated = (...losses: number[]): RunState =>
    losses.reduce(
      (run, loss) => afterEvaluation(reports(config, run, report({ loss })), false),
      startRun(config),
    );

  test('counts consecutive passes', () => {
    const passed = (...all: boolean[]) => all.reduce(afterEvaluation, startRun(config)).passes;
    expect([passed(true), passed(true, true), passed(true, false), passed(true, false, true)]).toEqual([
      1, 2, 0, 1,
    ]);
  });

  test('compares with the lowest mean loss so far', () => {
    expect(evaluated(10).patience).toEqual({ loss: 0, targets: 0, evaluations: 1, stale: 0, best: 0.5 });
    expect(evaluated(10, 12, 10).patience).toMatchObject({ evaluations: 3, stale: 2, best: 0.5 });
    expect(evaluated(10, 12, 8).patience).toMatchObject({ evaluations: 3, stale: 0, best: 0.4 });
  });

  test('of a window without a finite step is no improvement', () => {
    const before = evaluated(10);
    const after = afterEvaluation(reports(config, before, BAD), false);
    expect(after.patience).toMatchObject({ evaluations: 2, stale: 1, best: 0.5 });
    expect(afterEvaluation(startRun(config), false).patience).toMatchObject({ evaluations: 0, stale: 1 });
  });
});

describe('the end of a run', () => {
  const config = reverse('steps=40', 'stopAt=0.9', 'stopPasses=2', 'patience=3');
  const state = (passes: number, stale: number): RunState => {
    const run = startRun(config);
    return { ...run, passes, patience: { ...run.patience, stale } };
  };

  test('comes when stopAt is passed often enough, all steps are done, or patience runs out', () => {
    expect(endingOf(config, state(1, 2), 39)).toBeUndefined();
    expect(endingOf(config, state(2, 0), 10)).toBe('solved');
    expect(endingOf(config, state(0, 0), 40)).toBe('done');
    expect(endingOf(config, state(0, 3), 10)).toBe('stalled');
  });

  test('is solved rather than done, done rather than stalled', () => {
    expect(endingOf(config, state(2, 3), 40)).toBe('solved');
    expect(endingOf(config, state(0, 3), 40)).toBe('done');
  });

  test('0 disables stopAt and patience', () => {
    const off = assign(config, ['stopAt=0', 'patience=0']);
    expect(endingOf(off, state(5, 50), 39)).toBeUndefined();
  });
});

test('reports, evaluations and the last step are due at the configured steps', () => {
  const config = reverse('steps=45', 'reportEvery=10', 'evaluateEvery=20');
  const due = (step: number, of = config) =>
    Object.entries(dueAt(of, step))
      .filter(([, is]) => is)
      .map(([name]) => name);
  expect([9, 10, 40, 45].map(step => due(step))).toEqual([
    [],
    ['report'],
    ['report', 'evaluation'],
    ['last'],
  ]);
  expect(due(40, assign(config, ['evaluateEvery=0', 'steps=40']))).toEqual(['report', 'last']);
});
