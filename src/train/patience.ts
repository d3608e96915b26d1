import type { StepReport } from '../engine/engine.ts';

/**
 * Early stopping on the mean training loss: over the steps between two evaluations, per target. As with the
 * curriculum, reports are added as they come, in bundles of any size, and decisions fall at fixed steps only, the
 * evaluation steps; so a resumed run stops where the unbroken one does. Plain numbers: a checkpoint has them.
 */
export interface PatienceState {
  /** Σ loss and targets since the last evaluation. */
  loss: number;
  targets: number;
  /** Evaluations so far, and those since the mean loss was last lower than ever before: that one, `best`. */
  evaluations: number;
  stale: number;
  best: number;
}

export const startPatience = (): PatienceState => ({
  loss: 0,
  targets: 0,
  evaluations: 0,
  stale: 0,
  best: 0,
});

/** The state after one more report. */
export const feel = (state: PatienceState, report: StepReport): PatienceState =>
  report.finite
    ? { ...state, loss: state.loss + report.loss, targets: state.targets + report.targets }
    : state;

/** The state after an evaluation step. Steps that were not finite are none: a window of them alone is no better. */
export function weigh(state: PatienceState): PatienceState {
  const mean = state.loss / state.targets;
  const better = state.targets > 0 && (state.evaluations === 0 || mean < state.best);
  const evaluations = state.targets > 0 || state.evaluations > 0 ? state.evaluations + 1 : 0;
  const rest = { loss: 0, targets: 0, evaluations };
  return better ? { ...rest, best: mean, stale: 0 } : { ...rest, best: state.best, stale: state.stale + 1 };
}
