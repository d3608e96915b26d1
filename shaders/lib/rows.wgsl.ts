import type { Layout } from '../../src/layout/layout.ts';
import { type Operand, operand } from '../../src/layout/tensors.ts';

/** Where a row of a tensor begins in its arena, in vec4s; `row` is a name or stands in parentheses. */
export const at = ({ field, width4, skip, from }: Operand, row: string): string =>
  `batch.${field} + ${skip ? `(${row} + batch.B)` : row} * ${width4}u${from ? ` + ${from}u` : ''}`;

/** The same of a tensor by its name. @param skip 1: of h, c and r the rows after the starting state */
export const rowsOf =
  (layout: Layout) =>
  (field: string, row: string, skip: 0 | 1 = 0): string =>
    at(operand(layout, field, { skip }), row);
