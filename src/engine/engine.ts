import type { TrainConfig } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import type { MemoryName } from '../base/memories.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';
import type { PlanName } from '../kernels/plan-names.ts';
import type { Buffer, CommandEncoder } from './webgpu.ts';

/**
 * A compute backend: kernels on a WebGPU device, WebAssembly SIMD, or the paper's equations in float64. Trainer,
 * terminal and page use only these types. A call that waits returns a Promise; one that returns nothing enqueues its
 * work or runs it synchronously.
 */
export interface Engine {
  /** Name by which users choose the engine: `gpu`, `cpu` or `reference`. */
  readonly name: string;
  readonly adapter: AdapterDescription;
  /** Engine `gpu` only: the plan of all its models. Absent if the engine chooses a plan for each model. */
  readonly plan?: PlanName;
  /**
   * Builds a model of these sizes with the weights and moments of `state`.
   * @param choices the choices of an earlier model of the same run: reused where they apply
   * @throws InputError if the state does not fit the sizes, or the model exceeds a limit of the engine
   * @throws DeviceError if the device is out of memory, fails, or does not compile the kernels in time
   */
  model(spec: ModelSpec, training: TrainConfig, state: ModelState, choices?: Choices): Promise<Model>;
  /**
   * Opens a memory as a layer, for use with your own controller.
   * @throws InputError if the shape is invalid or does not fit the device
   * @throws DeviceError if the device fails, or does not compile the kernels in time
   */
  memory(shape: MemoryShape): Promise<MemoryLayer>;
  /** Frees everything that the engine holds. Its models and memories are unusable afterwards. */
  destroy(): void;
}

/** The device that an engine computes on. */
export interface AdapterDescription {
  /** Name shown to people: "NVIDIA H100", "SwiftShader", "float64 reference". */
  name: string;
  kind: 'gpu' | 'software' | 'cpu';
  /** Why this adapter was chosen, shown beside the name. */
  reason: string;
  /** Engine `cpu` only: maximum number of threads that compute. */
  readonly threads?: number;
}

/**
 * What an engine chose for a model by timing candidates: name → choice, and the name of the adapter. Other choices may
 * round differently, so they are part of the run, and checkpoints keep them.
 */
export type Choices = Readonly<Record<string, string>>;

/** Everything that training changes. A run resumes exactly from it, the configuration and the seed. */
export interface ModelState {
  /** Training steps done. */
  step: number;
  /**
   * Step at which these weights were initialised: 0 (default), or that of the last restart. Adam's t counts from it.
   */
  initialisedAt?: number;
  parameters: Tensors;
  /** Optimiser state: first and second moments (empty maps where the optimiser has none). */
  firstMoment: Tensors;
  secondMoment: Tensors;
}

/** The totals of one training step, or of one evaluated batch. */
export interface StepReport {
  /** Objective: Σ_b weight_b Σ_t loss, auto-encoder heads included. The gradients are its gradients. */
  objective: number;
  /** Σ over targets of the output loss: nats (softmax), or ½ squared error. */
  loss: number;
  /** Number of steps with a target, including ZERO_TARGET. */
  targets: number;
  /** Number of steps whose target is a symbol, and how many of them are correct. */
  symbols: number;
  correct: number;
  /**
   * Number of sequences; how many of them have every symbol correct (coarse); sum over the sequences of the share of
   * symbols before the first error (fine).
   */
  sequences: number;
  coarse: number;
  fine: number;
  /** Σ |target − output| over all steps with a target (the measure of Trask's tutorial); 0 with softmax. */
  absoluteError: number;
  /** Global norm of the gradients before clipping; 0 in an evaluation. */
  gradientNorm: number;
  /** False if the loss or a gradient is NaN or infinite. The weights are then left unchanged. */
  finite: boolean;
}

/** Results of an evaluated batch. */
export interface Forward {
  report: StepReport;
  /** [T,B] most likely output. */
  predicted: Uint32Array;
  /** Activations of the memory controls: [T,B,E] per control, by name. A stack, queue or deque has `push` and `pop`. */
  controls: Controls;
  /**
   * Only if requested: [T,B,V] outputs (probabilities for softmax), [T,B,Q,M] reads (Q = E, unless several cells are
   * read), and for each memory its strengths [B][length][rows], a deque's from bottom to top. No strengths for a kind
   * without rows.
   */
  trace?: { output: Float32Array; read: Float32Array; strengths: Float32Array[][][] };
}

export type Controls = Readonly<Record<string, Float32Array>>;

