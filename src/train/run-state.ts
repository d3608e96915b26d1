import type { Config } from '../base/config.ts';
import { type CurriculumState, startCurriculum } from './curriculum.ts';
import { noSums, type Sums } from './metrics.ts';
import { type PatienceState, startPatience } from './patience.ts';

/** What a run has gathered besides the model: plain numbers. */
export interface RunState {
  curriculum: CurriculumState;
  /** Reports since the last report step. */
  window: Sums;
  /** Steps in a row that were not finite. */
  badRun: number;
  /** Evaluations in a row that reached stopAt. */
  passes: number;
  patience: PatienceState;
  /** The step at which the present weights were drawn, and the number of restarts. */
  begun: number;
  restarts: number;
  /** Seconds trained. */
  seconds: number;
}

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
