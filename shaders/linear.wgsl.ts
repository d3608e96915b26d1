import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/kernels/layout.ts';
import { BATCH, type HeaderField } from './lib/batch.wgsl.ts';

/**
 * Matrix products over all T·B rows of a batch. Each invocation keeps a tile of 4 rows by 4 columns in
 * registers: 4 + 4 vec4 loads for 64 multiplications.
 */
export const LINEAR_SIZE = 64;

/** A tensor in an arena: its offset's field in the batch header, vec4s per row, rows to skip times B. */
export interface Operand {
  field: HeaderField;
  width4: number;
  /** h and r start with B rows of step -1; 1 skips them. */
  skip: 0 | 1;
}

const at = ({ field, width4, skip }: Operand, row: string): string =>
  `batch.${field} + (${row}${skip ? ' + batch.B' : ''}) * ${width4}u`;

const tile = (columns4: number): string => wgsl`
@compute @workgroup_size(${LINEAR_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let tile = (group.y * groups.x + group.x) * ${LINEAR_SIZE}u + lid;
  let rows = batch.T * batch.B;
  let first = tile / ${columns4}u * 4u;
  let column = tile % ${columns4}u;
  if (first >= rows) { return; }
  // The last tile may overlap its neighbour's rows, which then are computed twice, to the same numbers.
  let n0 = first;
  let n1 = min(first + 1u, rows - 1u);
  let n2 = min(first + 2u, rows - 1u);
  let n3 = min(first + 3u, rows - 1u);
`;

/** x, W, b -> y = x·W + b. Binds batch, w, acts (x in, y out). */
export function linear(x: Operand, W: Block, b: Block | undefined, y: Operand): string {
  const wide = Math.ceil(W.rows / 4);
  return wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(W.ld4)}
#if ${b !== undefined}
  let bias = w[${b?.offset4 ?? 0}u + column];
#else
  let bias = vec4f();
#endif
  var y0 = bias;
  var y1 = bias;
  var y2 = bias;
  var y3 = bias;
  for (var i = 0u; i < ${wide}u; i++) {
    let x0 = acts[${at(x, 'n0')} + i];
    let x1 = acts[${at(x, 'n1')} + i];
    let x2 = acts[${at(x, 'n2')} + i];
    let x3 = acts[${at(x, 'n3')} + i];
    let corner = ${W.offset4}u + i * ${4 * W.ld4}u + column;
    let w0 = w[corner];
    let w1 = w[corner + ${W.ld4}u];
    let w2 = w[corner + ${2 * W.ld4}u];
    let w3 = w[corner + ${3 * W.ld4}u];
    y0 += x0.x * w0 + x0.y * w1 + x0.z * w2 + x0.w * w3;
    y1 += x1.x * w0 + x1.y * w1 + x1.z * w2 + x1.w * w3;
    y2 += x2.x * w0 + x2.y * w1 + x2.z * w2 + x2.w * w3;
    y3 += x3.x * w0 + x3.y * w1 + x3.z * w2 + x3.w * w3;
  }
  acts[${at(y, 'n0')} + column] = y0;
  acts[${at(y, 'n1')} + column] = y1;
  acts[${at(y, 'n2')} + column] = y2;
  acts[${at(y, 'n3')} + column] = y3;
}
`;
}

/** dy, W -> dx = dy·Wᵀ, or added to dx. Binds batch, w, grads (dy in, dx out). Padding of dx stays 0. */
export function linearBackward(dy: Operand, W: Block, dx: Operand, accumulate: boolean): string {
  const rows = [0, 1, 2, 3];
  // Beyond the matrix's last row lie other parameters, whose products must not reach the padding of dx.
  const factor = (k: number): string => (W.rows % 4 === 0 ? '' : ` * f32(column * 4u + ${k}u < ${W.rows}u)`);
  return wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tile(dx.width4)}
  var dx0 = vec4f();
  var dx1 = vec4f();
  var dx2 = vec4f();
  var dx3 = vec4f();
  for (var j = 0u; j < ${W.ld4}u; j++) {
    let corner = ${W.offset4}u + column * ${4 * W.ld4}u + j;
    ${rows.map(k => `let w${k} = w[corner + ${k * W.ld4}u]${factor(k)};`).join('\n')}
    ${rows
      .map(
        n => `let dy${n} = grads[${at(dy, `n${n}`)} + j];
    dx${n} += vec4f(dot(dy${n}, w0), dot(dy${n}, w1), dot(dy${n}, w2), dot(dy${n}, w3));`,
      )
      .join('\n')}
  }
  // A repeated last row must be added once only.
  grads[${at(dx, 'n0')} + column] ${accumulate ? '+=' : '='} dx0;
  if (n1 != n0) { grads[${at(dx, 'n1')} + column] ${accumulate ? '+=' : '='} dx1; }
  if (n2 != n1) { grads[${at(dx, 'n2')} + column] ${accumulate ? '+=' : '='} dx2; }
  if (n3 != n2) { grads[${at(dx, 'n3')} + column] ${accumulate ? '+=' : '='} dx3; }
}
`;
}

