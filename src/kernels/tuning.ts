import type { Gpu } from '../gpu/device.ts';

/**
 * Everything about the kernels that is chosen by measurement and not by mathematics, in one table. None of it changes a
 * number that is computed: tiles change who adds up a sum, not in which order.
 */
export interface Tuning {
  /** Products of one time step: sequences of an invocation, at most, and invocations of a workgroup. */
  step: { rows: number; size: number };
  /** Those that src/kernels/autotune.ts chooses among where a step is large. */
  stepsToTry: readonly { rows: number; size: number }[];
  /** Products over all steps: rows and vec4s of columns of an invocation. */
  linear: { rows: number; columns: number; size: number };
  /** Weight gradients: vec4s of the left and of the right side of an invocation. */
  gradients: { down: number; across: number; size: number; invocations: number };
}

/**
 * A software adapter runs four invocations as one on every core: a load from a buffer costs it as much as ten
 * multiplications (bench/lab/matmul.ts), so tiles are as large as compile in reasonable time, and workgroups small.
 * A GPU wants many invocations at once. Its column is not measured.
 */
const TABLE: Record<'software' | 'gpu', Tuning> = {
  software: {
    step: { rows: 10, size: 8 },
    stepsToTry: [
      { rows: 10, size: 8 },
      { rows: 8, size: 8 },
      { rows: 5, size: 8 },
      { rows: 4, size: 16 },
    ],
    linear: { rows: 8, columns: 2, size: 8 },
    gradients: { down: 4, across: 4, size: 8, invocations: 64 },
  },
  gpu: {
    step: { rows: 2, size: 64 },
    stepsToTry: [
      { rows: 1, size: 64 },
      { rows: 2, size: 64 },
      { rows: 4, size: 64 },
      { rows: 4, size: 128 },
      { rows: 8, size: 32 },
    ],
    linear: { rows: 4, columns: 1, size: 64 },
    gradients: { down: 1, across: 1, size: 64, invocations: 65_536 },
  },
};

export const tuningFor = (gpu: Gpu): Tuning => TABLE[gpu.software ? 'software' : 'gpu'];
