import { HEADER, SLICE } from '../../shaders/lib/batch.wgsl.ts';
import { MOMENTS, rateAt, type TrainConfig } from '../base/config.ts';
import { type Batch, blankBatch, copyOf } from '../base/dims.ts';
import { InputError } from '../base/errors.ts';
import { memoryKind } from '../base/memories.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';
import type { Gpu } from '../gpu/device.ts';
import { type BatchBuffers, batchBuffers, MAX_REPORTS, modelBuffers } from '../kernels/arena.ts';
import type { BufferName, Size, WorkUnit } from '../kernels/launch.ts';
import { cut, type Slice, whole } from '../kernels/pieces.ts';
import type { Plan } from '../kernels/plan.ts';
import { type PlanOptions, type Prepared, prepare } from '../kernels/prepare.ts';
import type { Program } from '../kernels/program.ts';
import { SliceSteps, type StepCost, stepCostOfModel, withinSteps } from '../kernels/slices.ts';
import { type Layout, layoutOf } from '../layout/layout.ts';
import { pack, unpack } from '../layout/pack.ts';
import { checkBatch, checkState, checkStepped } from './checks.ts';
import type { Choices, Forward, Model, ModelState, StepReport } from './engine.ts';
import { outcomeOf, outcomeParts, REPORT_BYTES, reportOf } from './gpu-outcome.ts';
import type { Lifetime } from './lifetime.ts';
import { Submissions } from './submissions.ts';

/** Offset of the slice in the header of a batch, in bytes. */
const SLICE_OFFSET = 4 * HEADER.indexOf(SLICE[0]);

type Buffers = Map<BufferName, GPUBuffer>;

/** A model of the gpu engine. */
export class GpuModel implements Model {
  readonly spec: ModelSpec;
  readonly #gpu: Gpu;
  readonly #layout: Layout;
  readonly #training: TrainConfig;
  readonly #plan: Plan;
  readonly #program: Program<BufferName>;
  choices?: Choices;
  readonly #lifetime: Lifetime;
  readonly #modelBuffers: { buffers: Buffers; bytes: number };
  /** Allocated for the first batch, and reallocated when a batch does not fit. */
  #batch: BatchBuffers | undefined;
  #step = 0;
  /** Whether a training step has run. */
  #stepped = false;
  #initialisedAt = 0;
  /** The ring of reports: the next free slot, and the unread slots with the number of sequences of each. */
  #slot = 0;
  #pending: { slot: number; B: number }[] = [];
  readonly #slices: SliceSteps;
  readonly #stepCost: StepCost;
  readonly #submissions: Submissions;

  static async create(
    gpu: Gpu,
    spec: ModelSpec,
    training: TrainConfig,
    state: ModelState,
    lifetime: Lifetime,
    options: PlanOptions,
  ): Promise<GpuModel> {
    const layout = layoutOf(spec);
    const prepared = await prepare(gpu, layout, training, options);
    gpu.check();
    // Every weight takes one multiplication in the forward pass and two in the backward pass: one for the gradient of
    // the weight, one for the gradient of its input.
    const products = 3 * 4 * layout.size4;
    const slices = new SliceSteps(products, options.sliceSteps);
    const ends = memoryKind(spec.memory).rows ? layout.E : 0;
    const stepCost = stepCostOfModel(products, ends, spec.width);
    const model = new GpuModel(gpu, layout, training, prepared, lifetime, slices, stepCost);
    try {
      await model.#runOnce();
      model.load(state);
    } catch (error) {
      model.destroy();
      throw error;
    }
    return model;
  }