/** One weight gradient: block[k][j] = Σ_rows a[row][k] · b[row][j]. */
export interface GradientJob {
  block: Block;
  /** Activations; 'inputs': the multi-hot inputs; 'ones': the block is a bias. */
  a: Operand | 'inputs' | 'ones';
  b: Operand;
  /** Rows summed over: T·B, or B for what belongs to the starting state. */
  perStep: boolean;
}

/** Tiles of 4 × 4 of one job, rounded up to whole workgroups so that a workgroup has one job. */
const groupsOf = ({ block, a }: GradientJob): number =>
  Math.ceil(((a === 'ones' ? 1 : Math.ceil(block.rows / 4)) * block.ld4) / GRADIENT_SIZE);
export const GRADIENT_SIZE = 16;
export const gradientGroups = (jobs: readonly GradientJob[]): number =>
  jobs.reduce((sum, job) => sum + groupsOf(job), 0);

/**
 * All weight gradients in one dispatch: workgroup (x, y) computes tiles of one job over the y-th part of the
 * rows, into part y of `partial` [parts, size4]; the optimiser's first pass adds the parts up in fixed order.
 */
export function weightGradients(jobs: readonly GradientJob[], size4: number): string {
  let firstGroup = 0;
  const bodies = jobs.map(job => {
    const { block, a, b, perStep } = job;
    const begin = firstGroup;
    firstGroup += groupsOf(job);
    const tilesDown = a === 'ones' ? 1 : Math.ceil(block.rows / 4);
    const load =
      a === 'ones'
        ? 'let a = vec4f(1.0, 0.0, 0.0, 0.0);'
        : a === 'inputs'
          ? `var a = vec4f();
      for (var k = 0u; k < batch.K; k++) { a += vec4f(vec4u(inputAt(n, k)) == own); }`
          : `let a = acts[${at(a, 'n')} + down];`;
    const rest = [1, 2, 3].map(
      k =>
        `if (down * 4u + ${k}u < ${a === 'ones' ? 1 : block.rows}u) { partial[to + ${k * block.ld4}u] = c${k}; }`,
    );
    return wgsl`
  if (group.x < ${firstGroup}u) {
    let tile = (group.x - ${begin}u) * ${GRADIENT_SIZE}u + lid;
    if (tile >= ${tilesDown * block.ld4}u) { return; }
    let down = tile / ${block.ld4}u;
    let across = tile % ${block.ld4}u;
    let own = vec4u(down * 4u) + vec4u(0u, 1u, 2u, 3u);
    let rows = ${perStep ? 'batch.T * batch.B' : 'batch.B'};
    let each = (rows + groups.y - 1u) / groups.y;
    var c0 = vec4f();
    var c1 = vec4f();
    var c2 = vec4f();
    var c3 = vec4f();
    for (var n = group.y * each; n < min((group.y + 1u) * each, rows); n++) {
      ${load}
      let b = grads[${at(b, 'n')} + across];
      c0 += a.x * b;
      c1 += a.y * b;
      c2 += a.z * b;
      c3 += a.w * b;
    }
    let to = group.y * ${size4}u + ${block.offset4}u + down * ${4 * block.ld4}u + across;
    partial[to] = c0;
    ${rest.join('\n')}
    return;
  }`;
  });
  return wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> acts: array<vec4f>;
@group(0) @binding(2) var<storage, read> grads: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;
@compute @workgroup_size(${GRADIENT_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
${bodies.join('\n')}
}
`;
}
