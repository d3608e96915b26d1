import { InputError } from '../base/errors.ts';

/**
 * Which calls of a memory may follow which, the same on every engine. A memory goes over whole sequences (forward, backward) or
 * over single steps (step, then stepBackward, newest step first); reset() allows either again.
 */
export class StepOrder {
  readonly #T: number;
  #mode: 'empty' | 'sequences' | 'steps' = 'empty';
  /** Steps taken since reset(), and those of them that were not gone back over. */
  #taken = 0;
  #left = 0;

  constructor(T: number) {
    this.#T = T;
  }

  /** Nothing is kept for a later call. */
  get empty(): boolean {
    return this.#mode === 'empty';
  }

  get stepping(): boolean {
    return this.#mode === 'steps';
  }

  /** Steps taken that were not gone back over. */
  get left(): number {
    return this.#left;
  }

  /** forward() over whole sequences. */
  forward(): void {
    if (this.stepping)
      throw new InputError('forward() takes whole sequences, but step() has begun one: call reset() first.');
    this.#mode = 'sequences';
  }

  /** What needs the last forward(). */
  needForward(call: string): void {
    if (this.stepping) {
      throw new InputError(
        `${call}() needs forward(), but this memory takes single steps: call stepBackward(), or reset() and forward().`,
      );
    }
    if (this.#mode === 'empty') throw new InputError(`${call}() needs a forward pass: call forward() first.`);
  }

  /** step(). Returns t. */
  step(): number {
    if (this.#mode === 'sequences')
      throw new InputError('step() begins a sequence of its own: after forward(), call reset() first.');
    if (this.#left < this.#taken) {
      throw new InputError('step() cannot follow stepBackward(): call reset() to begin the next sequence.');
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

  /** stepBackward(). Returns t, and whether it is the newest step. */
  stepBackward(): { t: number; newest: boolean } {
    if (this.#mode === 'sequences') {
      throw new InputError(
        'stepBackward() needs step(), but the last pass was forward(): call backward(), or reset() and step().',
      );
    }
    if (this.#taken === 0) throw new InputError('stepBackward() needs a step: call step() first.');
    if (this.#left === 0) {
      throw new InputError(
        `stepBackward() was called for all steps taken, ${this.#taken}: call reset() to begin the next sequence.`,
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
