/** Measures the progress and speed of training, and limits the work in flight on the device. */
import type { Config } from '../base/config.ts';
import type { Progress } from './callbacks.ts';
import { type Metrics, metricsOf, noSums } from './metrics.ts';
import type { RunState } from './run-state.ts';

/** Maximum work in flight on the device, in ms and in steps: a pause has to wait for it. */
const QUEUED_MS = 150;
const QUEUED_STEPS = 128;

/** Training steps, their time steps, and their time in ms, without evaluations. */
interface Pace {
  steps: number;
  timeSteps: number;
  ms: number;
}

const EMPTY: Pace = { steps: 0, timeSteps: 0, ms: 0 };

export class ProgressMeter {
  /** Smoothed time per step, in ms; 0 until measured. */
  #msPerStep = 0;
  /** Pace since the last progress report. */
  #pace = EMPTY;
  /** The last report, and the pace that it was computed from. */
  #reportedMetrics: Metrics = metricsOf(noSums());
  #reportedPace = EMPTY;

  /** False before the first step is done, while the time per step is unknown. */
  get isKnown(): boolean {
    return this.#msPerStep > 0;
  }

  /** Whether this many steps in flight are too many to enqueue another. */
  isFull(steps: number): boolean {
    return steps >= Math.min(QUEUED_STEPS, QUEUED_MS / this.#msPerStep);
  }

  /** Counts one more step. @param waited whether `ms` includes the wait for all steps in flight */
  add(timeSteps: number, ms: number, waited: boolean): void {
    const before = this.#pace;
    const now = {
      steps: before.steps + 1,
      timeSteps: before.timeSteps + timeSteps,
      ms: before.ms + ms,
    };
    this.#pace = now;
    if (!waited) return;
    const mean = now.ms / now.steps;
    this.#msPerStep = this.isKnown ? 0.8 * this.#msPerStep + 0.2 * mean : mean;
  }

  /** Discards the pace since the last report, because these steps will be repeated. */
  forget(): void {
    this.#pace = EMPTY;
  }

  /** Progress over the steps since the last report; until the first of them is measured, the last reported progress. */
  progress({ train }: Config, { window: sums, curriculum, seconds }: RunState, step: number): Progress {
    const metrics = sums.steps + sums.badSteps > 0 ? metricsOf(sums) : this.#reportedMetrics;
    const pace = this.#pace.ms > 0 ? this.#pace : this.#reportedPace;
    return {
      ...metrics,
      step,
      steps: train.steps,
      length: curriculum.length,
      sequencesPerSecond: (pace.steps * train.batch * 1000) / pace.ms,
      timeStepsPerSecond: (pace.timeSteps * 1000) / pace.ms,
      elapsed: seconds,
      eta: this.isKnown ? ((train.steps - step) * this.#msPerStep) / 1000 : Number.NaN,
    };
  }

  /** Records that this progress was reported. */
  reported(progress: Progress): void {
    this.#reportedMetrics = progress;
    this.#reportedPace = this.#pace;
    this.#pace = EMPTY;
  }
}
