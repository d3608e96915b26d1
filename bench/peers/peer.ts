import type { MemoryInputs, MemoryProblem, TrainingProblem } from '../problems.ts';

/** WebGPU, or WebAssembly on the processor. */
export type Backend = 'webgpu' | 'wasm';

/**
 * What people would use instead of pushdown, each with the fairest batched stack that a good user of it would write:
 * strengths of all rows of all sequences at once, cumulative sums over rows, a loop over time.
 */
export interface Peer {
  /** "TensorFlow.js", "jax-js", "PyTorch" … */
  readonly name: string;
  readonly version: string;
  /** What it computes on: the WebGPU adapter's name, or "CPU, 2 threads". */
  readonly device: string;
  /** Forward and backward pass of the memory alone; stacks only. Outputs: read, dPush, dPop, dValue. */
  memory(problem: MemoryProblem, inputs: MemoryInputs): Promise<PeerRun>;
  /** Inclusive prefix sum of every row of x [R,L]: output y [R,L]; or the gradient of x, given dy: output dx [R,L]. */
  prefixSum(R: number, L: number, pass: 'forward' | 'gradient', x: Float32Array): Promise<PeerRun>;
  /**
   * A step of plain gradient descent. Outputs after the first pass: objective [1], and every parameter by its name
   * in src/base/parameters.ts.
   */
  training(problem: TrainingProblem): Promise<PeerRun>;
  destroy(): Promise<void>;
}

export interface PeerRun {
  /** One pass, waited for. Milliseconds, the transfer of inputs and outputs not counted. */
  pass(): Promise<number>;
  /** Outputs of the last pass. */
  outputs(): Promise<Map<string, Float32Array>>;
  /** Gives back its memory. */
  end(): Promise<void>;
}