  /**
   * Runs every kernel once, on a sequence of one step without input and target, because some drivers compile a kernel
   * only when it is dispatched. load() then replaces the tensors that this has changed.
   */
  async #runOnce(): Promise<void> {
    const batch = blankBatch();
    this.#upload(batch, MAX_REPORTS);
    const size: Size = { B: 1, T: 1, rowSplits: this.#plan.rowSplits(1, 1) };
    const { step, forward } = this.#plan;
    for (const submit of this.#program.submissions('first run', [whole(step), whole(forward)], size))
      submit();
    await this.#gpu.done();
    this.#gpu.check();
  }

  private constructor(
    gpu: Gpu,
    layout: Layout,
    training: TrainConfig,
    { plan, program, choices }: Prepared,
    lifetime: Lifetime,
    slices: SliceSteps,
    stepCost: StepCost,
  ) {
    this.#slices = slices;
    this.#stepCost = stepCost;
    this.spec = layout.spec;
    this.#gpu = gpu;
    this.#layout = layout;
    this.#training = training;
    this.#plan = plan;
    this.#program = program;
    this.choices = choices;
    this.#lifetime = lifetime;
    this.#submissions = new Submissions(gpu, lifetime);
    this.#modelBuffers = modelBuffers(gpu, layout);
  }

  get plan(): string {
    const { kind, form } = this.#plan;
    return kind === 'fused' || this.#layout.E ? `${kind}, ${form.form}` : kind;
  }

  get bytes(): number {
    return this.#modelBuffers.bytes + (this.#batch?.bytes ?? 0);
  }

  reserve(B: number, T: number, K: number): void {
    this.#lifetime.check();
    if (this.#submissions.busy)
      throw new InputError(
        'reserve() cannot run while a batch is being enqueued: await the pending call first.',
      );
    this.#makeRoom(B, T, K);
  }

  step(batch: Batch): Promise<undefined> | undefined {
    this.#lifetime.check();
    this.#gpu.check();
    checkBatch(this.spec, batch);
    // Copy a batch that has to wait, because the caller may change its arrays until its turn.
    const current = this.#submissions.busy ? copyOf(batch) : batch;
    return this.#submissions.inTurn(() => {
      if (this.#pending.length >= MAX_REPORTS - 1) {
        throw new InputError(
          `${this.#pending.length} training reports have not been read: call reports() before the next step().`,
        );
      }
      const slot = this.#slot;
      this.#upload(current, slot);
      this.#slot = (slot + 1) % MAX_REPORTS;
      this.#pending.push({ slot, B: current.B });
      this.#step++;
      this.#stepped = true;
      return this.#submit('training step', this.#plan.step, current, 2);
    });
  }

