import { InputError } from '../base/errors.ts';
import { controlCount, endsOf, gradientName, memoryKind, readsOf } from '../base/memories.ts';
import { allStrengths, noRows } from '../layout/strengths.ts';
import { Arena, MAX_BYTES, makeMemory } from '../simd/module.ts';
import type { Pool } from '../simd/pool.ts';
import { tooLarge } from '../simd/room.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient, noDevice } from './checks.ts';
import type { Kernels } from './cpu-model.ts';
import {
  itemsOfMemory,
  MEMORY_ARRAYS,
  type MemoryJob,
  type MemoryPlaces,
  MemoryWork,
  memoryEntries,
  type StepRows,
  stepRows,
  type WorkSpec,
} from './cpu-work.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import type { Lifetime } from './lifetime.ts';
import { StepOrder } from './step-order.ts';
import { Turns } from './turns.ts';

/** Fixed cost of a step of one sequence, in units of the cost of processing one number of a row. */
const STEP_COST = 50;
/** Minimum cost, in the same units, of a step that is faster when it is shared between threads. */
const MIN_SHARED_COST = 50_000;

/** Size of each array of a memory, in bytes. */
function sizesOf(shape: MemoryShape): Record<keyof MemoryPlaces, number> {
  const { kind, B, T, M } = shape;
  const N = B * T * endsOf(kind);
  const { slots, undoLog, dStrength } = memoryEntries(shape);
  const [controls, rows] = [4 * N * controlCount(kind), 4 * N * M];
  const read = 4 * B * T * readsOf(kind, shape.reads) * M;
  return {
    ...{ controls, dControls: controls, value: rows, read, dRead: read, dValue: rows },
    ...{ table: 4 * T, slots: 8 * B * slots, undoLog: 16 * B * undoLog, dStrength: 4 * B * dStrength },
  };
}

/** The WebAssembly memory kernels as a layer. Arrays are copied into and out of the memory of the module. */
export class CpuMemory implements MemoryLayer {
  readonly shape: MemoryShape;
  readonly #lifetime: Lifetime;
  readonly #turns: Turns;
  readonly #pool: Pool;
  readonly #id: number;
  #arena: Arena | undefined;
  #work: MemoryWork | undefined;
  readonly #at: MemoryPlaces;
  readonly #sizes: Record<keyof MemoryPlaces, number>;
  readonly #order: StepOrder;
  readonly #rows: StepRows;
  /** Maximum number of threads for a step; undefined: all. */
  readonly #stepThreads: number | undefined;
  /** The calls for which the table of the values' offsets is currently filled. */
  #table: 'sequences' | 'steps' | undefined;
  /** 'used': a backward pass has rewound the slots. The next call that needs the slots reruns the forward pass. */
  #state: 'ready' | 'used' = 'ready';

