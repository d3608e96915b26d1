/** Measures the progress and speed of training, and limits the work in flight on the device. */
import type { Config } from '../base/config.ts';
import type { Progress } from './callbacks.ts';
import { emptySums, type Metrics, metricsOf } from './metrics.ts';
import type { RunState } from './run-state.ts';

/** Maximum work in flight on the device, in ms and in steps: a pause has to wait for it. */
const QUEUED_MS = 150;
const QUEUED_STEPS = 128;

/** Number of training steps, their time steps, and the time they took in ms, without evaluations. */
interface StepTotals {
  steps: number;
  timeSteps: number;
  ms: number;
}

const EMPTY: StepTotals = { steps: 0, timeSteps: 0, ms: 0 };

export class ProgressMeter {
  /** Smoothed time per step, in ms; 0 until measured. */
  #msPerStep = 0;
  /** Totals since the last progress report. */
  #totals = EMPTY;
  /** The metrics of the last report, and the totals that its speeds were computed from. */
  #reportedMetrics: Metrics = metricsOf(emptySums());
  #reportedTotals = EMPTY;

  /** False before the first step is done, while the time per step is unknown. */
  get isKnown(): boolean {
    return this.#msPerStep > 0;
  }

  /** Whether to wait before another step is enqueued. @param steps number of steps in flight */
  isFull(steps: number): boolean {
    return steps >= Math.min(QUEUED_STEPS, QUEUED_MS / this.#msPerStep);
  }

  /** Counts one more step. @param waited whether `ms` includes the wait for all steps in flight */
  add(timeSteps: number, ms: number, waited: boolean): void {
    const before = this.#totals;
    const now = {
      steps: before.steps + 1,
      timeSteps: before.timeSteps + timeSteps,
      ms: before.ms + ms,
    };
    this.#totals = now;
    if (!waited) return;
    const mean = now.ms / now.steps;
    this.#msPerStep = this.isKnown ? 0.8 * this.#msPerStep + 0.2 * mean : mean;
  }

  /** Discards the totals since the last report, because their steps will be repeated. */
  forget(): void {
    this.#totals = EMPTY;
  }

  /**
   * Progress over the steps since the last report. Until the first of them is measured, the metrics and speeds are
   * those of the last report.
   */
  progress({ train }: Config, { window: sums, curriculum, seconds }: RunState, step: number): Progress {
    const metrics = sums.steps + sums.badSteps > 0 ? metricsOf(sums) : this.#reportedMetrics;
    const totals = this.#totals.ms > 0 ? this.#totals : this.#reportedTotals;
    return {
      ...metrics,
      step,
      steps: train.steps,
      length: curriculum.length,
      sequencesPerSecond: (totals.steps * train.batch * 1000) / totals.ms,
      timeStepsPerSecond: (totals.timeSteps * 1000) / totals.ms,
      elapsed: seconds,
      eta: this.isKnown ? ((train.steps - step) * this.#msPerStep) / 1000 : Number.NaN,
    };
  }

  /** Records that this progress was reported. */
  reported(progress: Progress): void {
    this.#reportedMetrics = progress;
    this.#reportedTotals = this.#totals;
    this.#totals = EMPTY;
  }
}
