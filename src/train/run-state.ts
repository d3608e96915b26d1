/**
 * What a run has gathered beside the model, and every change of it: plain data in, plain data out.
 *
 * Reports come in order but in bundles of any size, while a batch must depend on its step alone. So reports are only
 * accumulated as they come; decisions fall at fixed steps, the report and evaluation steps. A run resumed from any of
 * these states therefore decides as the unbroken one does.
 */
import type { Config } from '../base/config.ts';
import type { StepReport } from '../engine/engine.ts';
import { addReport, metricsOf, noSums, type Sums } from './metrics.ts';

/** What a run has gathered beside the model: plain numbers, which a checkpoint has. */
export interface RunState {
  curriculum: CurriculumState;
  /** Reports since the last report step. */
  window: Sums;
  /** Steps in a row that were not finite. */
  badRun: number;
  /** Evaluations in a row that reached stopAt. */
  passes: number;
  patience: PatienceState;
  /** Step at which the present weights began, and the number of restarts. */
  begun: number;
  restarts: number;
  /** Seconds trained. */
  seconds: number;
}

export interface CurriculumState {
  /** Longest source trained on now. */
  length: number;
  /** Decided, but not yet in effect: one symbol longer. */
  grow: boolean;
  /** Sequences seen, in all and since the last decision; absolute error summed over the latter. */
  sequences: number;
  windowSequences: number;
  windowError: number;
}

export interface PatienceState {
  /** Σ loss and targets since the last evaluation. */
  loss: number;
  targets: number;
  /** Evaluations so far, and those since the mean loss was last lower than ever before: that one, `best`. */
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

/** Before the first step. */
export const startRun = (config: Config): RunState => ({
  curriculum: startCurriculum(config),
  window: noSums(),
  badRun: 0,
  passes: 0,
  patience: startPatience(),
  begun: 0,
  restarts: 0,
  seconds: 0,
});

/** Steps in a row that may be not finite before training gives up. */
export const BAD_STEPS = 10;

/** The state after the report of one more step. */
export function afterReport(config: Config, run: RunState, report: StepReport): RunState {
  const window = { ...run.window };
  addReport(window, report);
  // Stays at the limit until the next report step.
  const badRun = run.badRun >= BAD_STEPS ? run.badRun : report.finite ? 0 : run.badRun + 1;
  return {
    ...run,
    curriculum: accumulateError(config, run.curriculum, report),
    window,
    badRun,
    patience: accumulateLoss(run.patience, report),
  };
}

/** What is due after this many steps: a report step, an evaluation step, the last step. */
export const dueAt = ({ train: { steps, reportEvery, evaluateEvery } }: Config, step: number) => ({
  report: step % reportEvery === 0,
  evaluation: evaluateEvery > 0 && step % evaluateEvery === 0,
  last: step === steps,
});

/** What happens at a report step: training continues, gives up, or restarts with new weights. */
export type Decision = 'continue' | 'diverge' | 'restart';

/**
 * The state after a report step, and what was decided there. Not at the last step unless it is a report step: what
 * happens must not depend on how many steps are to come. `loss` is the mean over the window that ends here.
 */
export function afterReportStep(
  config: Config,
  run: RunState,
  step: number,
): { run: RunState; decision: Decision; loss: number } {
  const { loss } = metricsOf(run.window);
  const curriculum = applyGrowth(run.curriculum);
  // Longer sequences are harder: their loss is not to be measured by that of the shorter ones.
  const patience = curriculum.length > run.curriculum.length ? startPatience() : run.patience;
  const next = { ...run, curriculum, window: noSums(), patience };
  if (run.badRun >= BAD_STEPS) return { run: { ...next, badRun: 0 }, decision: 'diverge', loss };
  if (isStuck(config, run, step, loss))
    return { run: restarted(config, next, step), decision: 'restart', loss };
  return { run: next, decision: 'continue', loss };
}

/** Asked once for each set of weights: what has learned may stumble later without losing everything. */
function isStuck({ train }: Config, { begun, restarts }: RunState, step: number, loss: number): boolean {
  const { restartAfter, restartAbove, maxRestarts, reportEvery } = train;
  const age = step - begun;
  const due = restartAfter > 0 && age >= restartAfter && age < restartAfter + reportEvery;
  return due && loss > restartAbove && restarts < maxRestarts;
}

/** Some weights lead into a corner that the gradient does not lead out of; others do not. */
const restarted = (config: Config, { window, seconds, restarts }: RunState, step: number): RunState => ({
  ...startRun(config),
  window,
  seconds,
  restarts: restarts + 1,
  begun: step,
});

/** The state after an evaluation step. @param passed whether the evaluation reached stopAt */
export const afterEvaluation = (run: RunState, passed: boolean): RunState => ({
  ...run,
  passes: passed ? run.passes + 1 : 0,
  patience: updatePatience(run.patience),
});

/** The state after so many more seconds of training. */
export const afterSeconds = (run: RunState, seconds: number): RunState => ({
  ...run,
  seconds: run.seconds + seconds,
});

/**
 * Why a run is over after this many steps; undefined where it is not. `done`: all steps made; `solved`: stopAt reached,
 * stopPasses times in a row; `stalled`: the training loss has not improved for as long as patience allows.
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
 * The tutorial's curriculum, after one more report: sources become one symbol longer when the absolute error over 100
 * sequences is below growBelowPerLength · range + growBelow, where range = longest − shortest + 1 (the tutorial's
 * max_len). Until a decision takes effect, sequences are still of the old range and decide nothing more.
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

/** A decision takes effect: from the next step on. */
export const applyGrowth = (state: CurriculumState): CurriculumState =>
  state.grow ? { ...state, length: state.length + 1, grow: false } : state;

// ---- Patience -----------------------------------------------------------------------------------------------------

/** Early stopping on the mean training loss per target between two evaluations: one more report. */
const accumulateLoss = (state: PatienceState, report: StepReport): PatienceState =>
  report.finite
    ? { ...state, loss: state.loss + report.loss, targets: state.targets + report.targets }
    : state;

/** After an evaluation step. Steps that were not finite do not count: a window of them alone is no better. */
function updatePatience(state: PatienceState): PatienceState {
  const mean = state.loss / state.targets;
  const better = state.targets > 0 && (state.evaluations === 0 || mean < state.best);
  const evaluations = state.targets > 0 || state.evaluations > 0 ? state.evaluations + 1 : 0;
  const rest = { loss: 0, targets: 0, evaluations };
  return better ? { ...rest, best: mean, stale: 0 } : { ...rest, best: state.best, stale: state.stale + 1 };
}
