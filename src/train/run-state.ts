/**
 * What a run has gathered beside the model, and every change of it: plain data in, plain data out.
 *
 * Reports come in order but in bundles of any size, while a batch must depend on its step alone. So reports are only
 * accumulated as they come; decisions fall at fixed steps, the report and evaluation steps. A run resumed from any of
 * these states therefore decides as the unbroken one does.
 */
import type { Config } from '../base/config.ts';
import type { StepReport } from '../engine/engine.ts';
import { type RunState, startRun } from './checkpoint.ts';
import { absorb, commit } from './curriculum.ts';
import { addReport, metricsOf, noSums } from './metrics.ts';
import { feel, startPatience, weigh } from './patience.ts';

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
    curriculum: absorb(config, run.curriculum, report),
    window,
    badRun,
    patience: feel(run.patience, report),
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
  const curriculum = commit(run.curriculum);
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
  patience: weigh(run.patience),
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
