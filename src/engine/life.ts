import { InputError } from '../base/errors.ts';

/** Dead once destroyed; what belongs to an engine dies with it. */
export class Life {
  #over = false;
  readonly #what: string;
  readonly #of?: Life;
  constructor(what: string, of?: Life) {
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
