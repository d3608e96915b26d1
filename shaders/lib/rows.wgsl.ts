import type { Layout } from '../../src/layout/layout.ts';
import { type Operand, operand } from '../../src/layout/tensors.ts';

/** Offset of a row of a tensor in its arena, in vec4s. @param row a name, or an expression in parentheses */
export const at = ({ field, width4, skip, from }: Operand, row: string): string =>
  `batch.${field} + ${skip ? `(${row} + batch.B)` : row} * ${width4}u${from ? ` + ${from}u` : ''}`;

/** The same, for a tensor given by name. @param skip 1: skip the rows of the starting state of h, c or r */
export const rowsOf =
  (layout: Layout) =>
  (field: string, row: string, skip: 0 | 1 = 0): string =>
    at(operand(layout, field, { skip }), row);
