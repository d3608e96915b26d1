import { DeviceLost } from '../base/errors.ts';
import type { Checkpoint } from './checkpoint.ts';

/** Snapshots on the host: ms between them, and the share of the time that they may take. */
const EVERY_MS = 2000;
const SHARE = 1 / 20;
/** Losses in a row, without a snapshot between them, before a run gives up: it would repeat the same steps for ever. */
const MAX_LOSSES = 5;

/** The last state on the host: what a run resumes from after its device was lost. */
export class LastSnapshot {
  #checkpoint: Checkpoint;
  /** When it was taken, and how long that took, in ms. */
  #at = performance.now();
  #took = 0;
  /** Devices lost in all, and since this snapshot. */
  #losses = 0;
  #lossesSince = 0;

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = structuredClone(checkpoint);
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /** Whether the next one is due. @param everyMs 0: always */
  isDue(everyMs = EVERY_MS): boolean {
    return performance.now() - this.#at > (everyMs && Math.max(everyMs, this.#took / SHARE));
  }

  /** @param start when taking it began */
  replace(checkpoint: Checkpoint, start: number): void {
    this.#checkpoint = checkpoint;
    this.#at = performance.now();
    this.#took = this.#at - start;
    this.#lossesSince = 0;
  }

  /** Counts a loss; returns how many there were in all. @throws DeviceLost after too many in a row */
  countLoss(lost: DeviceLost): number {
    this.#losses++;
    if (++this.#lossesSince > MAX_LOSSES) {
      throw new DeviceLost(
        `${lost.message} It was lost ${this.#lossesSince} times in a row at the same place: the run is too much for it.`,
      );
    }
    return this.#losses;
  }
}
