import type { TrainConfig } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import type { MemoryName } from '../base/memories.ts';
import type { ModelSpec, Tensors } from '../base/parameters.ts';

/**
 * What computes: kernels on a WebGPU device, or the paper in float64. Trainer, terminal and page see these types only.
 * Every wait is a Promise; what returns nothing only enqueues.
 */
export interface Engine {
  /** As it is asked for: its name in the table of src/platform/names.ts. */
  readonly name: string;
  readonly adapter: AdapterDescription;
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

/** What one training step, or one evaluated batch, comes to. */
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
 * A differentiable memory over whole sequences. Controls are any numbers ≥ 0: as a strength, 1 is a whole row. E is 1, but 2 for
 * a deque, whose ends are (top, bottom).
 *
 *   const stack = await engine.memory({ kind: 'stack', B, T, M });
 *   const read = await stack.forward(push, pop, value);      // [B,T,E],[B,T,E],[B,T,E,M] → [B,T,E,M]
 *   const { dPush, dPop, dValue } = await stack.backward(dRead);
 */
export interface MemoryLayer {
  readonly shape: MemoryShape;
  /** Bytes held, on the device where there is one. */
  readonly bytes: number;
  /**
   * r_t of every step (equations 1–8). Keeps what the backward pass needs until the next forward.
   * @param inputs the controls of the kind in their order, then the values: of stack, queue and deque push, pop and value
   */
  forward(...inputs: Float32Array[]): Promise<Float32Array>;
  /** Gradients of the inputs of the last forward, given that of its reads [B,T,E,M]. */
  backward(dRead: Float32Array): Promise<MemoryGradients>;
  /**
   * [B][T][rows] strengths after every step of the last forward, in the paper's order, dead rows as 0: t+1 rows,
   * oldest first; a deque's 2(t+1) from bottom to top. A kind without rows has none.
   */
  strengths(): Promise<Float32Array[][]>;
  destroy(): void;
}

/** Of every control by its name, of stack, queue and deque `dPush` and `dPop`; and of the values. */
export interface MemoryGradients {
  [control: string]: Float32Array;
  dValue: Float32Array;
}