/** A model on an engine. Calls run in the order in which they are made. A result waits for all earlier work. */
export interface Model {
  readonly spec: ModelSpec;
  /** How the model is computed, for display: "fused, lane", "stepwise, block", "simd", "literal". */
  readonly plan: string;
  /** Absent if nothing was chosen by measurement. */
  readonly choices?: Choices;
  /** Bytes on the device, for the largest batch so far. */
  readonly bytes: number;
  /**
   * Allocates buffers for batches of up to B sequences of T steps with K inputs per step, so that sizes that do not fit
   * are rejected before any computation.
   * @throws InputError naming what is too large, or if another call is pending
   */
  reserve(B: number, T: number, K: number): void;
  /**
   * Enqueues a whole training step. Returns undefined if the step was enqueued or computed at once. Otherwise (it is
   * cut into slices, shared between threads, or waits for an earlier call) returns a promise that resolves when it is
   * enqueued or done; later calls wait for it.
   * @throws InputError if the batch is invalid, and on the engine gpu if 1,023 reports have not been read
   * @throws DeviceError if the device failed
   */
  step(batch: Batch): Promise<undefined> | undefined;
  /** Reports of the steps since the last call, oldest first. Waits for those steps. */
  reports(): Promise<StepReport[]>;
  /**
   * A copy of the gradients of the last training step's objective with respect to every parameter, before clipping.
   * After a step that was not finite they may contain NaN or infinity. Waits for the step.
   * @throws InputError before the first training step
   */
  gradients(): Promise<Tensors>;
  /**
   * Evaluates a batch without training on it. Ignores `noise`.
   * @param trace whether to return Forward.trace
   * @throws InputError if the batch is invalid
   */
  forward(batch: Batch, trace?: boolean): Promise<Forward>;
  /** A copy of the state after all steps enqueued so far, without `initialisedAt`, which the caller keeps. */
  state(): Promise<ModelState>;
  /**
   * Replaces the state. Reports that have not been read are discarded.
   * @throws InputError if it does not fit the sizes
   */
  load(state: ModelState): void;
  /** Frees the model's buffers. The model is unusable afterwards. */
  destroy(): void;
}

/** The shape of a memory layer: B sequences of T steps (at most T single steps), with rows of M numbers. */
export interface MemoryShape {
  kind: MemoryName;
  B: number;
  T: number;
  M: number;
  /** Number of cells of a superposition stack or a tape (default 40). */
  depth?: number;
  /**
   * k, number of these cells that a step reads (default 1): from the top of the stack, or from the head of the tape
   * rightwards. Reads are then [B,T,k,M].
   */
  reads?: number;
}

/**
 * A differentiable memory. Controls are finite numbers ≥ 0; a read of a stack, queue or deque takes rows up to a total
 * strength of 1. E is 2 for a deque, whose ends are (top, bottom), and 1 for all other kinds.
 *
 * Over whole sequences, where the controls and values of all steps are known:
 *
 * ```ts
 * const stack = await engine.memory({ kind: 'stack', B, T, M });
 * const read = await stack.forward(push, pop, value);      // [B,T,E],[B,T,E],[B,T,E,M] → [B,T,E,M]
 * const { dPush, dPop, dValue } = await stack.backward(dRead);
 * ```
 *
 * Step by step, where controls and values depend on earlier reads:
 *
 * ```ts
 * stack.reset();
 * for (let t = 0; t < T; t++) read[t] = await stack.step(push, pop, value);   // [B,E],[B,E],[B,E,M] → [B,E,M]
 * for (let t = T - 1; t >= 0; t--) ({ dPush, dPop, dValue } = await stack.stepBackward(dRead[t]));
 * ```
 *
 * Both give the same numbers bit for bit, unless a GPU computes the sequence in parallel over time, which rounds
 * differently. Overlapping calls run in the order in which they are made.
 */
