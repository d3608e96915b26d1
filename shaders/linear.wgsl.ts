import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/kernels/layout.ts';
import { MATH } from './lib/math.wgsl.ts';

/**
 * Matrix products over all T·B rows of a batch; `batch` declares it (batchOf). Each invocation keeps a tile of 4 rows by 4 columns in
 * registers: 4 + 4 vec4 loads for 64 multiplications.
 */
export const LINEAR_SIZE = 64;

/** A tensor in an arena: its offset's name in the batch header, vec4s per row, rows to skip times B. */
export interface Operand {
  field: string;
  width4: number;
  /** h and r start with B rows of step -1; 1 skips them. */
  skip: 0 | 1;
  /** Columns before the first one taken, in vec4s. */
  from?: number;
}

export const at = ({ field, width4, skip, from = 0 }: Operand, row: string): string =>
  `batch.${field} + (${row}${skip ? ' + batch.B' : ''}) * ${width4}u${from ? ` + ${from}u` : ''}`;

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

/** x, W, b -> y = x·W + b, or its tanh. Binds batch, w, acts (x in, y out). */
export function linear(
  batch: string,
  x: Operand,
  W: Block,
  b: Block | undefined,
  y: Operand,
  tanh = false,
): string {
  const wide = Math.ceil(W.rows / 4);
  const of = (sum: string): string => (tanh ? `safeTanh4(${sum})` : sum);
  return wgsl`
${batch}
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tanh ? MATH : ''}
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
  acts[${at(y, 'n0')} + column] = ${of('y0')};
  acts[${at(y, 'n1')} + column] = ${of('y1')};
  acts[${at(y, 'n2')} + column] = ${of('y2')};
  acts[${at(y, 'n3')} + column] = ${of('y3')};
}
`;
}

/**
 * dy, W -> dx = dy·Wᵀ, or added to dx. Where x was a tanh, of what went into it. Binds batch, w, grads (dy in, dx out),
 * then acts (x) where it is asked for. Padding of dx stays 0.
 */
export function linearBackward(
  batch: string,
  dy: Operand,
  W: Block,
  dx: Operand,
  accumulate: boolean,
  tanh?: Operand,
): string {
  const rows = [0, 1, 2, 3];
  // Beyond the matrix's last row lie other parameters, whose products must not reach the padding of dx.
  const factor = (k: number): string => (W.rows % 4 === 0 ? '' : ` * f32(column * 4u + ${k}u < ${W.rows}u)`);
  return wgsl`
${batch}
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tanh ? '@group(0) @binding(3) var<storage, read> acts: array<vec4f>;' : ''}
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
  ${
    tanh
      ? rows.map(n => `{ let x = acts[${at(tanh, `n${n}`)} + column]; dx${n} *= 1.0 - x * x; }`).join('\n')
      : ''
  }
  // A repeated last row must be added once only.
  grads[${at(dx, 'n0')} + column] ${accumulate ? '+=' : '='} dx0;
  if (n1 != n0) { grads[${at(dx, 'n1')} + column] ${accumulate ? '+=' : '='} dx1; }
  if (n2 != n1) { grads[${at(dx, 'n2')} + column] ${accumulate ? '+=' : '='} dx2; }
  if (n3 != n2) { grads[${at(dx, 'n3')} + column] ${accumulate ? '+=' : '='} dx3; }
}
`;
}
