import { DeviceError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Evaluation } from './evaluate.ts';
import type { Metrics } from './metrics.ts';
import type { Recovered } from './recovery.ts';
import { BAD_STEPS } from './run-state.ts';

/** Reported every reportEvery steps: metrics are means over those. */
export interface Progress extends Metrics {
  /** Steps done, and at most. */
  step: number;
  steps: number;
  /** Longest source trained on. */
  length: number;
  sequencesPerSecond: number;
  /** Steps of all sequences, padding left out. */
  timeStepsPerSecond: number;
  /** Seconds trained, and still to go if all steps are made: NaN before the first. */
  elapsed: number;
  eta: number;
}

/** Which restart it is, and the loss that the run was stuck at. */
export interface Restart {
  step: number;
  restarts: number;
  loss: number;
}

export interface Callbacks {
  onProgress?(progress: Progress): void;
  onEvaluation?(evaluation: Evaluation, step: number): void;
  /** A stuck run restarts with new weights (restartAfter). */
  onRestart?(restart: Restart): void;
  /**
   * Opens another engine of the same kind after the device of this one was lost: the run resumes from its last snapshot
   * on the host, with the same numbers. Without it, or where that fails, a loss ends the run.
   */
  reopen?(lost: Engine): Promise<Engine>;
  onRecovered?(recovered: Recovered): void;
  /**
   * Minimum ms between snapshots on the host (2,000), 0 for whenever the trainer waits: the work that is repeated after a
   * loss. They change no number.
   */
  snapshotMs?: number;
}

/**
 * Why run() returned. `done`: all steps made; `solved`: stopAt reached, stopPasses times in a row; `stalled`: the training loss
 * has not improved for as long as patience allows.
 */
export type Ending = 'done' | 'solved' | 'stalled' | 'stopped' | 'paused';

/** Training produced NaN or infinity. The state is that before them. */
export class Diverged extends DeviceError {
  /** @param cause which step was the first, and what in it, as a sentence; '' where that is unknown */
  constructor(step: number, rate: number, cause: string) {
    super(
      `training diverged: ${BAD_STEPS} steps in a row before step ${step} gave a loss or gradients that are NaN or infinite, and were not applied.${cause} Lower train.rate (now ${rate}), or clip gradients.`,
    );
  }
}

/** Calls callbacks once per step: steps that are repeated after a device was lost are not reported again. */
export class Reporter {
  readonly #callbacks: Callbacks;
  /** The last step of each kind that was reported. */
  readonly #last: { progress: number; evaluation: number; restart: number };

  /** @param step the step that the run starts from */
  constructor(callbacks: Callbacks, step: number) {
    this.#callbacks = callbacks;
    this.#last = { progress: step, evaluation: step, restart: step };
  }

  /** @param again even where this step was reported before. Returns whether it was reported now. */
  progress(progress: Progress, again: boolean): boolean {
    const due = this.#isNew('progress', progress.step) || again;
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
