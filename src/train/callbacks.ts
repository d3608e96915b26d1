import { DeviceError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Evaluation } from './evaluate.ts';
import type { Metrics } from './metrics.ts';
import type { Recovered } from './recovery.ts';
import { BAD_STEPS } from './run-state.ts';

/** Reported every reportEvery steps. The metrics are means over the steps since the last report. */
export interface Progress extends Metrics {
  /** Steps done, and the maximum number of steps. */
  step: number;
  steps: number;
  /** Length of the longest training source, in symbols. */
  length: number;
  sequencesPerSecond: number;
  /** Time steps of all sequences, without padding. */
  timeStepsPerSecond: number;
  /** Seconds of training so far, and seconds that remain if all steps are done; `eta` is NaN before the first step. */
  elapsed: number;
  eta: number;
}

/** A restart with new weights. */
export interface Restart {
  step: number;
  /** Number of restarts so far, including this one. */
  restarts: number;
  /** The loss at which the run was stuck. */
  loss: number;
}

export interface Callbacks {
  onProgress?(progress: Progress): void;
  onEvaluation?(evaluation: Evaluation, step: number): void;
  /** Called when a stuck run restarts with new weights (restartAfter). */
  onRestart?(restart: Restart): void;
  /**
   * Opens another engine of the same kind after the device is lost. The run then resumes from its last snapshot on the
   * host; on an adapter of the same name, the results are the same bit for bit. It is called up to five times until it
   * succeeds. Without this callback, or if every attempt fails, losing the device ends the run.
   */
  reopen?(lost: Engine): Promise<Engine>;
  onRecovered?(recovered: Recovered): void;
  /**
   * Minimum ms between snapshots on the host (default 2,000); 0 means whenever the trainer waits for the device.
   * With shorter intervals, less work is repeated after a device is lost. Snapshots change no results.
   */
  snapshotMs?: number;
}

/**
 * Why run() returned. `done`: all steps are done; `solved`: stopPasses evaluations in a row reached stopAt; `stalled`:
 * the training loss has not improved for `patience` evaluations; `stopped`: stop() was called; `paused`: pause() was
 * called.
 */
export type Ending = 'done' | 'solved' | 'stalled' | 'stopped' | 'paused';

/**
 * Training produced NaN or infinity. The failing steps were not applied: the trainer has the state from before them.
 */
export class Diverged extends DeviceError {
  /** @param cause a sentence that says which step failed first and what was not finite, or '' if unknown */
  constructor(step: number, rate: number, cause: string) {
    super(
      `training diverged: ${BAD_STEPS} steps in a row by step ${step} had a NaN or infinite loss or gradient; they were not applied.${cause} Lower train.rate (now ${rate}), or clip gradients.`,
    );
  }
}

/** Reports each step only once: steps repeated after a lost device are not reported again. */
export class Reporter {
  readonly #callbacks: Callbacks;
  /** The last reported step of each kind. */
  readonly #last: { progress: number; evaluation: number; restart: number };

  /** @param step the step at which the run starts */
  constructor(callbacks: Callbacks, step: number) {
    this.#callbacks = callbacks;
    this.#last = { progress: step, evaluation: step, restart: step };
  }

  /** Reports progress. Returns whether it was reported. @param force report even a step that was reported before */
  progress(progress: Progress, force: boolean): boolean {
    const due = this.#isNew('progress', progress.step) || force;
    if (due) this.#callbacks.onProgress?.(progress);
    return due;
  }

  evaluation(evaluation: Evaluation, step: number): void {
    if (this.#isNew('evaluation', step)) this.#callbacks.onEvaluation?.(evaluation, step);
  }

  restart(restart: Restart): void {
    if (this.#isNew('restart', restart.step)) this.#callbacks.onRestart?.(restart);
  }

  #isNew(kind: 'progress' | 'evaluation' | 'restart', step: number): boolean {
    if (step <= this.#last[kind]) return false;
    this.#last[kind] = step;
    return true;
  }
}
