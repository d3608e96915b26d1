import type { MemoryInputs, MemoryProblem, TrainingProblem } from '../problems.ts';

/** WebGPU, or WebAssembly on the CPU. */
export type Backend = 'webgpu' | 'wasm';

/**
 * What people would use instead of pushdown. Each has a batched stack as a good user of the library would
 * write it: strengths of all rows of all sequences in one tensor, cumulative sums over rows, a loop over time.
 */
export interface Peer {
  /** "TensorFlow.js", "jax-js", "PyTorch" … */
  readonly name: string;
  readonly version: string;
  /** What it computes on: the WebGPU adapter's name, or "CPU, 2 threads". */
  readonly device: string;
  /** Forward and backward pass of the memory alone; stacks only. Outputs: read, dPush, dPop, dValue. */
  memory(problem: MemoryProblem, inputs: MemoryInputs): Promise<PeerRun>;
  /** Inclusive prefix sums of the rows of x [R,L]: output y [R,L]. Or, given dy as x, the gradient: output dx [R,L]. */
  prefixSum(R: number, L: number, pass: 'forward' | 'gradient', x: Float32Array): Promise<PeerRun>;
  /**
   * A step of plain gradient descent. Outputs after the first pass: objective [1], and every parameter under its name in
   * src/base/parameters.ts.
   */
  training(problem: TrainingProblem): Promise<PeerRun>;
  destroy(): Promise<void>;
}

export interface PeerRun {
  /** Runs one pass and waits for it. Returns its time in ms, without the transfer of inputs and outputs. */
  pass(): Promise<number>;
  /** Outputs of the last pass. */
  outputs(): Promise<Map<string, Float32Array>>;
  /** Releases its memory. */
  end(): Promise<void>;
}
