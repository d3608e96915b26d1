import type { Lifetime } from './lifetime.ts';

/** What a model or a memory is asked for, in that order: some of it takes a while, and what comes next must not overtake it. */
export class Turns {
  protected readonly lifetime: Lifetime;
  /** Work under way, or waiting; never rejects. */
  #last: Promise<unknown> | undefined;

  constructor(lifetime: Lifetime) {
    this.lifetime = lifetime;
  }

  /** Whether something is under way: what is asked for now will wait. */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Does `work` when all that was asked for before is done: at once, if it is. The next turn comes when what `work` returns is
   * settled; a promise that is not to be waited for must therefore be returned in an object.
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