export interface MemoryLayer {
  readonly shape: MemoryShape;
  /** Bytes held: on the device, if the engine has one. */
  readonly bytes: number;
  /**
   * r_t of every step (the paper's equations 1–11). Keeps what the backward pass needs until the next forward() or
   * reset().
   * @param inputs the kind's controls in order, then the values; for a stack, queue or deque: push, pop, value
   * @throws InputError between step() and reset(), if an input has the wrong length or type, and if a control is
   * negative or not finite
   */
  forward(...inputs: Float32Array[]): Promise<Float32Array>;
  /**
   * Gradients of the inputs of the last forward, given the gradient of its reads [B,T,E,M].
   * @throws InputError before forward()
   */
  backward(dRead: Float32Array): Promise<MemoryGradients>;
  /**
   * One step of all sequences: r_t [B,E,M]. The first step starts from an empty memory. At most T steps.
   * @param inputs of this step: the kind's controls [B,E] in order, then the values [B,E,M]
   * @throws InputError after T steps, after stepBackward(), and after forward(): call reset() first
   */
  step(...inputs: Float32Array[]): Promise<Float32Array>;
  /**
   * Gradients of the inputs of one step, given dRead [B,E,M], the gradient of its read. The first call is for the
   * newest step, the next call for the step before it, and so on. The gradients of step t are complete: its controls
   * and value affect only the reads of step t and of later steps, which the earlier calls have covered. dRead of step t
   * must be complete too: it must include the gradient through the controls and values of later steps, which the
   * earlier calls returned. You need not go back to the first step: reset() ends the sequence at any point.
   * @throws InputError if every forward step has had its backward step
   */
  stepBackward(dRead: Float32Array): Promise<MemoryGradients>;
  /**
   * Empties the memory: the next call is step() of a new sequence, or forward(). It runs after all earlier calls. You
   * need not await it.
   */
  reset(): Promise<void>;
  /**
   * The same calls without a promise, on the calling thread only, for frameworks whose layers must be synchronous.
   * @throws InputError on the engine gpu, and while another call is pending
   */
  forwardSync(...inputs: Float32Array[]): Float32Array;
  backwardSync(dRead: Float32Array): MemoryGradients;
  stepSync(...inputs: Float32Array[]): Float32Array;
  stepBackwardSync(dRead: Float32Array): MemoryGradients;
  /**
   * Strengths [B][T][rows] after every step of the last forward, in the paper's order, with 0 for popped rows: t+1
   * rows, oldest first; for a deque 2(t+1) rows, from bottom to top. Empty for a kind without rows. With single steps:
   * strengths after every forward step that has had no backward step yet.
   * @throws InputError before the first forward() or step()
   */
  strengths(): Promise<Float32Array[][]>;
  /**
   * A recorder for whole sequences. Arrays are in buffers of the device, and commands are recorded into the caller's
   * encoders, so that no data passes through the host.
   * @throws InputError on engines other than gpu
   */
  recordSequences(): Promise<SequenceRecorder>;
  /** The same for single steps. @throws InputError on engines other than gpu */
  recordSteps(): Promise<StepRecorder>;
  /** Frees the memory and its recorders. They are unusable afterwards. */
  destroy(): void;
}

/**
 * float32 numbers in a buffer of the engine's device: from the start of the buffer, or from an offset in bytes (a
 * multiple of 4). Row-major and contiguous, in the shapes of MemoryLayer. An input needs usage COPY_SRC, an output
 * COPY_DST.
 */
export type DeviceArray = Buffer | { readonly buffer: Buffer; readonly offset: number };

/**
 * Arrays by name, with the names that MemoryLayer uses. For a stack, queue or deque: `push`, `pop`, `value`, `read`;
 * `dRead`, `dPush`, `dPop`, `dValue`.
 */
export type DeviceArrays = Readonly<Record<string, DeviceArray>>;

/**
 * Records passes over whole sequences. Inputs are copied when the commands run, so later commands may overwrite them.
 * Submit the encoders in the order of the calls. Each call needs an encoder without an open pass. Values are not
 * checked: controls must be finite and ≥ 0, and the push strengths of a sequence must add up to less than 2²⁴. A pass
 * is never split into several submissions, however long it takes.
 */
export interface SequenceRecorder {
  /** Bytes of the recorder's buffers on the device, in addition to those of the layer. */
  readonly bytes: number;
  /** Controls [B,T,E] and value [B,T,E,M] → read [B,T,E,M]. */
  forward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** dRead [B,T,E,M] → the gradients of controls and value. @throws InputError before forward() */
  backward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  destroy(): void;
}

/** Records single steps, under the conditions of SequenceRecorder. The order of calls is that of MemoryLayer. */
export interface StepRecorder {
  readonly bytes: number;
  /** Controls [B,E] and value [B,E,M] of one step → read [B,E,M]. */
  step(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** dRead [B,E,M] of one step → the complete gradients of its controls and value. */
  stepBackward(encoder: CommandEncoder, arrays: DeviceArrays): void;
  /** The next call is step() of a new sequence. */
  reset(): void;
  destroy(): void;
}

/** The gradient of every control by name (`dPush` and `dPop` for a stack, queue or deque), and of the values. */
export interface MemoryGradients {
  [control: string]: Float32Array;
  dValue: Float32Array;
}
