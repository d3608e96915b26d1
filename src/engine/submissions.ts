import type { Gpu } from '../gpu/device.ts';
import type { SliceSteps } from '../kernels/slices.ts';
import type { Lifetime } from './lifetime.ts';
import { Turns } from './turns.ts';

/** Maximum number of submissions in flight while work is submitted slice by slice. */
const MAX_IN_FLIGHT = 2;

/**
 * Submits the work of a model or a memory in the order of the calls. Work that is cut into slices takes time to
 * enqueue, and the work of later calls must not be submitted between its slices.
 */
export class Submissions extends Turns {
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, lifetime: Lifetime) {
    super(lifetime);
    this.#gpu = gpu;
  }

  /**
   * Submits pieces in order: a single piece immediately, several with at most two in flight. Sometimes measures how
   * long they take, but only on an idle device, where the time includes no earlier work.
   * @param steps what all pieces cover together: T time steps of B sequences in `passes` passes
   * @returns a promise if the pieces are submitted one by one
   */
  submit(
    pieces: readonly (() => void)[],
    slices: SliceSteps,
    steps: { T: number; B: number; passes: number },
  ): undefined | Promise<undefined> {
    const start = performance.now();
    const timed = this.#gpu.idle && (slices.due || pieces.length > 1);
    slices.submitted(timed);
    const done = (): undefined => {
      if (!timed) return;
      this.#gpu.done().then(
        () => slices.took(performance.now() - start, steps),
        // The device was lost. The next check reports it.
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
      if (inFlight.length >= MAX_IN_FLIGHT) await inFlight.shift();
      this.lifetime.check();
      this.#gpu.check();
      piece();
      inFlight.push(this.#gpu.done().catch(() => undefined));
    }
    return done();
  }
}
