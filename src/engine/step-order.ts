import { InputError } from '../base/errors.ts';

/**
 * Checks the order of a memory's calls, in the same way on every engine. A memory runs over whole sequences (forward,
 * backward) or over single steps (step, then stepBackward, newest step first). After reset() both are allowed again.
 */
export class StepOrder {
  readonly #T: number;
  #mode: 'empty' | 'sequences' | 'steps' = 'empty';
  /** Forward steps since reset(), and how many of them have no backward step yet. */
  #taken = 0;
  #left = 0;

  constructor(T: number) {
    this.#T = T;
  }

  /** Whether no state is kept for a later call. */
  get empty(): boolean {
    return this.#mode === 'empty';
  }

  get stepping(): boolean {
    return this.#mode === 'steps';
  }

  /** Number of forward steps without a backward step. */
  get left(): number {
    return this.#left;
  }

  /** Records forward() over whole sequences. @throws InputError between step() and reset() */
  forward(): void {
    if (this.stepping)
      throw new InputError(
        'forward() takes whole sequences, but step() has started a sequence of single steps: call reset() first.',
      );
    this.#mode = 'sequences';
  }

  /**
   * Checks that `call`, which needs the result of forward(), may run.
   * @throws InputError after step(), or if there was no forward pass
   */
  needForward(call: string): void {
    if (this.stepping) {
      throw new InputError(
        `${call}() needs forward(), but step() has started a sequence of single steps: call stepBackward(), or reset() and forward().`,
      );
    }
    if (this.#mode === 'empty') throw new InputError(`${call}() needs a forward pass: call forward() first.`);
  }

  /** Records step(). Returns its time step t. @throws InputError after forward(), stepBackward() or T steps */
  step(): number {
    if (this.#mode === 'sequences')
      throw new InputError('step() starts a new sequence: after forward(), call reset() first.');
    if (this.#left < this.#taken) {
      throw new InputError('step() cannot follow stepBackward(): call reset() to start the next sequence.');
    }
    if (this.#taken === this.#T) {
      throw new InputError(
        `step() was called for all T = ${this.#T} steps of this memory: call reset(), or make a memory with a larger T.`,
      );
    }
    this.#mode = 'steps';
    this.#left++;
    return this.#taken++;
  }

  /**
   * Records stepBackward(). Returns its time step t, and whether it is the newest one taken.
   * @throws InputError if no step is left
   */
  stepBackward(): { t: number; newest: boolean } {
    if (this.#mode === 'sequences') {
      throw new InputError(
        'stepBackward() needs step(), but the last pass was forward(): call backward(), or reset() and step().',
      );
    }
    if (this.#taken === 0) throw new InputError('stepBackward() needs a step: call step() first.');
    if (this.#left === 0) {
      throw new InputError(
        `stepBackward() was called for all ${this.#taken} steps taken: call reset() to start the next sequence.`,
      );
    }
    const newest = this.#left === this.#taken;
    this.#left--;
    return { t: this.#left, newest };
  }

  reset(): void {
    this.#mode = 'empty';
    this.#taken = 0;
    this.#left = 0;
  }
}
