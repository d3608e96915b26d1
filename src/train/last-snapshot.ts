import { DeviceLost } from '../base/errors.ts';
import type { Checkpoint } from './checkpoint.ts';

/** Snapshots on the host: minimum ms between them, and the maximum share of the run's time that they take. */
const EVERY_MS = 2000;
const SHARE = 1 / 20;
/**
 * Maximum number of lost devices without a snapshot in between. Without this limit a run could repeat the same steps
 * forever.
 */
const MAX_LOST_DEVICES = 5;

/** The last snapshot on the host, from which a run resumes after its device is lost. */
export class LastSnapshot {
  #checkpoint: Checkpoint;
  /** When it was taken, and how long taking it took, in ms. */
  #at = performance.now();
  #took = 0;
  /** Devices lost in total, and since this snapshot. */
  #lost = 0;
  #lostSince = 0;

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = structuredClone(checkpoint);
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /** Whether the next snapshot is due. @param everyMs minimum ms between snapshots; 0: always due */
  isDue(everyMs = EVERY_MS): boolean {
    return performance.now() - this.#at > (everyMs && Math.max(everyMs, this.#took / SHARE));
  }

  /** Replaces the snapshot. @param start when taking the new one started, in ms of performance.now() */
  replace(checkpoint: Checkpoint, start: number): void {
    this.#checkpoint = checkpoint;
    this.#at = performance.now();
    this.#took = this.#at - start;
    this.#lostSince = 0;
  }

  /** Counts a lost device; returns the total. @throws DeviceLost after too many without a snapshot in between */
  countLostDevice(lost: DeviceLost): number {
    this.#lost++;
    if (++this.#lostSince > MAX_LOST_DEVICES) {
      throw new DeviceLost(
        `${lost.message} The device has been lost ${this.#lostSince} times since the last snapshot: the run is probably too large for it. Make the model, the batch or the lengths smaller.`,
      );
    }
    return this.#lost;
  }
}
