import { InputError } from '../base/errors.ts';

/**
 * Tells whether an engine, a model or a memory can still be used. After destroy() it is unusable, and so is everything
 * that it owns.
 */
export class Lifetime {
  #ended = false;
  readonly #what: string;
  readonly #owner?: Lifetime;
  /** @param what name for messages: `engine`, `model` … @param owner when it ends, this lifetime ends too */
  constructor(what: string, owner?: Lifetime) {
    this.#what = what;
    this.#owner = owner;
  }
  /** @throws InputError after end() of this or of its owner */
  check(): void {
    this.#owner?.check();
    if (this.#ended) throw new InputError(`this ${this.#what} was destroyed: make a new one.`);
  }
  get ended(): boolean {
    return this.#ended || (this.#owner?.ended ?? false);
  }
  /** Ends the lifetime. Returns true only on the first call. */
  end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }
}
