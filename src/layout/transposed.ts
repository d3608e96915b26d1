import type { Block, Layout } from './layout.ts';
import { in4 } from './sizes.ts';

/** The layout of transposed copies of matrices. */
export interface Transposed {
  /** The matrices and their copies, whose offsets are relative to the first copy. */
  copies: readonly { from: Block; to: Block }[];
  /** The copy of a matrix. */
  of(matrix: Block): Block;
  /** Length of all copies, in vec4s. */
  size4: number;
}

/**
 * Copies for the backward pass of the fused plan's block form, which computes dx = dy · Wᵀ. With a copy of Wᵀ, adjacent
 * invocations load adjacent vec4s, as for x · W in the forward pass.
 */
export function transposedOf({ spec, layers, blocks, E }: Layout): Transposed {
  const matrices = [
    ...layers.flatMap(({ Wy, Wh, Wr }) => [Wh, Wy, Wr]),
    E ? blocks.S : undefined,
    spec.projection ? blocks.Whp : undefined,
  ].filter(matrix => matrix !== undefined);
  let size4 = 0;
  const copies = matrices.map(from => {
    const to = { offset4: size4, rows: 4 * from.ld4, ld4: in4(from.rows) };
    size4 += to.rows * to.ld4;
    return { from, to };
  });
  return { copies, size4, of: matrix => copies.find(({ from }) => from === matrix)!.to };
}
