import type { TaskConfig } from '../base/config.ts';
import { binaryCalculation } from './binary.ts';
import type { Task } from './task.ts';

/**
 * Binary multiplication, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the product
 * of two binary numbers, lowest bit first, followed by `end`. Sources of any length ≥ 1, up to L outputs. For example,
 * 4 · 6 = 24:
 *
 *   task    binary-multiplication
 *   source  0 0 1 * 0 1 1
 *   input   0  0  1  *  0  1  1  ?  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  0  0  0  1  1  end
 *   phase   r  r  r  r  r  r  r  w  w  w  w  w  .
 *
 * Numbers are drawn as in binary-addition.ts. The target of a source of 1 or 2 symbols is L − 1 zeros and `end`, as in
 * the authors' code. Loss and metrics are over the output steps up to `end`. (The authors' sequences continue after
 * `end` with steps that do not count.) `symbols` is ignored.
 */
export const binaryMultiplication = ({ name }: TaskConfig): Task =>
  binaryCalculation(
    { name, example: '0 0 1 * 0 1 1', longestTarget: length => length },
    '*',
    (a, b) => a * b,
    bits => bits.slice(1).map(() => 0),
  );
