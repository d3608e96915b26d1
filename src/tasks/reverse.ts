import type { TaskConfig } from '../base/config.ts';
import type { Task } from './task.ts';
import { rewriting } from './transduction.ts';

/**
 * Reversal, in the paper's format (see transduction.ts). Sources of any length ≥ 1, T = 2L + 2. With 3 symbols:
 *
 *   task    reverse
 *   source  a b c
 *   input   <s>  a  b  c  |||  c  b  a
 *   target  ·    ·  ·  ·  c    b  a  </s>
 *   phase   .    r  r  r  w    w  w  .
 *
 * Loss and metrics are over the L + 1 steps from the separator. A stack solves it: push while reading, pop while
 * writing.
 */
export const reverse = ({ name, symbols }: TaskConfig): Task =>
  rewriting(name, symbols, source => [...source].reverse());
