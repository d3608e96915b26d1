import type { Lifetime } from './lifetime.ts';

/** Runs the calls of a model or a memory in order. Some take a while, and a later call must not overtake them. */
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
   * Runs `work` after all earlier calls are done; immediately if there are none. The next call runs when the result of
   * `work` settles. To return a promise that later calls should not wait for, wrap it in an object.
   * @throws InputError (or rejects with it) if the owner is destroyed by then
   */
  inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
    const alive = (): T | Promise<T> => {
      this.lifetime.check();
      return work();
    };
    const made = this.#last ? this.#last.then(alive) : alive();
    if (!(made instanceof Promise)) return made;
    const settled: Promise<unknown> = made
      .catch(() => undefined)
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
    return made;
  }
}
