/** How training goes: metrics, how fast, and how much work may be in flight on the device. */
import type { Config } from '../base/config.ts';
import type { Progress } from './callbacks.ts';
import { type Metrics, metricsOf, noSums } from './metrics.ts';
import type { RunState } from './run-state.ts';

/** Work that may be queued on the device, in ms and in steps: what a pause has to wait for. */
const QUEUED_MS = 150;
const QUEUED_STEPS = 128;

/** Training steps, their time steps and ms: evaluations are left out. */
interface Pace {
  steps: number;
  timeSteps: number;
  ms: number;
}

const EMPTY: Pace = { steps: 0, timeSteps: 0, ms: 0 };

export class ProgressMeter {
  /** Time per step, in ms, smoothed: 0 until known. */
  #msPerStep = 0;
  /** Since the last progress report. */
  #pace = EMPTY;
  /** That report, and what its pace was of. */
  #reportedMetrics: Metrics = metricsOf(noSums());
  #reportedPace = EMPTY;

  /** False before the first step is done: until then nobody knows how long a step takes. */
  get isKnown(): boolean {
    return this.#msPerStep > 0;
  }

  /** Whether so many steps in flight are as many as may be. */
  isFull(steps: number): boolean {
    return steps >= Math.min(QUEUED_STEPS, QUEUED_MS / this.#msPerStep);
  }

  /** One more step. @param waited whether its ms include the wait for all steps in flight */
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

  /** Steps since the last report are forgotten: they will be repeated. */
  forget(): void {
    this.#pace = EMPTY;
  }

  /** How training goes now: over the steps since the last report, or, before any of those is known, as last reported. */
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

  /** This progress was reported. */
  reported(progress: Progress): void {
    this.#reportedMetrics = progress;
    this.#reportedPace = this.#pace;
    this.#pace = EMPTY;
  }
}
