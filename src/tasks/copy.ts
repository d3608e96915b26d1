import type { TaskConfig } from '../base/config.ts';
import type { Task } from './task.ts';
import { rewriting } from './transduction.ts';

/**
 * Copying, in the paper's format (see transduction.ts). Sources of any length ≥ 1, T = 2L + 2. With 3 symbols:
 *
 *   task    copy
 *   source  a b c
 *   input   <s>  a  b  c  |||  a  b  c
 *   target  ·    ·  ·  ·  a    b  c  </s>
 *   phase   .    r  r  r  w    w  w  .
 *
 * Loss and metrics are over the L + 1 steps from the separator. A queue solves it: push while reading, pop while
 * writing.
 */
export const copy = ({ name, symbols }: TaskConfig): Task => rewriting(name, symbols, source => [...source]);
