import { InputError } from '../base/errors.ts';

/** Dead once destroyed; what belongs to an engine dies with it. */
export class Lifetime {
  #over = false;
  readonly #what: string;
  readonly #of?: Lifetime;
  constructor(what: string, of?: Lifetime) {
    this.#what = what;
    this.#of = of;
  }
  check(): void {
    this.#of?.check();
    if (this.#over) throw new InputError(`this ${this.#what} was destroyed: make a new one.`);
  }
  get over(): boolean {
    return this.#over || (this.#of?.over ?? false);
  }
  /** True the first time. */
  end(): boolean {
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}
