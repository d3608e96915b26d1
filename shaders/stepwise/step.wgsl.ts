import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { operand } from '../../src/layout/tensors.ts';
import { mainOfInvocation } from '../lib/invocation.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { at } from '../lib/rows.wgsl.ts';
import { range } from '../lib/text.ts';

/**
 * The stepwise plan: one dispatch per layer and time step, for controllers too large to fuse. Every kernel is a
 * matrix product whose invocations keep a tile of `rows` sequences by one vec4 of columns (of every gate) in
 * registers, followed by what is to be done with its numbers. Which step it is comes as a uniform. The memory's
 * steps are in memory.wgsl.ts; what does not depend on time is done before and after, as in the fused plan.
 */
export interface StepOptions {
  layout: Layout;
  /** Declares the batch (batchOf). */
  batch: string;
  /** Sequences per invocation. */
  rows: number;
  /** Invocations per workgroup. */
  size: number;
}

export const head = ({ layout, batch }: StepOptions): string => wgsl`
${batch}
@group(0) @binding(1) var<storage, read> w: array<vec4f, ${layout.size4}>;
@group(1) @binding(0) var<uniform> now: vec4u;
${MATH}
`;

/** One invocation: column j of `columns4`, sequences b0 … . The last tile repeats the last sequence. */
export const tile = ({ rows, size }: StepOptions, columns4: number): string => wgsl`
${mainOfInvocation(size, 'tile')}
  let t = now.x;
  let B = batch.B;
  let j = tile % ${columns4}u;
  let first = tile / ${columns4}u * ${rows}u;
  if (first >= B) { return; }
  ${range(rows)
    .map(n => `let b${n} = min(first + ${n}u, B - 1u);`)
    .join('\n')}
`;

/** Where the row of a tensor begins that is of sequence b at a time step; of h, c and r, step t is that before step t. */
export const rowAt = ({ layout }: StepOptions, field: string, step: string, b: string): string =>
  at(operand(layout, field), `((${step}) * B + ${b})`);

/** The same of a tensor that has one row a sequence. */
export const ownRow = ({ layout }: StepOptions, field: string, b: string): string =>
  at(operand(layout, field), b);

/** Workgroups of a kernel whose rows have columns4 vec4s. */
export const stepTiles = ({ rows, size }: StepOptions, columns4: number, B: number): number =>
  Math.ceil((Math.ceil(B / rows) * columns4) / size);

/** sum{g}_{n} += x_n · W[:, gate g, column j], over a matrix of `gates` blocks of H4 columns. x_n begins at x(b_n) in acts. */
export function product(
  o: Pick<StepOptions, 'rows'>,
  x: (b: string) => string,
  { offset4, rows, ld4 }: Block,
  gates: number[],
  stride: number,
): string {
  const tiles = range(o.rows);
  // Places are found before the loop: the sizes in them are loads, which a software adapter would do every time.
  return wgsl`{
  ${tiles.map(n => `let from${n} = ${x(`b${n}`)};`).join('\n')}
  for (var i = 0u; i < ${Math.ceil(rows / 4)}u; i++) {
    let corner = ${offset4}u + i * ${4 * ld4}u + j;
    ${tiles.map(n => `let x${n} = acts[from${n} + i];`).join('\n')}
    ${gates
      .map(
        (gate, k) => `{
      ${range(4)
        .map(r => `let w${r} = w[corner + ${r * ld4 + k * stride}u];`)
        .join('\n')}
      ${tiles.map(n => `sum${gate}_${n} += x${n}.x * w0 + x${n}.y * w1 + x${n}.z * w2 + x${n}.w * w3;`).join('\n')}
    }`,
      )
      .join('\n')}
  }
  }`;
}

/** sum_{n} += dy_n · W[4j … 4j + 3, :]ᵀ: the backward pass of a product. */
export function transposed(o: StepOptions, dy: (b: string) => string, { offset4, rows, ld4 }: Block): string {
  const tiles = range(o.rows);
  // Beyond the matrix's last row lie other parameters, whose products must not reach the padding.
  const factor = (r: number): string => (rows % 4 === 0 ? '' : ` * f32(j * 4u + ${r}u < ${rows}u)`);
  return wgsl`{
  ${tiles.map(n => `let from${n} = ${dy(`b${n}`)};`).join('\n')}
  for (var i = 0u; i < ${ld4}u; i++) {
    let corner = ${offset4}u + j * ${4 * ld4}u + i;
    ${range(4)
      .map(r => `let w${r} = w[corner + ${r * ld4}u]${factor(r)};`)
      .join('\n')}
    ${tiles
      .map(
        n => `let dy${n} = grads[from${n} + i];
    sum_${n} += vec4f(dot(dy${n}, w0), dot(dy${n}, w1), dot(dy${n}, w2), dot(dy${n}, w3));`,
      )
      .join('\n')}
  }
  }`;
}
