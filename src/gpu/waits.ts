/**
 * Waits for the queue of a device. Some implementations look for finished work at fixed times only, and on every submission:
 * in Firefox 153 a wait ends up to 100 ms after the work did, and 2–3 ms after it where empty submissions follow each other
 * while something is waited for (bench/lab/waits.ts measures it). Chrome and Dawn need none. Which kind a device is of is
 * measured once, when it is opened.
 */
export class Waits {
  readonly #queue: GPUQueue;
  #nudges = false;
  #ended = false;
  /** Waits under way. */
  #open = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(queue: GPUQueue) {
    this.#queue = queue;
  }

  /** Whether empty submissions are made during a wait: false until measure() has found that they help. */
  get nudges(): boolean {
    return this.#nudges;
  }

  /**
   * Measures waits on an idle queue, and nudges from then on where that makes them shorter. Takes less than a millisecond where
   * waits are short, and some 200 ms where they are long. Rejects as the queue does.
   * @param orLost ends a wait when the device is lost
   */
  async measure(orLost: <T>(promised: Promise<T>) => Promise<T>): Promise<void> {
    const wait = async (nudged: boolean): Promise<number> => {
      this.#nudges = nudged;
      const start = performance.now();
      await orLost(this.during(this.#queue.onSubmittedWorkDone()));
      return performance.now() - start;
    };
    try {
      // The first one includes what opening the device left to do, and ends at some moment between two looks at the queue.
      await wait(false);
      const plain = await wait(false);
      this.#nudges = plain > LONG_MS && (await wait(true)) < plain / 2;
    } catch (error) {
      this.#nudges = false;
      throw error;
    }
  }

  /** Waits for what the queue has promised. */
  async during<T>(promised: Promise<T>): Promise<T> {
    if (!this.#nudges || this.#ended) return promised;
    // After the request, and at once: the work may be done already.
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

  /** The device was lost or is given back: waits under way may never end, and nothing is submitted any more. */
  end(): void {
    this.#ended = true;
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A wait on an idle queue that takes longer, in ms, is not one that ends when the work does. */
const LONG_MS = 10;
/** Between two nudges, in ms: in Firefox a wait then takes 2–3 ms, and with 4 ms 4–5 ms. */
const NUDGE_MS = 2;