  constructor({ module, pool, shared }: Kernels, given: MemoryShape, lifetime: Lifetime) {
    checkMemoryShape(given);
    const { B, T, M } = given;
    this.shape = { ...given };
    this.#lifetime = lifetime;
    this.#turns = new Turns(lifetime);
    this.#pool = pool;
    this.#sizes = sizesOf(given);
    const bytes = Object.values(this.#sizes).reduce((sum, size) => sum + size, 0);
    if (bytes > MAX_BYTES) {
      const fits = Math.floor(MAX_BYTES / (bytes / B));
      const none = 'not even one sequence of this length fits';
      throw tooLarge(`a memory of B=${B}, T=${T}, M=${M}`, bytes, fits, none);
    }
    const arena = new Arena(module, makeMemory(shared));
    const places = MEMORY_ARRAYS.map(name => [name, arena.take(this.#sizes[name])] as const);
    this.#at = Object.fromEntries(places) as MemoryPlaces;
    this.#arena = arena;
    this.#work = new MemoryWork(arena, this.shape, this.#at);
    const spec: WorkSpec = { of: 'memory', module, memory: arena.memory, shape: this.shape, at: this.#at };
    this.#id = pool.add(spec);
    this.#order = new StepOrder(T);
    this.#rows = stepRows(given);
    this.#stepThreads = B * (this.#rows.width + STEP_COST) < MIN_SHARED_COST ? 1 : undefined;
  }

  get bytes(): number {
    return this.#arena?.bytes ?? 0;
  }

  async forward(...inputs: Float32Array[]): Promise<Float32Array> {
    this.#lifetime.check();
    const given = this.#copyIfBusy(checkMemoryInputs(this.shape, inputs));
    return this.#turns.inTurn(async () => {
      this.#beginForward(given);
      await this.#runForward();
      return this.#array('read').slice();
    });
  }

  forwardSync(...inputs: Float32Array[]): Float32Array {
    this.#checkIdle('forwardSync');
    this.#beginForward(checkMemoryInputs(this.shape, inputs));
    this.#runNow('forward');
    this.#state = 'ready';
    return this.#array('read').slice();
  }

  async backward(given: Float32Array): Promise<MemoryGradients> {
    this.#lifetime.check();
    checkReadGradient(this.shape, given);
    const { dRead } = this.#copyIfBusy({ dRead: given });
    return this.#turns.inTurn(async () => {
      this.#order.needForward('backward');
      this.#array('dRead').set(dRead);
      if (this.#state === 'used') await this.#runForward();
      await this.#run('backward');
      this.#state = 'used';
      return this.#gradients();
    });
  }

  backwardSync(dRead: Float32Array): MemoryGradients {
    this.#checkIdle('backwardSync');
    checkReadGradient(this.shape, dRead);
    this.#order.needForward('backwardSync');
    this.#array('dRead').set(dRead);
    if (this.#state === 'used') this.#runNow('forward');
    this.#runNow('backward');
    this.#state = 'used';
    return this.#gradients();
  }

  async step(...inputs: Float32Array[]): Promise<Float32Array> {
    this.#lifetime.check();
    const given = this.#copyIfBusy(checkMemoryInputs(this.shape, inputs, 'step'));
    return this.#turns.inTurn(async () => {
      await this.#run(this.#beginStep(given), this.#stepThreads);
      return this.#readOfStep();
    });
  }

  stepSync(...inputs: Float32Array[]): Float32Array {
    this.#checkIdle('stepSync');
    this.#runNow(this.#beginStep(checkMemoryInputs(this.shape, inputs, 'step')));
    return this.#readOfStep();
  }

  async stepBackward(given: Float32Array): Promise<MemoryGradients> {
    this.#lifetime.check();
    checkReadGradient(this.shape, given, 'step');
    const { dRead } = this.#copyIfBusy({ dRead: given });
    return this.#turns.inTurn(async () => {
      const job = this.#beginStepBackward(dRead);
      await this.#run(job, this.#stepThreads);
      return this.#gradientsOfStep(job.t);
    });
  }

  stepBackwardSync(dRead: Float32Array): MemoryGradients {
    this.#checkIdle('stepBackwardSync');
    checkReadGradient(this.shape, dRead, 'step');
    const job = this.#beginStepBackward(dRead);
    this.#runNow(job);
    return this.#gradientsOfStep(job.t);
  }

  async reset(): Promise<void> {
    this.#lifetime.check();
    return this.#turns.inTurn(() => this.#order.reset());
  }

  async strengths(): Promise<Float32Array[][]> {
    this.#lifetime.check();
    return this.#turns.inTurn(async () => {
      const stepping = this.#order.stepping;
      if (!stepping) {
        this.#order.needForward('strengths');
        if (this.#state === 'used') await this.#runForward();
      }
      const { kind, B, T } = this.shape;
      const lengths = new Array<number>(B).fill(stepping ? this.#order.left : T);
      if (!memoryKind(kind).rows) return noRows(B, lengths[0]);
      const { slots, undoLog } = this.#at;
      const [words, entries] = [this.#sizes.slots / 4, this.#sizes.undoLog / 4];
      const arena = this.#arena!;
      return allStrengths(
        { kind, form: 'block', B, T },
        arena.words(slots, words),
        arena.words(undoLog, entries),
        lengths,
      )[0];
    });
  }

  recordSequences(): Promise<never> {
    return noDevice('recordSequences', 'cpu');
  }

  recordSteps(): Promise<never> {
    return noDevice('recordSteps', 'cpu');
  }

  destroy(): void {
    if (!this.#lifetime.end()) return;
    this.#pool.remove(this.#id);
    this.#arena = undefined;
    this.#work = undefined;
  }

  /** Copies the arrays of a call that has to wait, because the caller may change them until its turn. */
  #copyIfBusy<Arrays extends Record<string, Float32Array>>(arrays: Arrays): Arrays {
    if (!this.#turns.busy) return arrays;
    return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()])) as Arrays;
  }

  #checkIdle(call: string): void {
    this.#lifetime.check();
    if (this.#turns.busy)
      throw new InputError(`${call}() cannot wait for the pending call: await that call first.`);
  }

  /** @param threads maximum number of threads that take part */
  async #run(job: MemoryJob, threads?: number): Promise<void> {
    await this.#pool.run(this.#id, this.#work!, job, itemsOfMemory(this.shape.B), threads);
    this.#lifetime.check();
  }

  /** Runs on this thread only, synchronously. */
  #runNow(job: MemoryJob): void {
    this.#pool.run(this.#id, this.#work!, job, itemsOfMemory(this.shape.B), 1);
  }

  async #runForward(): Promise<void> {
    await this.#run('forward');
    this.#state = 'ready';
  }

  #beginForward(given: Record<string, Float32Array>): void {
    this.#order.forward();
    const { kind, M } = this.shape;
    this.#fillTable('sequences', 4 * endsOf(kind) * M);
    for (const [c, { name }] of memoryKind(kind).controls.entries())
      this.#control('controls', c).set(given[name]);
    this.#array('value').set(given.value);
  }

  #beginStep(given: Record<string, Float32Array>): { call: 'step'; t: number } {
    const t = this.#order.step();
    const { kind, B } = this.shape;
    const { controls, ends } = memoryKind(kind);
    const { width, controls: valuesFrom, values } = this.#rows;
    this.#fillTable('steps', 4 * B * width);
    const rows = this.#arena!.floats(this.#at.controls + 4 * t * B * width, B * width);
    const { value } = given;
    for (const [c, { name }] of controls.entries()) {
      const control = given[name];
      for (let n = 0; n < B * ends; n++) {
        const [b, e] = [Math.floor(n / ends), n % ends];
        rows[b * width + e * controls.length + c] = control[n];
      }
    }
    for (let b = 0; b < B; b++) {
      for (let m = 0; m < values; m++) rows[b * width + valuesFrom + m] = value[b * values + m];
    }
    return { call: 'step', t };
  }

  #readOfStep(): Float32Array {
    return this.#arena!.floats(this.#at.read, this.shape.B * this.#rows.reads).slice();
  }

  #beginStepBackward(dRead: Float32Array): { call: 'stepBackward'; t: number } {
    const { t, newest } = this.#order.stepBackward();
    const arena = this.#arena!;
    if (newest) {
      // Clear the gradients of all steps taken: the backward steps add to them.
      arena.floats(this.#at.dControls, (t + 1) * this.shape.B * this.#rows.width).fill(0);
      arena.floats(this.#at.dStrength, this.#sizes.dStrength / 4).fill(0);
    }
    arena.floats(this.#at.dRead, dRead.length).set(dRead);
    return { call: 'stepBackward', t };
  }

  #gradientsOfStep(t: number): MemoryGradients {
    const { kind, B } = this.shape;
    const { controls, ends } = memoryKind(kind);
    const { width, controls: valuesFrom, values } = this.#rows;
    const rows = this.#arena!.floats(this.#at.dControls + 4 * t * B * width, B * width);
    const dValue = new Float32Array(B * values);
    const gradients: MemoryGradients = { dValue };
    for (const [c, { name }] of controls.entries()) {
      const dControl = new Float32Array(B * ends);
      for (let n = 0; n < B * ends; n++) {
        const [b, e] = [Math.floor(n / ends), n % ends];
        dControl[n] = rows[b * width + e * controls.length + c];
      }
      gradients[gradientName(name)] = dControl;
    }
    for (let b = 0; b < B; b++) {
      for (let m = 0; m < values; m++) dValue[b * values + m] = rows[b * width + valuesFrom + m];
    }
    return gradients;
  }

  /** Fills the table with the offset of each step's values. @param stride bytes from one step to the next */
  #fillTable(order: 'sequences' | 'steps', stride: number): void {
    if (this.#table === order) return;
    this.#table = order;
    const { T } = this.shape;
    const table = this.#arena!.words(this.#at.table, T);
    for (let t = 0; t < T; t++) table[t] = t * stride;
  }

  #gradients(): MemoryGradients {
    const gradients: MemoryGradients = { dValue: this.#array('dValue').slice() };
    for (const [c, { name }] of memoryKind(this.shape.kind).controls.entries())
      gradients[gradientName(name)] = this.#control('dControls', c).slice();
    return gradients;
  }

  /** The array of one control, or of its gradient, over whole sequences. */
  #control(of: 'controls' | 'dControls', c: number): Float32Array<ArrayBuffer> {
    const { kind, B, T } = this.shape;
    const count = B * T * endsOf(kind);
    return this.#arena!.floats(this.#at[of] + 4 * c * count, count);
  }

  #array(name: keyof MemoryPlaces): Float32Array<ArrayBuffer> {
    return this.#arena!.floats(this.#at[name], this.#sizes[name] / 4);
  }
}
