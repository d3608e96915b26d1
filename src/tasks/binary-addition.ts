import type { TaskConfig } from '../base/config.ts';
import { binaryCalculation, lowestFirst, numberOf } from './binary.ts';
import type { Task } from './task.ts';

/**
 * Binary addition, of the Chomsky hierarchy (context-sensitive; see answering.ts for the format): the sum of two binary
 * numbers, lowest bit first, and `end`. Sources of any length ≥ 1, up to L + 1 outputs; 4 + 22 = 26:
 *
 *   task    binary-addition
 *   source  0 0 1 + 0 1 1 0 1
 *   input   0  0  1  +  0  1  1  0  1  ?  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  ·  ·  0  1  0  1  1  end
 *   phase   r  r  r  r  r  r  r  r  r  w  w  w  w  w  .
 *
 * The first number has 1 … L − 2 bits, and both are from 1 to the most that their bits can say, all as likely. A source
 * of 1 or 2 symbols is one number, and the answer the number. Measured: the output steps up to `end`, as the authors'
 * mask does; they go on with steps that do not count, which are left out here. `symbols` does not matter.
 */
export const binaryAddition = ({ name }: TaskConfig): Task =>
  binaryCalculation(
    { name, example: '0 0 1 + 0 1 1 0 1', longestAnswer: length => length + 1 },
    '+',
    (a, b) => a + b,
    bits => lowestFirst(numberOf([...bits].reverse())),
  );
