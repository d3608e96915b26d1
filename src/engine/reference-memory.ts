import { InputError } from '../base/errors.ts';
import { DEPTH, endsOf, gradientName, type MemoryName, memoryKind, readsOf } from '../base/memories.ts';
import {
  emptyMemory,
  KINDS,
  type MemoryReads,
  memoryBackward,
  memoryForward,
  memoryStep,
  memoryStepBackward,
} from '../reference/memory.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient, noDevice } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import type { Lifetime } from './lifetime.ts';
import { StepOrder } from './step-order.ts';

/**
 * Rejects sizes that would not fit into memory: the literal reference keeps T²/2 strengths per end.
 * @param numbers 8 bytes each
 * @param smaller what the user can make smaller
 * @throws InputError above 2 GiB
 */
export function checkSize(what: string, numbers: number, smaller: string): void {
  const [gib, limit] = [(numbers * 8) / 2 ** 30, 2];
  if (gib > limit) {
    throw new InputError(
      `${what} needs ${gib.toFixed(1)} GiB in the float64 reference, whose limit is ${limit} GiB: ` +
        `make ${smaller} smaller, or use the engine cpu or gpu.`,
    );
  }
}

/** Mean size of a state in numbers: T/2 strengths and T/2 references to rows, or the cells. */
const stateSize = ({ kind, T, M, depth = DEPTH }: MemoryShape): number =>
  memoryKind(kind).rows ? T : depth * M;

/** A forward step of one sequence: its inputs (controls [E] each and value [E,M]) and the states before and after. */
interface TakenStep {
  controls: Float32Array[];
  value: Float32Array;
  before: unknown;
  after: unknown;
}

