/**
 * Waits for the queue of a device. Some implementations check for finished work only at fixed intervals and on every
 * submission. In Firefox 153 a wait ends up to 100 ms after the work is done, but only 2–3 ms after it if empty
 * submissions ("nudges") are made during the wait (measured by bench/lab/waits.ts). Chrome and Dawn need no nudges.
 * Whether a device needs them is measured once, when it is opened.
 */
export class Waits {
  readonly #queue: GPUQueue;
  #nudges = false;
  #ended = false;
  /** Number of pending waits. */
  #open = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(queue: GPUQueue) {
    this.#queue = queue;
  }

  /** Whether waits make empty submissions. False until measure() has found that they help. */
  get nudges(): boolean {
    return this.#nudges;
  }

  /**
   * Measures waits on an idle queue, and enables nudges if they make waits shorter. Takes less than a millisecond if
   * waits are short, and about 200 ms if they are long. Rejects if the queue does.
   * @param rejectIfLost rejects when the device is lost
   */
  async measure(rejectIfLost: <T>(promised: Promise<T>) => Promise<T>): Promise<void> {
    const wait = async (nudged: boolean): Promise<number> => {
      this.#nudges = nudged;
      const start = performance.now();
      await rejectIfLost(this.during(this.#queue.onSubmittedWorkDone()));
      return performance.now() - start;
    };
    try {
      // The first wait is not measured: it includes work from opening the device, and starts at a random time between
      // two checks of the queue.
      await wait(false);
      const plain = await wait(false);
      this.#nudges = plain > LONG_MS && (await wait(true)) < plain / 2;
    } catch (error) {
      this.#nudges = false;
      throw error;
    }
  }

  /** Waits for a promise of the queue, with nudges if they help. */
  async during<T>(promised: Promise<T>): Promise<T> {
    if (!this.#nudges || this.#ended) return promised;
    // The first nudge is immediate, because the work may be done already.
    this.#queue.submit([]);
    this.#timer ??= setInterval(() => this.#queue.submit([]), NUDGE_MS);
    this.#open++;
    try {
      return await promised;
    } finally {
      this.#open--;
      if (this.#open === 0) this.#stop();
    }
  }

  /** Stops all nudges, because the device was lost or destroyed. Pending waits may never settle. */
  end(): void {
    this.#ended = true;
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A wait on an idle queue that takes longer than this, in ms, shows that waits end later than the work. */
const LONG_MS = 10;
/** Interval between nudges, in ms. At 2 ms a wait in Firefox takes 2–3 ms; at 4 ms it takes 4–5 ms. */
const NUDGE_MS = 2;
