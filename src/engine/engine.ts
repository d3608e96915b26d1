import type { TrainConfig } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import type { MemoryName } from '../base/memories.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';
import type { PlanName } from '../kernels/plan-names.ts';
import type { Buffer, CommandEncoder } from './webgpu.ts';

/**
 * What computes: kernels on a WebGPU device, or the paper in float64. Trainer, terminal and page see these types only.
 * Every wait is a Promise; what returns nothing only enqueues.
 */
export interface Engine {
  /** As it is asked for: its name in the table of src/platform/names.ts. */
  readonly name: string;
  readonly adapter: AdapterDescription;
  /** The plan that it was opened with, where it does not choose one for each model. Of the engine `gpu`. */
  readonly plan?: PlanName;
  /**
   * Builds a model of these sizes with these values. @throws DeviceError where the device is too small
   * @param choices that an earlier model of this run made; this one makes the same ones where they apply
   */
  model(spec: ModelSpec, training: TrainConfig, state: ModelState, choices?: Choices): Promise<Model>;
  /** A memory on its own, for controllers of your own. */
  memory(shape: MemoryShape): Promise<MemoryLayer>;
  /** Gives back all that the engine holds. Its models and memories are dead after it. */
  destroy(): void;
}

export interface AdapterDescription {
  /** For people: "NVIDIA H100", "SwiftShader", "float64 reference". */
  name: string;
  kind: 'gpu' | 'software' | 'cpu';
  /** Why this one was taken: printed beside the name. */
  reason: string;
  /** Threads that compute, at most: of the engine `cpu`. */
  readonly threads?: number;
}

/**
 * What an engine has chosen for a model by measuring time, by name. Another choice may round differently, and so it belongs
 * to the run: checkpoints keep it.
 */
export type Choices = Readonly<Record<string, string>>;

/** All that training changes: with the configuration and the seed, a run continues exactly from it. */
export interface ModelState {
  /** Training steps done. */
  step: number;
  /** Step at which these weights began, after a restart; Adam's t counts from it. Absent: 0. */
  begun?: number;
  parameters: Tensors;
  /** Optimiser state: first and second moments (empty maps where the optimiser has none). */
  mean: Tensors;
  square: Tensors;
}

/** The totals of one training step, or of one evaluated batch. */
export interface StepReport {
  /** Objective: Σ_b weight_b Σ_t loss (auto-encoder heads included). What the gradients are of. */
  objective: number;
  /** Σ over targets of the loss of the outputs: nats (softmax), or ½ squared error. */
  loss: number;
  /** Steps with a target, a ZERO_TARGET included. */
  targets: number;
  /** Steps with a symbol as target, and how many of them were right. */
  symbols: number;
  correct: number;
  /** Sequences, how many were wholly right (coarse), and Σ of right symbols before the first error / L. */
  sequences: number;
  coarse: number;
  fine: number;
  /** Σ |y − output| over all steps with a target (the tutorial's measure); 0 with softmax. */
  absoluteError: number;
  /** Global norm of the gradients before clipping; 0 in an evaluation. */
  gradientNorm: number;
  /** False: a gradient or the loss was NaN or infinite, and the weights were left as they were. */
  finite: boolean;
}

export interface Forward {
  report: StepReport;
  /** [T,B] most likely output. */
  predicted: Uint32Array;
  /** What the controller said to the memories: [T,B,E] of every control by its name, of stack, queue and deque `push` and `pop`. */
  controls: Controls;
  /**
   * Only when asked for: [T,B,V] outputs (probabilities for softmax), [T,B,E,M] reads, and for each memory its
   * strengths [B][length][rows], a deque's from bottom to top; of a kind without rows none.
   */
  trace?: { output: Float32Array; read: Float32Array; strengths: Float32Array[][][] };
}

export type Controls = Readonly<Record<string, Float32Array>>;

export interface Model {
  readonly spec: ModelSpec;
  /** How it computes, for people: "fused, lane", "stepwise", "literal". */
  readonly plan: string;
  /** Absent where nothing was chosen by measuring. */
  readonly choices?: Choices;
  /** Bytes on the device for the largest batch so far. */
  readonly bytes: number;
  /**
   * Makes room for batches of up to B sequences of T steps with K inputs, so that what does not fit is refused
   * before anything is computed. @throws InputError naming what is too large
   */
  reserve(B: number, T: number, K: number): void;
  /**
   * Enqueues a whole training step: at once, or, where that is cut into slices, until the promise that comes back. What is
   * asked for meanwhile waits its turn.
   */
  step(batch: Batch): Promise<undefined> | undefined;
  /** Reports of the steps since the last call, oldest first. Waits for them. */
  reports(): Promise<StepReport[]>;
  /**
   * The gradients of the last training step's objective by every parameter, before any clipping: a copy. After a step that was
   * not finite, whatever came out. Waits. @throws InputError before the first training step
   */
  gradients(): Promise<Tensors>;
  /** Evaluates a batch without learning from it (`noise` is ignored). */
  forward(batch: Batch, trace?: boolean): Promise<Forward>;
  /** A copy of the state, after all steps enqueued so far. */
  state(): Promise<ModelState>;
  load(state: ModelState): void;
  destroy(): void;
}

export interface MemoryShape {
  kind: MemoryName;
  B: number;
  T: number;
  M: number;
  /** Cells of a superposition stack; absent: 30. */
  depth?: number;
}