/** The reference memory as a layer. */
export class ReferenceMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #lifetime: Lifetime;
  readonly #order: StepOrder;
  /** Per sequence: the inputs and results of the last forward. */
  #kept: { controls: Float32Array[]; value: Float32Array; result: MemoryReads }[] = [];
  /** Per sequence: the forward steps that have had no backward step. */
  #taken: TakenStep[][] = [];
  /** Per sequence: the gradient of the state after the newest of them, which the last backward step returned. */
  #dState: unknown[] = [];

  constructor(shape: MemoryShape, lifetime: Lifetime) {
    checkMemoryShape(shape);
    const { kind, B, T, M } = shape;
    checkSize(
      `a memory of ${B} sequences of ${T} steps`,
      B * T * endsOf(kind) * (stateSize(shape) + 4 * M + 8),
      'B or T',
    );
    this.shape = { ...shape };
    this.#lifetime = lifetime;
    this.#order = new StepOrder(T);
  }

  get bytes(): number {
    const sum = (arrays: readonly { length: number }[]): number =>
      arrays.reduce((all, { length }) => all + length, 0);
    const state = 8 * stateSize(this.shape);
    const sequences = this.#kept.map(
      ({ controls, value, result }) => 4 * sum([...controls, value]) + state * result.states.length,
    );
    const steps = this.#taken.flat().map(({ controls, value }) => 4 * sum([...controls, value]) + state);
    return [...sequences, ...steps].reduce((all, bytes) => all + bytes, 0);
  }

  async forward(...inputs: Float32Array[]): Promise<Float32Array> {
    return this.forwardSync(...inputs);
  }

  forwardSync(...inputs: Float32Array[]): Float32Array {
    this.#lifetime.check();
    checkMemoryInputs(this.shape, inputs);
    this.#order.forward();
    const { kind, B, perControl, perValue, perRead } = this.#sizes();
    const reads = new Float32Array(B * perRead);
    const [all, value] = [inputs.slice(0, -1), inputs[inputs.length - 1]];
    this.#kept = [];
    for (let b = 0; b < B; b++) {
      // Copies, because the caller may change its arrays before the backward pass.
      const controls = all.map(numbers => numbers.slice(b * perControl, (b + 1) * perControl));
      const values = value.slice(b * perValue, (b + 1) * perValue);
      const result = memoryForward(kind, controls, values, this.shape.depth, this.shape.reads);
      reads.set(result.read, b * perRead);
      this.#kept.push({ controls, value: values, result });
    }
    return reads;
  }

  async backward(dRead: Float32Array): Promise<MemoryGradients> {
    return this.#backward(dRead, 'backward');
  }

  backwardSync(dRead: Float32Array): MemoryGradients {
    return this.#backward(dRead, 'backwardSync');
  }

  #backward(dRead: Float32Array, name: 'backward' | 'backwardSync'): MemoryGradients {
    this.#lifetime.check();
    this.#order.needForward(name);
    checkReadGradient(this.shape, dRead);
    const { B, perControl, perValue, perRead } = this.#sizes();
    return this.#gradients(B, perControl, perValue, b => {
      const { controls, value, result } = this.#kept[b];
      const dr = dRead.subarray(b * perRead, (b + 1) * perRead);
      return memoryBackward(this.shape.kind, controls, value, result, dr, this.shape.depth);
    });
  }

  async step(...inputs: Float32Array[]): Promise<Float32Array> {
    return this.stepSync(...inputs);
  }

  stepSync(...inputs: Float32Array[]): Float32Array {
    this.#lifetime.check();
    checkMemoryInputs(this.shape, inputs, 'step');
    const t = this.#order.step();
    const { kind, B, M, depth, reads: k } = this.shape;
    const [E, Q] = [endsOf(kind), readsOf(kind, k)];
    const [all, values] = [inputs.slice(0, -1), inputs[inputs.length - 1]];
    const reads = new Float32Array(B * Q * M);
    for (let b = 0; b < B; b++) {
      const controls = all.map(numbers => numbers.slice(b * E, (b + 1) * E));
      const value = values.slice(b * E * M, (b + 1) * E * M);
      const before = t > 0 ? this.#taken[b][t - 1].after : emptyMemory(kind, M, depth);
      const { after, r } = memoryStep(kind, before, controls, value, k);
      reads.set(r, b * Q * M);
      if (t === 0) this.#taken[b] = [];
      this.#taken[b].push({ controls, value, before, after });
    }
    return reads;
  }

  async stepBackward(dRead: Float32Array): Promise<MemoryGradients> {
    return this.stepBackwardSync(dRead);
  }

  stepBackwardSync(dRead: Float32Array): MemoryGradients {
    this.#lifetime.check();
    checkReadGradient(this.shape, dRead, 'step');
    const { t, newest } = this.#order.stepBackward();
    const { kind, B, M, reads } = this.shape;
    const [E, Q] = [endsOf(kind), readsOf(kind, reads)];
    if (newest) this.#dState = [];
    return this.#gradients(B, E, E * M, b => {
      const { controls, value, before, after } = this.#taken[b][t];
      const dr = Float64Array.from(dRead.subarray(b * Q * M, (b + 1) * Q * M));
      const { passed, gradients } = memoryStepBackward(
        kind,
        before,
        controls,
        value,
        after,
        dr,
        this.#dState[b],
      );
      this.#dState[b] = passed;
      this.#taken[b].pop();
      return gradients;
    });
  }

  async reset(): Promise<void> {
    this.#lifetime.check();
    this.#order.reset();
    this.#kept = [];
    this.#taken = [];
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#lifetime.check();
    const { kind } = this.shape;
    if (this.#order.stepping) {
      return this.#taken.map(steps =>
        steps.map(({ after }) => Float32Array.from(KINDS[kind].strengths(after))),
      );
    }
    this.#order.needForward('strengths');
    return this.#kept.map(({ result }) => result.strengths.map(s => Float32Array.from(s)));
  }

  recordSequences(): Promise<never> {
    return noDevice('recordSequences', 'reference');
  }

  recordSteps(): Promise<never> {
    return noDevice('recordSteps', 'reference');
  }

  destroy(): void {
    this.#kept = [];
    this.#taken = [];
    this.#lifetime.end();
  }

  /** Gradients of all sequences, concatenated: `perControl` and `perValue` numbers per sequence. */
  #gradients(
    B: number,
    perControl: number,
    perValue: number,
    gradientsOf: (b: number) => Record<string, Float64Array>,
  ): MemoryGradients {
    const gradients: MemoryGradients = { dValue: new Float32Array(B * perValue) };
    for (const { name } of memoryKind(this.shape.kind).controls)
      gradients[gradientName(name)] = new Float32Array(B * perControl);
    for (let b = 0; b < B; b++) {
      for (const [name, numbers] of Object.entries(gradientsOf(b)))
        gradients[name].set(numbers, b * (name === 'dValue' ? perValue : perControl));
    }
    return gradients;
  }

  /** Numbers per sequence: T·E per control, T·E·M for values, T·Q·M for reads. */
  #sizes(): { kind: MemoryName; B: number; perControl: number; perValue: number; perRead: number } {
    const { kind, B, T, M, reads } = this.shape;
    const perControl = T * endsOf(kind);
    return { kind, B, perControl, perValue: perControl * M, perRead: T * readsOf(kind, reads) * M };
  }
}
