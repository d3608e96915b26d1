import { MOMENTS, rateAt, type TrainConfig } from '../base/config.ts';
import { type Batch, copyOf } from '../base/dims.ts';
import { InputError } from '../base/errors.ts';
import { memoryKind } from '../base/memories.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';
import { type Layout, layoutOf } from '../layout/layout.ts';
import { pack, pushBiasesAt, unpack } from '../layout/pack.ts';
import { strandCount } from '../simd/groups.ts';
import { Arena, makeMemory } from '../simd/module.ts';
import type { Pool } from '../simd/pool.ts';
import { roomFor } from '../simd/room.ts';
import { Weights } from '../simd/weights.ts';
import { type Capacity, workspaceBytes } from '../simd/workspace.ts';
import { checkBatch, checkState, checkStepped } from './checks.ts';
import { ModelWork, type Pass, type WorkSpec } from './cpu-work.ts';
import type { Forward, Model, ModelState, StepReport } from './engine.ts';
import type { Lifetime } from './lifetime.ts';
import { sumOf } from './metrics.ts';
import { Turns } from './turns.ts';

/** With fewer multiplications than this (parameters · rows), a step is done before other threads have woken up. */
const MIN_SHARED_WORK = 3e6;

/** Numbers of the update rules in src/simd/assembly/optim.ts. */
const RULES = { sgd: 0, rmsprop: 1, adam: 2, adamw: 2 } as const;

/** The kernels, and the threads that run them. With a single thread their memory is not shared. */
export interface Kernels {
  module: WebAssembly.Module;
  pool: Pool;
  shared: boolean;
}

