import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layout } from '../src/layout/layout.ts';
import { transposedOf } from '../src/layout/transposed.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';
import { lines } from './lib/text.ts';

/** Invocations per workgroup of transpose. */
export const TRANSPOSE_SIZE = 64;

/** Number of tiles of 4 × 4 numbers in the transposed copies of all matrices: one invocation each. */
export const transposeItems = (layout: Layout): number => transposedOf(layout).size4 / 4;

/** w -> transposed copies of the matrices of transposedOf(). One invocation per tile of 4 × 4 numbers. */
export function transpose(layout: Layout): string {
  const { copies } = transposedOf(layout);
  return wgsl`
${storage(0, 'w: vec4f -> copy: vec4f')}
${mainOfInvocation(TRANSPOSE_SIZE, 'tile')}
  ${lines(copies, ({ from, to }) => {
    const begin = to.offset4 / 4;
    const end = begin + from.ld4 * to.ld4;
    // Rows past the end of the matrix are other parameters; in the copy they are 0.
    const load = (r: number): string => {
      const row = `w[${from.offset4}u + (4u * i + ${r}u) * ${from.ld4}u + j]`;
      return from.rows % 4 === 0 ? row : `select(vec4f(), ${row}, 4u * i + ${r}u < ${from.rows}u)`;
    };
    return `if (tile >= ${begin}u && tile < ${end}u) {
    let i = (tile - ${begin}u) % ${to.ld4}u;
    let j = (tile - ${begin}u) / ${to.ld4}u;
    ${lines(4, r => `let w${r} = ${load(r)};`)}
    ${lines(4, c => `copy[${to.offset4}u + (4u * j + ${c}u) * ${to.ld4}u + i] = vec4f(w0[${c}], w1[${c}], w2[${c}], w3[${c}]);`)}
  }`;
  })}
}
`;
}
