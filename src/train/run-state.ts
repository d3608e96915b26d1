/**
 * The state of a run besides the model, and all of its transitions, as pure functions.
 *
 * Step reports arrive in order, in groups of any size, and training must not depend on the grouping. So reports are
 * only accumulated when they arrive; decisions are made at fixed steps: report and evaluation steps. A run resumed from
 * any of these states therefore makes the same decisions as an uninterrupted one.
 */
import type { Config } from '../base/config.ts';
import type { StepReport } from '../engine/engine.ts';
import { addReport, emptySums, metricsOf, type Sums } from './metrics.ts';

/** The state of a run besides the model: plain numbers, for checkpoints. */
export interface RunState {
  curriculum: CurriculumState;
  /** Sum of the reports since the last report step. */
  window: Sums;
  /** Consecutive steps that were not finite. */
  badStreak: number;
  /** Consecutive evaluations that reached stopAt. */
  passes: number;
  patience: PatienceState;
  /** The step at which training of the present weights started, and the number of restarts. */
  initialisedAt: number;
  restarts: number;
  /** Seconds trained, evaluations included. */
  seconds: number;
}

export interface CurriculumState {
  /** Length of the longest training source now. */
  length: number;
  /** The length will grow by one symbol at the next report step. */
  grow: boolean;
  /** Sequences seen in total and since the last decision, and the sum of the absolute error since the last decision. */
  sequences: number;
  windowSequences: number;
  windowError: number;
}

export interface PatienceState {
  /** Sums of the loss and of the number of targets since the last evaluation. */
  loss: number;
  targets: number;
  /** Evaluations so far; those since the mean loss last reached a new minimum; and that minimum. */
  evaluations: number;
  stale: number;
  best: number;
}

export const startCurriculum = ({ task }: Config): CurriculumState => ({
  length: task.maxLength,
  grow: false,
  sequences: 0,
  windowSequences: 0,
  windowError: 0,
});

export const startPatience = (): PatienceState => ({
  loss: 0,
  targets: 0,
  evaluations: 0,
  stale: 0,
  best: 0,
});

/** The state before the first step. */
export const startRun = (config: Config): RunState => ({
  curriculum: startCurriculum(config),
  window: emptySums(),
  badStreak: 0,
  passes: 0,
  patience: startPatience(),
  initialisedAt: 0,
  restarts: 0,
  seconds: 0,
});

/** Consecutive steps that are not finite after which training gives up. */
export const BAD_STEPS = 10;

/** The state after one more step's report. */
export function afterReport(config: Config, run: RunState, report: StepReport): RunState {
  const window = { ...run.window };
  addReport(window, report);
  // Once at the limit, it stays there until the next report step.
  const badStreak = run.badStreak >= BAD_STEPS ? run.badStreak : report.finite ? 0 : run.badStreak + 1;
  return {
    ...run,
    curriculum: accumulateError(config, run.curriculum, report),
    window,
    badStreak,
    patience: accumulateLoss(run.patience, report),
  };
}

/** Whether a step (from 1) is a report step, an evaluation step, or the last step. */
export const dueAt = ({ train: { steps, reportEvery, evaluateEvery } }: Config, step: number) => ({
  report: step % reportEvery === 0,
  evaluation: evaluateEvery > 0 && step % evaluateEvery === 0,
  last: step === steps,
});

/** What happens at a report step: training continues, gives up, or restarts with new weights. */
export type Decision = 'continue' | 'diverge' | 'restart';

/**
 * The state after a report step, and the decision made there. The last step decides nothing unless it is a report step,
 * because training must not depend on when it ends. `loss` is the mean over the window that ends at this step.
 */
export function afterReportStep(
  config: Config,
  run: RunState,
  step: number,
): { run: RunState; decision: Decision; loss: number } {
  const { loss } = metricsOf(run.window);
  const curriculum = applyGrowth(run.curriculum);
  // Longer sequences are harder: their loss must not be compared with that of shorter ones.
  const patience = curriculum.length > run.curriculum.length ? startPatience() : run.patience;
  const next = { ...run, curriculum, window: emptySums(), patience };
  if (run.badStreak >= BAD_STEPS) return { run: { ...next, badStreak: 0 }, decision: 'diverge', loss };
  if (isStuck(config, run, step, loss))
    return { run: restarted(config, next, step), decision: 'restart', loss };
  return { run: next, decision: 'continue', loss };
}

