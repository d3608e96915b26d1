/** How fast training goes, and how much work may be in flight on the device. */

/** Work that may be queued on the device, in ms and in steps: what a pause has to wait for. */
const QUEUED_MS = 150;
const QUEUED_STEPS = 128;

/** Training steps, their time steps and ms: evaluations are left out. */
interface Sums {
  steps: number;
  timeSteps: number;
  ms: number;
}

const EMPTY: Sums = { steps: 0, timeSteps: 0, ms: 0 };

export class Pace {
  /** Time per step, in ms, smoothed: 0 until known. */
  #msPerStep = 0;
  /** Since the last progress report. */
  #current = EMPTY;
  /** What that report was of. */
  #reported = EMPTY;

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
    const before = this.#current;
    const now = {
      steps: before.steps + 1,
      timeSteps: before.timeSteps + timeSteps,
      ms: before.ms + ms,
    };
    this.#current = now;
    if (!waited) return;
    const mean = now.ms / now.steps;
    this.#msPerStep = this.isKnown ? 0.8 * this.#msPerStep + 0.2 * mean : mean;
  }

  /** The sums so far were reported; new ones begin. */
  report(): void {
    this.#reported = this.#current;
    this.#current = EMPTY;
  }

  /** Steps since the last report are forgotten: they will be repeated. */
  forget(): void {
    this.#current = EMPTY;
  }

  /** Over the steps since the last report, or, before any of those is known, as last reported. @param B sequences per step */
  rates(B: number): { sequencesPerSecond: number; timeStepsPerSecond: number } {
    const { steps, timeSteps, ms } = this.#current.ms > 0 ? this.#current : this.#reported;
    return { sequencesPerSecond: (steps * B * 1000) / ms, timeStepsPerSecond: (timeSteps * 1000) / ms };
  }

  /** Seconds that so many steps will take: NaN until known. */
  secondsFor(steps: number): number {
    return this.isKnown ? (steps * this.#msPerStep) / 1000 : Number.NaN;
  }
}
