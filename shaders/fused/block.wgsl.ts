import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { controlLoads, type FusedOptions, memoryPlaces } from '../lib/model.wgsl.ts';
import { rowsOf } from '../lib/rows.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';

/**
 * The fused plan in the `block` form: one workgroup per sequence, its invocations sharing the columns of every
 * product; the state lives in workgroup memory. Same function as lane.wgsl.ts, for controllers of any width.
 */

export const head = (o: FusedOptions): string => wgsl`
${enableFor(o.memory)}
${o.batch}
@group(0) @binding(1) var<storage, read> w: array<f32, ${o.layout.size4 * 4}>;
${sequenceState(o.memory)}
${memoryPlaces(o.layout, 'block')}
`;

export const loadControls = ({ layout }: FusedOptions): string =>
  controlLoads(
    layout,
    (t, number) => `acts[(${rowsOf(layout)('s', `(${t} * batch.B + seq)`)}) * 4u + ${number}]`,
  );

export const mainHead = (o: FusedOptions): string => wgsl`
${mainOfSequence(o.memory, 'batch.B')}
  let length = lengthOf(sequence);
`;

/** sum += Σ_n x[n] · W[n][column]; neighbours load neighbouring weights. */
export const column = (sum: string, x: string, { offset4, rows, ld4 }: Block, of: string): string =>
  `for (var n = 0u; n < ${rows}u; n++) { ${sum} += ${x}[n] * w[${offset4 * 4}u + n * ${ld4 * 4}u + ${of}]; }`;

/** sum += Σ_j dy[from + j] · W[row][j] over all columns with their padding. */
export const row = (dy: string, { offset4, ld4 }: Block, of: string, from = 0): string =>
  `for (var j = 0u; j < ${ld4 * 4}u; j++) { sum += ${dy}[${from}u + j] * w[${offset4 * 4}u + ${of} * ${ld4 * 4}u + j]; }`;

/** for (var i = lid; i < n; i += size) */
export const share = (o: FusedOptions, n: number, body: string, i = 'i'): string =>
  n > 0 ? `for (var ${i} = lid; ${i} < ${n}u; ${i} += ${o.memory.size}u) { ${body} }` : '';

/** Words of workgroup memory for each pass, the memory's own left out: see checkWorkgroup in src/kernels/plan.ts. */
export function workgroupWords({ H4, P4, R4, S4, layers, gates, states, C, E }: Layout): number {
  const held = states.length * layers.length;
  const forward = (held + 1) * H4 + P4 + R4 + Math.ceil((C * E) / 2);
  const backward = (held + 2 + gates.all) * H4 + P4 + S4 + R4;
  return 4 * Math.max(forward, backward);
}