  async reports(): Promise<StepReport[]> {
    this.#lifetime.check();
    const { pending, read } = await this.#submissions.inTurn(() => {
      const pending = this.#pending;
      this.#pending = [];
      const buffer = this.#modelBuffers.buffers.get('reports')!;
      return { pending, read: pending.length ? this.#gpu.read([{ buffer, bytes: buffer.size }]) : [] };
    });
    const [bytes] = await read;
    const all = new Float32Array(bytes);
    return pending.map(({ slot, B }) => reportOf(all, slot, B));
  }

  async gradients(): Promise<Tensors> {
    this.#lifetime.check();
    const { read } = await this.#submissions.inTurn(() => {
      checkStepped(this.#stepped);
      return { read: this.#gpu.read([this.#whole('gradient')]) };
    });
    const [bytes] = await read;
    return unpack(this.#layout, new Float32Array(bytes));
  }

  async forward(given: Batch, trace = false): Promise<Forward> {
    this.#lifetime.check();
    const { noise: _, ...noiseless } = given;
    checkBatch(this.spec, noiseless);
    const batch = this.#submissions.busy ? copyOf(noiseless) : noiseless;
    const { B, T } = batch;
    // Copied, because the caller may change the batch before the results are read.
    const lengths = batch.lengths.slice();
    const pending = await this.#submissions.inTurn(() => {
      // A separate slot, because the ring may hold unread reports of training steps.
      const slot = MAX_REPORTS;
      this.#upload(batch, slot);
      const submitting = this.#submit('evaluation', this.#plan.forward, batch, 1);
      const reports = this.#modelBuffers.buffers.get('reports')!;
      const report = { buffer: reports, offset: slot * REPORT_BYTES, bytes: REPORT_BYTES };
      const parts = () => [report, ...outcomeParts(this.#layout, this.#batch!, batch, trace)];
      const read = () => ({ read: this.#gpu.read(parts()) });
      return submitting ? submitting.then(read) : read();
    });
    const [report, ...parts] = await pending.read;
    return {
      report: reportOf(new Float32Array(report), 0, B),
      ...outcomeOf(this.#layout, this.#plan.form.form, { B, T }, lengths, parts),
    };
  }

  async state(): Promise<ModelState> {
    this.#lifetime.check();
    const { step, read } = await this.#submissions.inTurn(() => ({
      step: this.#step,
      read: this.#gpu.read(
        (['params', 'firstMoment', 'secondMoment'] as const).map(name => this.#whole(name)),
      ),
    }));
    const [parameters, firstMoment, secondMoment] = (await read).map(bytes =>
      unpack(this.#layout, new Float32Array(bytes)),
    );
    const has = MOMENTS[this.#training.optimiser];
    return {
      step,
      parameters,
      firstMoment: has.firstMoment ? firstMoment : new Map(),
      secondMoment: has.secondMoment ? secondMoment : new Map(),
    };
  }

  load(state: ModelState): void {
    this.#lifetime.check();
    checkState(this.spec, state);
    const { step, initialisedAt = 0 } = state;
    const tensors = (['parameters', 'firstMoment', 'secondMoment'] as const).map(key =>
      pack(this.#layout, state[key]),
    );
    const loaded = this.#submissions.inTurn(() => {
      for (const [k, name] of (['params', 'firstMoment', 'secondMoment'] as const).entries())
        this.#gpu.device.queue.writeBuffer(this.#modelBuffers.buffers.get(name)!, 0, tensors[k]);
      this.#step = step;
      this.#initialisedAt = initialisedAt;
      // Unread reports belong to the replaced state.
      this.#pending = [];
    });
    // Rejects if the model is destroyed before this call's turn.
    loaded?.catch(() => undefined);
  }

  /** A whole parameter-sized buffer, as a part for Gpu.read(). */
  #whole(name: BufferName): { buffer: GPUBuffer; bytes: number } {
    return { buffer: this.#modelBuffers.buffers.get(name)!, bytes: this.#layout.size4 * 16 };
  }

  destroy(): void {
    if (!this.#lifetime.end()) return;
    for (const buffer of this.#modelBuffers.buffers.values()) buffer.destroy();
    for (const buffer of this.#batch?.buffers.values() ?? []) buffer.destroy();
  }

  /** Uploads a batch, after allocating larger buffers if needed. @param slot of its report */
  #upload(batch: Batch, slot: number): void {
    this.#makeRoom(batch.B, batch.T, batch.K);
    const { buffers, words, write } = this.#batch!;
    const age = this.#step - this.#initialisedAt;
    const t = age + 1;
    const { beta1, beta2 } = this.#training;
    const rowSplits = this.#plan.rowSplits(batch.B, batch.T);
    const used = write(batch, slot, rowSplits, {
      rate: rateAt(this.#training, age),
      firstMomentScale: 1 / (1 - beta1 ** t),
      secondMomentScale: 1 / (1 - beta2 ** t),
    });
    this.#gpu.device.queue.writeBuffer(buffers.get('batch')!, 0, words, 0, used);
  }

  #makeRoom(B: number, T: number, K: number): void {
    const held = this.#batch?.capacity ?? { B: 0, T: 0, K: 0 };
    if (B > held.B || T > held.T || K > held.K) {
      this.#allocate(Math.max(B, held.B), Math.max(T, held.T), Math.max(K, held.K));
    }
  }

  #allocate(B: number, T: number, K: number): void {
    const allocated = batchBuffers(this.#gpu, this.#layout, B, T, K);
    // Work already submitted keeps the old buffers alive until it is done.
    for (const buffer of this.#batch?.buffers.values() ?? []) buffer.destroy();
    this.#batch = allocated;
    const all = new Map([...this.#modelBuffers.buffers, ...allocated.buffers]);
    const batch = allocated.buffers.get('batch')!;
    const { queue } = this.#gpu.device;
    const slice = (slice: Slice): void =>
      queue.writeBuffer(
        batch,
        SLICE_OFFSET,
        Uint32Array.from(SLICE, name => slice[name]),
      );
    this.#program.bind(name => all.get(name)!, slice);
  }

  /**
   * Submits work: in one submission if its time steps fit into one slice, otherwise slice by slice.
   * @param passes number of passes over the time steps: 1 or 2
   */
  #submit(
    label: string,
    work: readonly WorkUnit[],
    { B, T }: Batch,
    passes: number,
  ): Promise<undefined> | undefined {
    const size: Size = { B, T, rowSplits: this.#plan.rowSplits(B, T) };
    const steps = this.#slices.steps(B);
    const pieces = withinSteps(T, steps, this.#stepCost)
      ? [whole(work)]
      : cut(work, size, steps, this.#stepCost);
    const submissions = this.#program.submissions(label, pieces, size);
    return this.#submissions.submit(submissions, this.#slices, { T, B, passes });
  }
}
