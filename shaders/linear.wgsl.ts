import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/layout/layout.ts';
import type { Operand } from '../src/layout/tensors.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import { at } from './lib/rows.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';
import { lines, range } from './lib/text.ts';

/**
 * The tile of several rows and several vec4s of columns that an invocation keeps in registers, so that each load is
 * used in several products. (The products are over all T·B rows of a batch.)
 */
export interface LinearTiling {
  rows: number;
  /** Columns in vec4s. */
  columns: number;
  /** Invocations per workgroup. */
  size: number;
}

/** Number of invocations for `count` rows and columns4 vec4s of columns. */
export const linearTiles = ({ rows, columns }: LinearTiling, count: number, columns4: number): number =>
  Math.ceil(count / rows) * Math.ceil(columns4 / columns);

/**
 * Declares rows n0 … and columns j0 … of this invocation. Tiles at the edge repeat the last row or
 * column; repeats are not stored.
 */
const tile = ({ rows, columns, size }: LinearTiling, columns4: number): string => wgsl`
${mainOfInvocation(size, 'tile')}
  let count = batch.T * batch.B;
  let first = tile / ${Math.ceil(columns4 / columns)}u * ${rows}u;
  let column = tile % ${Math.ceil(columns4 / columns)}u * ${columns}u;
  if (first >= count) { return; }
  ${lines(rows, n => `let n${n} = min(first + ${n}u, count - 1u);`)}
  ${lines(columns, c => `let j${c} = ${columns4 % columns ? `min(column + ${c}u, ${columns4 - 1}u)` : `column + ${c}u`};`)}
`;

/** `body` for every row and column of the tile, skipped where it is a repeat. */
const stores = (
  { rows, columns }: LinearTiling,
  columns4: number,
  body: (n: number, c: number) => string,
): string =>
  lines(
    rows,
    n => `if (first + ${n}u < count) {
    ${lines(columns, c => (columns4 % columns ? `if (column + ${c}u < ${columns4}u) { ${body(n, c)} }` : body(n, c)))}
  }`,
  );

/** x, W, b -> y = x·W + b, or its tanh. Bindings: batch, w, acts (x in, y out). @param batch what batchOf() returns */
export function linear(
  batch: string,
  tiling: LinearTiling,
  x: Operand,
  W: Block,
  b: Block | undefined,
  y: Operand,
  tanh = false,
): string {
  const [rows, columns] = [range(tiling.rows), range(tiling.columns)];
  return wgsl`
${batch}
${storage(1, 'w: vec4f -> acts: vec4f')}
${tanh ? MATH : ''}
${tile(tiling, W.ld4)}
  ${lines(columns, c => {
    const bias = b ? `w[${b.offset4}u + j${c}]` : 'vec4f()';
    return `let bias${c} = ${bias};\n${lines(rows, n => `var y${n}_${c} = bias${c};`)}`;
  })}
  ${lines(rows, n => `let from${n} = ${at(x, `n${n}`)};`)}
  // Loads past the last row of W are multiplied by the padding of x, which is 0.
  for (var i = 0u; i < ${Math.ceil(W.rows / 4)}u; i++) {
    ${lines(rows, n => `let x${n} = acts[from${n} + i];`)}
    let corner = ${W.offset4}u + i * ${4 * W.ld4}u;
    ${lines(
      columns,
      c => `{
      ${lines([0, 1, 2, 3], k => `let w${k} = w[corner + ${k * W.ld4}u + j${c}];`)}
      ${lines(rows, n => `y${n}_${c} += x${n}.x * w0 + x${n}.y * w1 + x${n}.z * w2 + x${n}.w * w3;`)}
    }`,
    )}
  }
  ${stores(tiling, W.ld4, (n, c) => `acts[${at(y, `n${n}`)} + j${c}] = ${tanh ? `safeTanh4(y${n}_${c})` : `y${n}_${c}`};`)}
}
`;
}

/**
 * dy, W -> dx = dy·Wᵀ, or dx += dy·Wᵀ with `accumulate`. If `activated` (the tensor of x) is given, x is tanh(a), and
 * dy·Wᵀ is multiplied by 1 − x² before it is stored or added, which makes it the gradient of a. Bindings: batch, w,
 * grads (dy in, dx out), then acts (x) if `activated` is given. Padding of dx stays 0.
 */
export function linearBackward(
  batch: string,
  tiling: LinearTiling,
  dy: Operand,
  W: Block,
  dx: Operand,
  accumulate: boolean,
  activated?: Operand,
): string {
  const [rows, columns] = [range(tiling.rows), range(tiling.columns)];
  // Loads past the last row of the matrix read other parameters. Their products must not enter the padding of dx.
  const factor = (k: number, c: number): string =>
    W.rows % 4 === 0 ? '' : ` * f32(j${c} * 4u + ${k}u < ${W.rows}u)`;
  const store = (n: number, c: number): string => {
    const to = `grads[${at(dx, `n${n}`)} + j${c}]`;
    const sum = `dx${n}_${c}`;
    if (!activated) return `${to} ${accumulate ? '+=' : '='} ${sum};`;
    return `{ let x = acts[${at(activated, `n${n}`)} + j${c}]; ${to} ${accumulate ? '+=' : '='} ${sum} * (1.0 - x * x); }`;
  };
  return wgsl`
${batch}
${storage(1, 'w: vec4f -> grads: vec4f')}
${activated ? '@group(0) @binding(3) var<storage, read> acts: array<vec4f>;' : ''}
${tile(tiling, dx.width4)}
  ${lines(rows, n => lines(columns, c => `var dx${n}_${c} = vec4f();`))}
  ${lines(rows, n => `let from${n} = ${at(dy, `n${n}`)};`)}
  for (var i = 0u; i < ${W.ld4}u; i++) {
    ${lines(rows, n => `let dy${n} = grads[from${n} + i];`)}
    ${lines(
      columns,
      c => `{
      let corner = ${W.offset4}u + j${c} * ${4 * W.ld4}u + i;
      ${lines([0, 1, 2, 3], k => `let w${k} = w[corner + ${k * W.ld4}u]${factor(k, c)};`)}
      ${lines(rows, n => `dx${n}_${c} += vec4f(dot(dy${n}, w0), dot(dy${n}, w1), dot(dy${n}, w2), dot(dy${n}, w3));`)}
    }`,
    )}
  }
  ${stores(tiling, dx.width4, store)}
}
`;
}
