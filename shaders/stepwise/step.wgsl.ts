import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { operand } from '../../src/layout/tensors.ts';
import { mainOfInvocation } from '../lib/invocation.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { at, elementsOf } from '../lib/rows.wgsl.ts';
import { lines, range } from '../lib/text.ts';

/**
 * The stepwise plan: a few dispatches per time step (one per layer, and those of the projection, heads and memories),
 * for controllers too large for the fused plan. Every kernel is a matrix product, followed by the operations on its
 * result. An invocation keeps a tile of `rows` sequences by one vec4 of columns (of every gate) in registers. The step
 * number is a uniform. The steps of the memory are in memory.wgsl.ts. Whatever does not depend on earlier steps runs
 * before or after the loop over time.
 */
export interface StepOptions {
  layout: Layout;
  /** WGSL that declares the batch (batchOf). */
  batch: string;
  /** Sequences per invocation. */
  rows: number;
  /** Invocations per workgroup. */
  size: number;
}

/** Start of the kernels: batch, parameters, the step number and functions. */
export const prologue = ({ layout, batch }: StepOptions): string => wgsl`
${batch}
@group(0) @binding(1) var<storage, read> w: array<vec4f, ${layout.size4}>;
@group(1) @binding(0) var<uniform> now: vec4u;
${MATH}
`;

/**
 * Declares the tile of this invocation: column j of `columns4`, sequences b0 …. The last tile repeats the last
 * sequence.
 */
export const tile = ({ rows, size }: StepOptions, columns4: number): string => wgsl`
${mainOfInvocation(size, 'tile')}
  let t = now.x;
  let B = batch.B;
  let j = tile % ${columns4}u;
  let first = tile / ${columns4}u * ${rows}u;
  if (first >= B) { return; }
  ${lines(rows, n => `let b${n} = min(first + ${n}u, B - 1u);`)}
`;

/**
 * Offset of the row of sequence b at a time step. For h, c and r, the row of `step` holds the state before that step.
 */
export const rowAt = ({ layout }: StepOptions, field: string, step: string, b: string): string =>
  at(operand(layout, field), stepRow(step, b));

const stepRow = (step: string, b: string): string => `((${step}) * B + ${b})`;

/** Element i of the row at rowAt(); by default column j. */
export const stepElement = (
  { layout }: StepOptions,
  field: string,
  step: string,
  b: string,
  i = 'j',
): string => elementsOf(layout, 'vec4f')(field, stepRow(step, b), i);

/** Column j of the row of sequence b, for a tensor with one row per sequence. */
export const sequenceElement = ({ layout }: StepOptions, field: string, b: string): string =>
  elementsOf(layout, 'vec4f')(field, b, 'j');

/** Number of workgroups of a kernel with columns4 vec4s of columns. */
export const stepWorkgroups = ({ rows, size }: StepOptions, columns4: number, B: number): number =>
  Math.ceil((Math.ceil(B / rows) * columns4) / size);

/**
 * sum{g}_{n} += x_n · W[:, gate g, column j], over a matrix whose gates start `stride` vec4s of columns apart. x_n
 * starts at x(b_n) in acts.
 */
export function product(
  o: Pick<StepOptions, 'rows'>,
  x: (b: string) => string,
  { offset4, rows, ld4 }: Block,
  gates: number[],
  stride: number,
): string {
  const tiles = range(o.rows);
  // Compute the offsets before the loop: they load sizes from the batch, which a software adapter would repeat in every
  // iteration.
  return wgsl`{
  ${lines(tiles, n => `let from${n} = ${x(`b${n}`)};`)}
  for (var i = 0u; i < ${Math.ceil(rows / 4)}u; i++) {
    let corner = ${offset4}u + i * ${4 * ld4}u + j;
    ${lines(tiles, n => `let x${n} = acts[from${n} + i];`)}
    ${lines(
      gates,
      (gate, k) => `{
      ${lines(4, r => `let w${r} = w[corner + ${r * ld4 + k * stride}u];`)}
      ${lines(tiles, n => `sum${gate}_${n} += x${n}.x * w0 + x${n}.y * w1 + x${n}.z * w2 + x${n}.w * w3;`)}
    }`,
    )}
  }
  }`;
}

/** sum_{n} += dy_n · W[4j … 4j + 3, :]ᵀ: the backward pass of a product. */
export function transposed(o: StepOptions, dy: (b: string) => string, { offset4, rows, ld4 }: Block): string {
  const tiles = range(o.rows);
  // Loads past the last row of the matrix read other parameters. Their products must not enter the padding.
  const factor = (r: number): string => (rows % 4 === 0 ? '' : ` * f32(j * 4u + ${r}u < ${rows}u)`);
  return wgsl`{
  ${lines(tiles, n => `let from${n} = ${dy(`b${n}`)};`)}
  for (var i = 0u; i < ${ld4}u; i++) {
    let corner = ${offset4}u + j * ${4 * ld4}u + i;
    ${lines(4, r => `let w${r} = w[corner + ${r * ld4}u]${factor(r)};`)}
    ${lines(
      tiles,
      n => `let dy${n} = grads[from${n} + i];
    sum_${n} += vec4f(dot(dy${n}, w0), dot(dy${n}, w1), dot(dy${n}, w2), dot(dy${n}, w3));`,
    )}
  }
  }`;
}
