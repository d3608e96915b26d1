import type { Lifetime } from './lifetime.ts';

/** Runs the calls of a model or a memory in order: a later call must not overtake one that is still running. */
export class Turns {
  protected readonly lifetime: Lifetime;
  /** The last call that is running or waiting. Never rejects. */
  #last: Promise<unknown> | undefined;

  constructor(lifetime: Lifetime) {
    this.lifetime = lifetime;
  }

  /** Whether a call is running, so that the next one has to wait. */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Runs `work` when all earlier calls are done; immediately if there are none. The next call runs when the result of
   * `work` settles. To return a promise that later calls should not wait for, wrap it in an object.
   * @throws InputError (or rejects with it) if the owner has been destroyed by then
   */
  inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
    const run = (): T | Promise<T> => {
      this.lifetime.check();
      return work();
    };
    const result = this.#last ? this.#last.then(run) : run();
    if (!(result instanceof Promise)) return result;
    const settled: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
    return result;
  }
}
