import type { Config } from '../base/config.ts';
import type { StepReport } from '../engine/engine.ts';

/**
 * The tutorial's curriculum: sources become one symbol longer when the absolute error over 100 sequences is
 * below growBelowPerLength · range + growBelow, where range = longest − shortest + 1 (the tutorial's max_len).
 *
 * Reports come in order but in bundles of any size, while a batch must depend on its step alone. So a decision
 * is a function of the reports (`absorb`), and takes effect (`commit`) only at fixed steps, the trainer's
 * report steps. In between, sequences are still of the old range and decide nothing more.
 */
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

export const startCurriculum = ({ task }: Config): CurriculumState => ({
  length: task.maxLength,
  grow: false,
  sequences: 0,
  windowSequences: 0,
  windowError: 0,
});

/** The state after one more report. */
export function absorb(config: Config, state: CurriculumState, report: StepReport): CurriculumState {
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

/** The state from the next step on: a decision takes effect. */
export const commit = (state: CurriculumState): CurriculumState =>
  state.grow ? { ...state, length: state.length + 1, grow: false } : state;
