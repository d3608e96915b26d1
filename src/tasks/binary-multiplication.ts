import type { TaskConfig } from '../base/config.ts';
import { binaryCalculation } from './binary.ts';
import type { Task } from './task.ts';

/**
 * Binary multiplication, of the Chomsky hierarchy (context-sensitive; see answering.ts for the format): the product of
 * two binary numbers, lowest bit first, and `end`. Sources of any length ≥ 1, up to L outputs; 4 · 6 = 24:
 *
 *   task    binary-multiplication
 *   source  0 0 1 * 0 1 1
 *   input   0  0  1  *  0  1  1  ?  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  0  0  0  1  1  end
 *   phase   r  r  r  r  r  r  r  w  w  w  w  w  .
 *
 * Numbers are drawn as in binary-addition.ts. Sources of 1 or 2 symbols have L − 1 zeros as their answer, as the
 * authors have it. Measured: the output steps up to `end`, as the authors' mask does; they go on with steps that do not
 * count, which are left out here. `symbols` does not matter.
 */
export const binaryMultiplication = ({ name }: TaskConfig): Task =>
  binaryCalculation(
    { name, example: '0 0 1 * 0 1 1', longestAnswer: length => length },
    '*',
    (a, b) => a * b,
    bits => bits.slice(1).map(() => 0),
  );
