import { InputError } from '../base/errors.ts';
import { endsOf } from '../base/parameters.ts';
import { memoryBackward, memoryForward } from '../reference/memory.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryKind, MemoryLayer, MemoryShape } from './engine.ts';
import type { Life } from './life.ts';

/** The literal reference keeps T²/2 strengths an end: what would not fit into memory is refused beforehand. */
export function checkSize(what: string, numbers: number, smaller: string): void {
  const [gib, most] = [(numbers * 8) / 2 ** 30, 2];
  if (gib > most) {
    throw new InputError(
      `${what} needs ${gib.toFixed(1)} GiB in the float64 reference, which takes at most ${most}: ` +
        `make ${smaller} smaller, or use the gpu engine.`,
    );
  }
}

/** The reference's memory as a layer of its own. */
export class ReferenceMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #life: Life;
  /** Per sequence: inputs and strengths of the last forward. */
  #kept: { push: Float32Array; pop: Float32Array; value: Float32Array; strengths: Float64Array[] }[] = [];

  constructor(shape: MemoryShape, life: Life) {
    checkMemoryShape(shape);
    const { kind, B, T, M } = shape;
    checkSize(
      `a memory of ${B} sequences of ${T} steps`,
      B * T * endsOf(kind) * (T / 2 + 4 * M + 8),
      'B or T',
    );
    this.shape = { ...shape };
    this.#life = life;
  }

  get bytes(): number {
    return this.#kept.reduce(
      (sum, { push, pop, value, strengths }) =>
        sum +
        4 * (push.length + pop.length + value.length) +
        8 * strengths.reduce((rows, { length }) => rows + length, 0),
      0,
    );
  }

  async forward(push: Float32Array, pop: Float32Array, value: Float32Array): Promise<Float32Array> {
    this.#life.check();
    checkMemoryInputs(this.shape, push, pop, value);
    const { kind, B, steps, rows } = this.#sizes();
    const reads = new Float32Array(B * rows);
    this.#kept = [];
    for (let b = 0; b < B; b++) {
      // Copies, for the caller may write to his arrays before the backward pass.
      const given = {
        push: push.slice(b * steps, (b + 1) * steps),
        pop: pop.slice(b * steps, (b + 1) * steps),
        value: value.slice(b * rows, (b + 1) * rows),
      };
      const { read, strengths } = memoryForward(kind, given.push, given.pop, given.value);
      reads.set(read, b * rows);
      this.#kept.push({ ...given, strengths });
    }
    return reads;
  }

  async backward(dRead: Float32Array): Promise<MemoryGradients> {
    this.#checkForwarded('backward');
    checkReadGradient(this.shape, dRead);
    const { kind, B, steps, rows } = this.#sizes();
    const made = {
      dPush: new Float32Array(B * steps),
      dPop: new Float32Array(B * steps),
      dValue: new Float32Array(B * rows),
    };
    this.#kept.forEach(({ push, pop, value, strengths }, b) => {
      const dr = dRead.subarray(b * rows, (b + 1) * rows);
      const { dPush, dPop, dValue } = memoryBackward(kind, push, pop, value, strengths, dr);
      made.dPush.set(dPush, b * steps);
      made.dPop.set(dPop, b * steps);
      made.dValue.set(dValue, b * rows);
    });
    return made;
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#checkForwarded('strengths');
    return this.#kept.map(({ strengths }) => strengths.map(s => Float32Array.from(s)));
  }

  destroy(): void {
    this.#kept = [];
    this.#life.end();
  }

  /** Numbers of one sequence: T·E strengths, T·E·M in rows. */
  #sizes(): { kind: MemoryKind; B: number; steps: number; rows: number } {
    const { kind, B, T, M } = this.shape;
    const steps = T * endsOf(kind);
    return { kind, B, steps, rows: steps * M };
  }

  #checkForwarded(call: string): void {
    this.#life.check();
    if (this.#kept.length === 0)
      throw new InputError(`${call}() needs a forward pass: call forward() first.`);
  }
}
