import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import type { MemoryKernelOptions } from '../lib/model.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';
import { lines, range } from '../lib/text.ts';

/**
 * The fused plan in the `block` form: one workgroup per sequence, whose invocations divide every product. The state is
 * in workgroup memory. Computes the same states, reads and gradients of activations as lane.wgsl.ts, for wider
 * controllers too. Outputs, losses and weight gradients are left to other kernels.
 *
 * Most of a time step is spent loading the matrices, so many loads must be in flight: an invocation computes four
 * adjacent columns of a product and loads 4 to 16 rows of the matrix before it uses them. If there are at least twice
 * as many invocations as groups of four columns, several share the rows of a group.
 */

export interface BlockOptions extends MemoryKernelOptions {
  /** See Tuning.rowsAtOnce. */
  rowsAtOnce: number;
}

/** Start of the kernels: extensions, batch, matrices and biases. @param size4 length of w in vec4s */
export const prologue = (o: MemoryKernelOptions, size4: number): string => wgsl`
${enableFor(o.memory)}
${o.batch}
@group(0) @binding(1) var<storage, read> w: array<vec4f, ${size4}>;
${sequenceState(o.memory)}
`;

/** Opens main(). Declares `sequence` and `length`. */
export const mainPrologue = (o: MemoryKernelOptions): string => wgsl`
${mainOfSequence(o.memory, 'batch.B')}
  let length = lengthOf(sequence);
`;

/** A product x · W that is added to the columns of a sum, starting with vec4 `first` of them. */
export interface Factor {
  /** Array of numbers in workgroup memory, with zeros up to a multiple of four, and the offset of x in it. */
  x: string;
  from?: number;
  W: Block;
  first?: number;
}

/** A sum of products in workgroup memory. */
export interface Products {
  /** Statements that compute the sum. All invocations run them; they end with a barrier. */
  code: string;
  /** Expression of number i of the sum. */
  at(i: string): string;
}

/** Maximum number of parts into which the rows of a matrix are divided. */
const MAX_PARTS = 8;

/** Number of parts into which the rows of a matrix are divided: as many as there are invocations for. */
const partsOf = (size: number, columns4: number): number =>
  Math.max(1, Math.min(MAX_PARTS, Math.floor(size / columns4)));

/** Length of wg_products in vec4s: the widest sum, or the parts of a narrower one. */
const products4 = (layout: Layout, size: number): number => Math.max(size, widestSum4(layout));

/**
 * Adds up products in wg_products: `columns4` vec4s of columns, each in several partial sums, which divide the rows.
 * @param start statements that set `sum`, the sum of vec4 `column`, before the products of part 0 are added
 */
export function products(
  { memory: { size }, rowsAtOnce }: BlockOptions,
  columns4: number,
  factors: readonly Factor[],
  start = '',
): Products {
  const parts = partsOf(size, columns4);
  const factor = ({ x, from = 0, W: { offset4, rows, ld4 }, first = 0 }: Factor): string => {
    const groups = Math.ceil(rows / 4);
    // Several groups of rows per iteration, if there is no remainder: their loads do not wait for each other.
    const together = [4, 2].find(n => 4 * n <= rowsAtOnce && groups % (n * parts) === 0) ?? 1;
    const each = range(4 * together);
    const loop = `for (var n = part * ${together}u; n < ${groups}u; n += ${parts * together}u) {
      let at = ${offset4}u + n * ${4 * ld4}u + column${first ? ` - ${first}u` : ''};
      ${lines(each, r => `let w${r} = w[at + ${r * ld4}u];`)}
      ${lines(each, r => `sum += ${x}[4u * n + ${from + r}u] * w${r};`)}
    }`;
    const all = first === 0 && ld4 === columns4;
    return all ? loop : `if (column >= ${first}u && column < ${first + ld4}u) {\n    ${loop}\n    }`;
  };
  return {
    code: wgsl`
  for (var item = lid; item < ${columns4 * parts}u; item += ${size}u) {
    let part = item / ${columns4}u;
    let column = item % ${columns4}u;
    var sum = vec4f();
    ${start && `if (part == 0u) {\n    ${start}\n    }`}
    ${lines(factors, factor)}
    wg_products[item] = sum;
  }
  workgroupBarrier();`,
    at: i =>
      parts === 1 ? `wg_products[(${i}) / 4u][(${i}) % 4u]` : `productAt(${columns4}u, ${parts}u, ${i})`,
  };
}

/** Declares what products() uses. */
export const productDeclarations = ({ layout, memory: { size } }: BlockOptions): string => wgsl`
var<workgroup> wg_products: array<vec4f, ${products4(layout, size)}>;
// Number i of a sum of products: the sum of its parts.
fn productAt(columns4: u32, parts: u32, i: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < parts; part++) { sum += wg_products[part * columns4 + i / 4u][i % 4u]; }
  return sum;
}
`;

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

/** Number of vec4s of columns of the widest sum: the gates of a layer, the heads, or the gradients of a layer's inputs. */
export const widestSum4 = ({ H4, P4, R4, S4, layers, gates }: Layout): number =>
  Math.max(gates.all * H4, S4, P4, (layers.length > 1 ? 2 : 1) * H4 + R4);

/**
 * Words of workgroup memory of the backward pass, which needs more than the forward pass. Excludes those of the memory
 * functions.
 */
export const workgroupWords = (layout: Layout, size: number): number => {
  const { H4, P4, R4, S4, layers, gates, states } = layout;
  const state4 = (states.length * layers.length + 1 + gates.all) * H4 + P4 + S4 + R4;
  return 4 * (state4 + products4(layout, size));
};
