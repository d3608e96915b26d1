import type { Layout } from '../../src/layout/layout.ts';
import { type Operand, operand } from '../../src/layout/tensors.ts';

/**
 * WGSL of the offset of a row of a tensor in its arena (`acts` or `grads`), in vec4s. @param row a name, or an
 * expression in parentheses
 */
export const at = ({ field, width4, skip, from }: Operand, row: string): string =>
  `batch.${field} + ${skip ? `(${row} + batch.B)` : row} * ${width4}u${from ? ` + ${from}u` : ''}`;

/**
 * Returns a function that returns the WGSL expression of element `i` of a row of a tensor.
 * For vec4f:
 *
 *   acts[batch.s + row * 5u + i]
 *
 * Its argument `row` is a name, or an expression in parentheses; `skip` 1 skips the rows of the starting state of h, c
 * or r.
 * @param type the element type of the arenas in the kernel
 */
export const elementsOf =
  (layout: Layout, type: 'f32' | 'vec4f') =>
  (field: string, row: string, i: string, skip: 0 | 1 = 0): string => {
    const tensor = operand(layout, field, { skip });
    const offset = at(tensor, row);
    return `${tensor.arena}[${type === 'vec4f' ? offset : `(${offset}) * 4u`} + ${i}]`;
  };
