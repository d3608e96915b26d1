import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import type { MemoryKernelOptions } from '../lib/model.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';

/**
 * The fused plan in the `block` form: one workgroup per sequence, whose invocations divide the columns of every
 * product. The state is in workgroup memory. Computes the same states, reads and gradients of activations as
 * lane.wgsl.ts, for wider controllers too. Outputs, losses and weight gradients are left to other kernels.
 */

/** Start of the kernels: extensions, batch and parameters. */
export const prologue = (o: MemoryKernelOptions): string => wgsl`
${enableFor(o.memory)}
${o.batch}
@group(0) @binding(1) var<storage, read> w: array<f32, ${o.layout.size4 * 4}>;
${sequenceState(o.memory)}
`;

/** Opens main(). Declares `sequence` and `length`. */
export const mainPrologue = (o: MemoryKernelOptions): string => wgsl`
${mainOfSequence(o.memory, 'batch.B')}
  let length = lengthOf(sequence);
`;

/** sum += Σ_n x[n] · W[n][j]. Adjacent invocations load adjacent weights. */
export const column = (x: string, { offset4, rows, ld4 }: Block, j: string): string =>
  `for (var n = 0u; n < ${rows}u; n++) { sum += ${x}[n] * w[${offset4 * 4}u + n * ${ld4 * 4}u + ${j}]; }`;

/** sum += Σ_j dy[from + j] · W[i][j] over all columns, including padding. */
export const transposed = (dy: string, { offset4, ld4 }: Block, from = 0): string =>
  `for (var j = 0u; j < ${ld4 * 4}u; j++) { sum += ${dy}[${from}u + j] * w[${offset4 * 4}u + i * ${ld4 * 4}u + j]; }`;

/** Runs `body` for i = 0 … n − 1, divided between the invocations. */
export const share = (o: MemoryKernelOptions, n: number, body: string): string =>
  n > 0 ? `for (var i = lid; i < ${n}u; i += ${o.memory.size}u) { ${body} }` : '';

/**
 * For output i of the heads (v of every end, then the controls of every end), declares `value` (whether it is part of a
 * v), `control` (if not, its number among the controls) and `at` (its offset in the row s).
 */
export const headAt = ({ E, M4, N4, C, stride, spec: { width: M } }: Layout): string => {
  const offset = stride === C ? 'control' : `(control / ${C}u) * ${stride}u + control % ${C}u`;
  return wgsl`
      let value = i < ${E * M}u;
      let control = i - ${E * M}u;
      let at = select(${N4 * 4}u + ${offset}, (i / ${M}u) * ${M4 * 4}u + i % ${M}u, value);`;
};

/**
 * Words of workgroup memory of the backward pass, which needs more than the forward pass. Excludes those of the memory
 * functions.
 */
export const workgroupWords = ({ H4, P4, R4, S4, layers, gates, states }: Layout): number =>
  4 * ((states.length * layers.length + 1 + gates.all) * H4 + P4 + S4 + R4);
