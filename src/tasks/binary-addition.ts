import type { TaskConfig } from '../base/config.ts';
import { binaryCalculation, lowestFirst, numberOf } from './binary.ts';
import type { Task } from './task.ts';

/**
 * Binary addition, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the sum of two
 * binary numbers, lowest bit first, followed by `end`. Sources of any length ≥ 1, up to L + 1 outputs. For example,
 * 4 + 22 = 26:
 *
 *   task    binary-addition
 *   source  0 0 1 + 0 1 1 0 1
 *   input   0  0  1  +  0  1  1  0  1  ?  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  ·  ·  0  1  0  1  1  end
 *   phase   r  r  r  r  r  r  r  r  r  w  w  w  w  w  .
 *
 * The first number has 1 … L − 2 bits. A number of n bits is uniform over 1 … 2^n − 1. A source of 1 or 2 symbols is a
 * single number, which may be 0; the target is the same number. Loss and metrics are over the output steps up to `end`.
 * (The authors' sequences continue after `end` with steps that do not count.) `symbols` is ignored.
 */
export const binaryAddition = ({ name }: TaskConfig): Task =>
  binaryCalculation(
    { name, example: '0 0 1 + 0 1 1 0 1', longestTarget: length => length + 1 },
    '+',
    (a, b) => a + b,
    bits => lowestFirst(numberOf([...bits].reverse())),
  );
