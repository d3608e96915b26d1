import type { Gpu } from '../gpu/device.ts';
import type { SliceSteps } from '../kernels/slices.ts';
import type { Lifetime } from './lifetime.ts';
import { Turns } from './turns.ts';

/** Submissions in flight at a time, where work is cut into several. */
const MOST_IN_FLIGHT = 2;

/**
 * What a model or a memory enqueues, in the order it is asked for: work that is cut into slices takes a while to be
 * enqueued, and whatever is asked for meanwhile must not come between.
 */
export class Submissions extends Turns {
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, lifetime: Lifetime) {
    super(lifetime);
    this.#gpu = gpu;
  }

  /**
   * Submits pieces, one after the other: one alone at once, of several no more than two are in flight. Now and then their
   * time is measured, on a device that has nothing else to do: the time of work queued before would be counted with it.
   *
   * @param steps that all of them go over, for `slices`
   */
  submit(
    pieces: readonly (() => void)[],
    slices: SliceSteps,
    steps: { T: number; B: number; ways: number },
  ): undefined | Promise<undefined> {
    const start = performance.now();
    const timed = this.#gpu.idle && (slices.due || pieces.length > 1);
    slices.submitted(timed);
    const done = (): undefined => {
      if (!timed) return;
      this.#gpu.done().then(
        () => slices.took(performance.now() - start, steps),
        // Lost: told elsewhere.
        () => undefined,
      );
    };
    if (pieces.length > 1) return this.#oneByOne(pieces, done);
    for (const piece of pieces) piece();
    return done();
  }

  async #oneByOne(pieces: readonly (() => void)[], done: () => undefined): Promise<undefined> {
    const inFlight: Promise<unknown>[] = [];
    for (const piece of pieces) {
      if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
      this.lifetime.check();
      this.#gpu.check();
      piece();
      inFlight.push(this.#gpu.done().catch(() => undefined));
    }
    return done();
  }
}
