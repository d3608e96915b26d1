import { InputError } from '../base/errors.ts';

/**
 * Whether an engine, a model or a memory can still be used. It is unusable after destroy(), and so is all that
 * belongs to it.
 */
export class Lifetime {
  #over = false;
  readonly #what: string;
  readonly #of?: Lifetime;
  constructor(what: string, of?: Lifetime) {
    this.#what = what;
    this.#of = of;
  }
  /** @throws InputError after end(), or after that of the owner */
  check(): void {
    this.#of?.check();
    if (this.#over) throw new InputError(`this ${this.#what} was destroyed: make a new one.`);
  }
  get over(): boolean {
    return this.#over || (this.#of?.over ?? false);
  }
  /** Ends the lifetime. Returns true only on the first call. */
  end(): boolean {
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}
