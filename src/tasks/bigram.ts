import type { TaskConfig } from '../base/config.ts';
import type { Task } from './task.ts';
import { rewriting } from './transduction.ts';

/**
 * Bigram flipping, in the paper's format (see transduction.ts): the two symbols of every pair are swapped. Sources have
 * even lengths ≥ 2, uniform over the even lengths of a range; T = 2L + 2. With 3 symbols:
 *
 *   task    bigram
 *   source  a b b c
 *   input   <s>  a  b  b  c  |||  b  a  c  b
 *   target  ·    ·  ·  ·  ·  b    a  c  b  </s>
 *   phase   .    r  r  r  r  w    w  w  w  .
 *
 * Loss and metrics are over the L + 1 steps from the separator. A queue or a deque helps here. A source of odd length
 * has no target.
 */
export const bigram = ({ name, symbols }: TaskConfig): Task => rewriting(name, symbols, swapped, 2);

const swapped = (source: readonly number[]): number[] | undefined =>
  source.length % 2 === 0 ? source.map((_, i) => source[i ^ 1]) : undefined;