/** Checked once for each set of weights, so that a model that has learned is not restarted if its loss rises later. */
function isStuck(
  { train }: Config,
  { initialisedAt, restarts }: RunState,
  step: number,
  loss: number,
): boolean {
  const { restartAfter, restartAbove, maxRestarts, reportEvery } = train;
  const age = step - initialisedAt;
  const due = restartAfter > 0 && age >= restartAfter && age < restartAfter + reportEvery;
  return due && loss > restartAbove && restarts < maxRestarts;
}

/**
 * The state after a restart with new weights: some initial weights lead to a local minimum that training cannot leave.
 */
const restarted = (config: Config, { window, seconds, restarts }: RunState, step: number): RunState => ({
  ...startRun(config),
  window,
  seconds,
  restarts: restarts + 1,
  initialisedAt: step,
});

/** The state after an evaluation step. @param passed whether the evaluation reached stopAt */
export const afterEvaluation = (run: RunState, passed: boolean): RunState => ({
  ...run,
  passes: passed ? run.passes + 1 : 0,
  patience: updatePatience(run.patience),
});

/** The state after more seconds of training. */
export const addSeconds = (run: RunState, seconds: number): RunState => ({
  ...run,
  seconds: run.seconds + seconds,
});

/**
 * Why a run is over after this many steps; undefined if it is not. `done`: all steps are done; `solved`: stopPasses
 * evaluations in a row reached stopAt; `stalled`: the training loss has not improved for `patience` evaluations.
 */
export function endingOf(
  { train }: Config,
  { passes, patience }: RunState,
  step: number,
): 'solved' | 'done' | 'stalled' | undefined {
  if (train.stopAt && passes >= train.stopPasses) return 'solved';
  if (step >= train.steps) return 'done';
  return train.patience && patience.stale >= train.patience ? 'stalled' : undefined;
}

// ---- Curriculum ---------------------------------------------------------------------------------------------------

/**
 * The curriculum of Trask's tutorial, after one more report: once growAfter sequences are seen, the longest source
 * grows by one symbol when the absolute error per 100 sequences, over at least growEvery sequences, is below
 * growBelowPerLength · range + growBelow, where range = longest − shortest + 1 (the tutorial's max_len). Until the
 * growth takes effect, sequences still have the old range, so no further decision is made.
 */
export function accumulateError(config: Config, state: CurriculumState, report: StepReport): CurriculumState {
  const { growEvery, growBelowPerLength, growBelow, growAfter } = config.train;
  if (!growEvery || !report.finite) return state;
  const sequences = state.sequences + report.sequences;
  if (state.grow) return { ...state, sequences };
  const windowSequences = state.windowSequences + report.sequences;
  const windowError = state.windowError + report.absoluteError;
  if (windowSequences < growEvery) return { ...state, sequences, windowSequences, windowError };
  const range = state.length - config.task.minLength + 1;
  const errorPer100 = (windowError * 100) / windowSequences;
  const grow = sequences > growAfter && errorPer100 < growBelowPerLength * range + growBelow;
  return { ...state, grow, sequences, windowSequences: 0, windowError: 0 };
}

/** Applies the decision to grow. It takes effect from the next step on. */
export const applyGrowth = (state: CurriculumState): CurriculumState =>
  state.grow ? { ...state, length: state.length + 1, grow: false } : state;

// ---- Patience -----------------------------------------------------------------------------------------------------

/** The patience state after one more report: sums up the training loss between two evaluations. */
const accumulateLoss = (state: PatienceState, report: StepReport): PatienceState =>
  report.finite
    ? { ...state, loss: state.loss + report.loss, targets: state.targets + report.targets }
    : state;

/**
 * The patience state after an evaluation step. Steps that were not finite are ignored; a window without finite steps is
 * no improvement.
 */
function updatePatience(state: PatienceState): PatienceState {
  const mean = state.loss / state.targets;
  const better = state.targets > 0 && (state.evaluations === 0 || mean < state.best);
  const evaluations = state.targets > 0 || state.evaluations > 0 ? state.evaluations + 1 : 0;
  const rest = { loss: 0, targets: 0, evaluations };
  return better ? { ...rest, best: mean, stale: 0 } : { ...rest, best: state.best, stale: state.stale + 1 };
}