/** A model computed by the kernels of src/simd. With a single thread every call computes immediately. */
export class CpuModel implements Model {
  readonly spec: ModelSpec;
  readonly plan = 'simd';
  readonly #layout: Layout;
  readonly #training: TrainConfig;
  readonly #lifetime: Lifetime;
  readonly #turns: Turns;
  readonly #kernels: Kernels;
  readonly #arena: Arena;
  readonly #weights: Weights;
  readonly #work: ModelWork;
  /** Number of this object in the pool. */
  readonly #object: number;
  /** Bytes of the arena that the model needs without any batch; buffers for batches follow. */
  readonly #base: number;
  /** Addresses of what #makeRoom() has allocated: a workspace per thread, a gradient per strand. */
  #room = {
    capacity: { G: 0, T: 0, K: 0 } as Capacity,
    strands: 0,
    workspaces: [] as number[],
    gradients: [] as number[],
  };
  #step = 0;
  #initialisedAt = 0;
  #stepped = false;
  #reports: StepReport[] = [];

  constructor(
    kernels: Kernels,
    spec: ModelSpec,
    training: TrainConfig,
    state: ModelState,
    lifetime: Lifetime,
  ) {
    const { module, pool, shared } = kernels;
    this.#kernels = kernels;
    this.#layout = layoutOf(spec);
    this.spec = this.#layout.spec;
    this.#training = { ...training };
    this.#lifetime = lifetime;
    this.#turns = new Turns(lifetime);
    this.#arena = new Arena(module, makeMemory(shared));
    this.#weights = new Weights(this.#arena, this.#layout);
    this.#base = this.#arena.used;
    const weights = this.#weights.places;
    this.#work = new ModelWork(this.#arena, this.#layout, weights);
    this.load(state);
    const work: WorkSpec = { of: 'model', module, memory: this.#arena.memory, spec: this.spec, weights };
    this.#object = pool.add(work);
  }

  get bytes(): number {
    return this.#arena.bytes;
  }

  reserve(B: number, T: number, K: number): void {
    this.#lifetime.check();
    if (this.#turns.busy)
      throw new InputError(
        'reserve() cannot run while a batch is being computed: await the pending call first.',
      );
    this.#makeRoom(B, T, K);
  }

  step(batch: Batch): Promise<undefined> | undefined {
    this.#lifetime.check();
    checkBatch(this.spec, batch);
    // Copy a batch that has to wait, because the caller may change its arrays until its turn.
    const current = this.#turns.busy ? copyOf(batch) : batch;
    return this.#turns.inTurn(() => {
      const { gradients } = this.#makeRoom(current.B, current.T, current.K);
      const parts = this.#run({ batch: current, gradients });
      if (parts instanceof Promise) return parts.then(reports => this.#finish(reports, current.B));
      return this.#finish(parts, current.B);
    }) as Promise<undefined> | undefined;
  }

  /** Finishes a training step after its passes: adds up the gradients of the strands and updates the weights. */
  #finish(parts: readonly StepReport[], B: number): undefined {
    this.#lifetime.check();
    const weights = this.#weights;
    const report = sumOf(parts, B);
    weights.addGradients(this.#room.gradients.slice(1, parts.length));
    weights.finishGradient();
    const norm = weights.norm();
    report.gradientNorm = norm;
    report.finite = Number.isFinite(report.objective) && Number.isFinite(norm);
    if (report.finite) this.#update(norm);
    // A step that is not finite also counts, because the data of a step depends on its number.
    this.#step++;
    this.#stepped = true;
    this.#reports.push(report);
    return undefined;
  }

  /** Runs a pass over all strands of a batch (src/simd/groups.ts). Returns one report per strand. */
  #run(given: Pick<Pass, 'batch' | 'gradients' | 'results'>): StepReport[] | Promise<StepReport[]> {
    const { capacity, workspaces } = this.#room;
    const strands = strandCount(given.batch.B, this.#layout.size4);
    const pass: Pass = { ...given, capacity, workspaces, strands };
    this.#weights.prepare();
    const rows = given.batch.lengths.reduce((sum, length) => sum + length, 0);
    // A trace has few sequences, and its arrays are not in shared memory.
    const singleThread = given.results?.trace || rows * 4 * this.#layout.size4 < MIN_SHARED_WORK;
    const threads = singleThread ? 1 : workspaces.length;
    return this.#kernels.pool.run(this.#object, this.#work, pass, strands, threads);
  }

  /** Makes room for a batch in the arena, after the weights: a workspace per thread, a gradient per strand. */
  #makeRoom(B: number, T: number, K: number): { gradients: readonly number[] } {
    const { pool } = this.#kernels;
    const { size4 } = this.#layout;
    const held = this.#room;
    const { capacity, threads } = roomFor(this.#layout, [B, T, K], pool.max, held.capacity);
    const strands = Math.max(strandCount(B, size4), held.strands);
    const same = (['G', 'T', 'K'] as const).every(key => capacity[key] === held.capacity[key]);
    // With fewer strands than threads, some threads need no workspace.
    const count = Math.min(threads, strands);
    if (same && strands === held.strands && count <= held.workspaces.length) return held;
    this.#arena.release(this.#base);
    const { gradient } = this.#weights.at;
    const others = Array.from({ length: strands - 1 }, () => this.#arena.take(16 * size4));
    const bytes = workspaceBytes(this.#arena, this.#layout, capacity);
    const workspaces = Array.from({ length: count }, () => this.#arena.take(bytes));
    this.#room = { capacity, strands, workspaces, gradients: [gradient, ...others] };
    return this.#room;
  }

  async reports(): Promise<StepReport[]> {
    this.#lifetime.check();
    return this.#turns.inTurn(() => {
      const reports = this.#reports;
      this.#reports = [];
      return reports;
    });
  }

  async gradients(): Promise<Tensors> {
    this.#lifetime.check();
    return this.#turns.inTurn(() => {
      checkStepped(this.#stepped);
      return unpack(this.#layout, this.#weights.numbers('gradient'));
    });
  }

  async forward(given: Batch, trace = false): Promise<Forward> {
    this.#lifetime.check();
    const { noise: _, ...noiseless } = given;
    checkBatch(this.spec, noiseless);
    const batch = this.#turns.busy ? copyOf(noiseless) : noiseless;
    return this.#turns.inTurn(async () => {
      const { B, T } = batch;
      this.#makeRoom(B, T, batch.K);
      const { outputs: V, width: M, memory: kind, memories } = this.spec;
      const { E, Q } = this.#layout;
      const { controls, rows } = memoryKind(kind);
      const bytes = (count: number): ArrayBuffer | SharedArrayBuffer =>
        this.#kernels.shared ? new SharedArrayBuffer(4 * count) : new ArrayBuffer(4 * count);
      const results: Pass['results'] = {
        predicted: new Uint32Array(bytes(T * B)),
        controls: Object.fromEntries(controls.map(({ name }) => [name, new Float32Array(bytes(T * B * E))])),
      };
      if (trace) {
        results.trace = {
          output: new Float32Array(T * B * V),
          read: new Float32Array(T * B * Q * M),
          strengths: Array.from({ length: rows ? memories : 0 }, () => new Array(B)),
        };
      }
      const report = sumOf(await this.#run({ batch, results }), B);
      report.finite = Number.isFinite(report.objective);
      // Callers get arrays in memory that is not shared.
      const copies = this.#kernels.shared && {
        predicted: results.predicted.slice(),
        controls: Object.fromEntries(
          Object.entries(results.controls).map(([name, numbers]) => [name, numbers.slice()]),
        ),
      };
      return { report, ...results, ...copies };
    });
  }

  async state(): Promise<ModelState> {
    this.#lifetime.check();
    return this.#turns.inTurn(() => this.#state());
  }

  #state(): ModelState {
    const unpacked = (name: 'parameters' | 'firstMoment' | 'secondMoment'): Tensors =>
      unpack(this.#layout, this.#weights.numbers(name));
    const has = MOMENTS[this.#training.optimiser];
    return {
      step: this.#step,
      parameters: unpacked('parameters'),
      firstMoment: has.firstMoment ? unpacked('firstMoment') : new Map(),
      secondMoment: has.secondMoment ? unpacked('secondMoment') : new Map(),
    };
  }

  load(state: ModelState): void {
    this.#lifetime.check();
    checkState(this.spec, state);
    const { step, initialisedAt = 0 } = state;
    const names = ['parameters', 'firstMoment', 'secondMoment'] as const;
    const tensors = names.map(name => pack(this.#layout, state[name]));
    const loaded = this.#turns.inTurn(() => {
      for (const [k, name] of names.entries()) this.#weights.numbers(name).set(tensors[k]);
      this.#weights.changed();
      this.#step = step;
      this.#initialisedAt = initialisedAt;
      // Unread reports belong to the replaced state.
      this.#reports = [];
    });
    // Rejects if the model is destroyed before this call's turn.
    if (loaded instanceof Promise) loaded.catch(() => undefined);
  }

  destroy(): void {
    if (this.#lifetime.end()) this.#kernels.pool.remove(this.#object);
  }

  #update(norm: number): void {
    const { optimiser, beta1, beta2, epsilon, clip, clipAt, weightDecay, pushBiasGrowth } = this.#training;
    const age = this.#step - this.#initialisedAt;
    const t = age + 1;
    const rate = rateAt(this.#training, age);
    const { weights4, trained4 } = this.#layout;
    const { parameters, gradient, firstMoment, secondMoment } = this.#weights.at;
    const { update } = this.#arena.kernels;
    const scale = clip === 'norm' ? Math.min(1, clipAt / Math.max(norm, 1e-30)) : 1;
    const range = (from4: number, to4: number, decay: number): void =>
      update(
        RULES[optimiser],
        to4 - from4,
        parameters + 16 * from4,
        gradient + 16 * from4,
        firstMoment + 16 * from4,
        secondMoment + 16 * from4,
        scale,
        clip === 'value' ? clipAt : 0,
        rate,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        epsilon,
        1 / (1 - beta1 ** t),
        1 / (1 - beta2 ** t),
        decay,
      );
    // Weight decay applies to matrices only, not to biases and initial states.
    range(0, weights4, optimiser === 'adamw' ? 1 - rate * weightDecay : 1);
    range(weights4, trained4, 1);
    if (pushBiasGrowth > 0) {
      const numbers = this.#weights.numbers('parameters');
      for (const at of pushBiasesAt(this.#layout)) {
        // Stop at 30, where σ is 1 in float32: the growth is exponential and would overflow.
        if (Math.abs(numbers[at]) < 30) numbers[at] *= 1 + pushBiasGrowth;
      }
    }
    this.#weights.changed();
  }
}
