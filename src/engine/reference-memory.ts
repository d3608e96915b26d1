import { InputError } from '../base/errors.ts';
import { DEPTH, endsOf, gradientName, type MemoryName, memoryKind } from '../base/memories.ts';
import { type MemoryReads, memoryBackward, memoryForward } from '../reference/memory.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
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

/** Numbers of a state, on average: strengths and as many references to rows, or cells. */
const stateSize = ({ kind, T, M, depth = DEPTH }: MemoryShape): number =>
  memoryKind(kind).rows ? T : depth * M;

/** The reference's memory as a layer of its own. */
export class ReferenceMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #life: Life;
  /** Per sequence: inputs and what the last forward made of them. */
  #kept: { controls: Float32Array[]; value: Float32Array; made: MemoryReads }[] = [];

  constructor(shape: MemoryShape, life: Life) {
    checkMemoryShape(shape);
    const { kind, B, T, M } = shape;
    checkSize(
      `a memory of ${B} sequences of ${T} steps`,
      B * T * endsOf(kind) * (stateSize(shape) + 4 * M + 8),
      'B or T',
    );
    this.shape = { ...shape };
    this.#life = life;
  }

  get bytes(): number {
    return this.#kept.reduce((sum, { controls, value, made }) => {
      const given = [...controls, value].reduce((all, { length }) => all + length, 0);
      const state = 8 * made.states.length * stateSize(this.shape);
      return sum + 4 * given + state;
    }, 0);
  }

  async forward(...inputs: Float32Array[]): Promise<Float32Array> {
    this.#life.check();
    checkMemoryInputs(this.shape, inputs);
    const { kind, B, steps, rows } = this.#sizes();
    const reads = new Float32Array(B * rows);
    const [all, value] = [inputs.slice(0, -1), inputs[inputs.length - 1]];
    this.#kept = [];
    for (let b = 0; b < B; b++) {
      // Copies, for the caller may write to his arrays before the backward pass.
      const controls = all.map(numbers => numbers.slice(b * steps, (b + 1) * steps));
      const own = value.slice(b * rows, (b + 1) * rows);
      const made = memoryForward(kind, controls, own, this.shape.depth);
      reads.set(made.read, b * rows);
      this.#kept.push({ controls, value: own, made });
    }
    return reads;
  }

  async backward(dRead: Float32Array): Promise<MemoryGradients> {
    this.#checkForwarded('backward');
    checkReadGradient(this.shape, dRead);
    const { kind, B, steps, rows } = this.#sizes();
    const gradients: MemoryGradients = { dValue: new Float32Array(B * rows) };
    for (const { name } of memoryKind(kind).controls)
      gradients[gradientName(name)] = new Float32Array(B * steps);
    this.#kept.forEach(({ controls, value, made }, b) => {
      const dr = dRead.subarray(b * rows, (b + 1) * rows);
      for (const [name, numbers] of Object.entries(
        memoryBackward(kind, controls, value, made, dr, this.shape.depth),
      ))
        gradients[name].set(numbers, b * (name === 'dValue' ? rows : steps));
    });
    return gradients;
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#checkForwarded('strengths');
    return this.#kept.map(({ made }) => made.strengths.map(s => Float32Array.from(s)));
  }

  destroy(): void {
    this.#kept = [];
    this.#life.end();
  }

  /** Numbers of one sequence: T·E strengths, T·E·M in rows. */
  #sizes(): { kind: MemoryName; B: number; steps: number; rows: number } {
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