/**
 * A differentiable memory. Controls are any numbers ≥ 0: as a strength, 1 is a whole row. E is 1, but 2 for a deque, whose ends
 * are (top, bottom).
 *
 * Over whole sequences, where controls and values of all steps are known:
 *
 *   const stack = await engine.memory({ kind: 'stack', B, T, M });
 *   const read = await stack.forward(push, pop, value);      // [B,T,E],[B,T,E],[B,T,E,M] → [B,T,E,M]
 *   const { dPush, dPop, dValue } = await stack.backward(dRead);
 *
 * Step by step, where they depend on earlier reads:
 *
 *   stack.reset();
 *   for (let t = 0; t < T; t++) read[t] = await stack.step(push, pop, value);   // [B,E],[B,E],[B,E,M] → [B,E,M]
 *   for (let t = T - 1; t >= 0; t--) ({ dPush, dPop, dValue } = await stack.stepBackward(dRead[t]));
 *
 * Both give the same numbers, to the last bit, unless a GPU computes the sequence parallel over time, which rounds differently.
 * Overlapping calls are answered in their order.
 */
export interface MemoryLayer {
  readonly shape: MemoryShape;
  /** Bytes held, on the device where there is one. */
  readonly bytes: number;
  /**
   * r_t of every step (equations 1–8). Keeps what the backward pass needs until the next forward.
   * @param inputs the controls of the kind in their order, then the values: of stack, queue and deque push, pop and value
   * @throws InputError between step() and reset()
   */
  forward(...inputs: Float32Array[]): Promise<Float32Array>;
  /** Gradients of the inputs of the last forward, given that of its reads [B,T,E,M]. */
  backward(dRead: Float32Array): Promise<MemoryGradients>;
  /**
   * One step of all sequences: r_t [B,E,M]. The first step is on an empty memory; there are T of them at most.
   * @param inputs of this step: the controls [B,E] of the kind in their order, then the values [B,E,M]
   * @throws InputError after T steps, after stepBackward(), and after forward(): call reset() first
   */
  step(...inputs: Float32Array[]): Promise<Float32Array>;
  /**
   * Gradients of the inputs of one step, given that of its read, dRead [B,E,M]: the first call is of the newest step, the next of
   * the one before it. What comes back for step t is complete: controls and value of step t change the reads of step t and of
   * later steps only, and those have been gone back over. dRead of step t must be complete too: it includes what reaches the read
   * by way of the controls and values of later steps, which these calls have returned by then. It is not required to go back to
   * the first step: reset() ends the sequence anywhere.
   * @throws InputError where no step is left to go back over
   */
  stepBackward(dRead: Float32Array): Promise<MemoryGradients>;
  /** Empties the memory: the next call is step() of a new sequence, or forward(). Waits its turn; its promise need not be awaited. */
  reset(): Promise<void>;
  /**
   * The same without a promise, on the calling thread alone: for frameworks whose layers must answer at once.
   * @throws InputError on the engine gpu, and while another call is pending
   */
  forwardSync(...inputs: Float32Array[]): Float32Array;
  backwardSync(dRead: Float32Array): MemoryGradients;
  stepSync(...inputs: Float32Array[]): Float32Array;
  stepBackwardSync(dRead: Float32Array): MemoryGradients;
  /**
   * [B][T][rows] strengths after every step of the last forward, in the paper's order, dead rows as 0: t+1 rows,
   * oldest first; a deque's 2(t+1) from bottom to top. A kind without rows has none. Of single steps: of those taken so far that
   * stepBackward() has not gone back over.
   */
  strengths(): Promise<Float32Array[][]>;
  /**
   * Whole sequences in buffers of the device, recorded into encoders of the caller's: nothing passes through the host.
   * @throws InputError on other engines than gpu
   */
  recordSequences(): Promise<SequenceRecorder>;
  /** The same for single steps. */
  recordSteps(): Promise<StepRecorder>;
  destroy(): void;
}

/**
 * float32 numbers on the device, in a buffer of the engine's own device: from its start, or from an offset in bytes, a multiple
 * of 4. Row-major without gaps, in the shapes of MemoryLayer. Usage of an input: COPY_SRC; of an output: COPY_DST.
 */
export type DeviceArray = Buffer | { readonly buffer: Buffer; readonly offset: number };

/** By the names of MemoryLayer: of stack, queue and deque `push`, `pop`, `value`, `read`; `dRead`, `dPush`, `dPop`, `dValue`. */
export type DeviceArrays = Readonly<Record<string, DeviceArray>>;

/**
 * Records passes over whole sequences. Inputs are copied when the commands run: they may be overwritten by later commands. Submit
 * encoders in the order of the calls; each call belongs to its encoder, outside of any pass. Numbers are not checked: controls
 * must be ≥ 0 and finite, and no sequence may push 2²⁴ or more in total. A pass is one submission, however long it takes.
 */
export interface SequenceRecorder {
  /** Bytes that it holds on the device: buffers of its own, beside those of the layer. */
  readonly bytes: number;
  /** Controls [B,T,E] and value [B,T,E,M] → read [B,T,E,M]. */
  forward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** dRead [B,T,E,M] → the gradients of controls and value. @throws InputError before forward() */
  backward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  destroy(): void;
}

/** Records single steps, under the same conditions and in the order that MemoryLayer.step describes. */
export interface StepRecorder {
  readonly bytes: number;
  /** Controls [B,E] and value [B,E,M] of one step → read [B,E,M]. */
  step(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** dRead [B,E,M] of one step → the gradients of its controls and value, complete. */
  stepBackward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** The next call is step() of a new sequence. */
  reset(): void;
  destroy(): void;
}

/** Of every control by its name, of stack, queue and deque `dPush` and `dPop`; and of the values. */
export interface MemoryGradients {
  [control: string]: Float32Array;
  dValue: Float32Array;
}
