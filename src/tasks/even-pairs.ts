import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Even pairs, from Delétang et al. 2023 (regular; see answering.ts for the format): whether the number of positions
 * where a bit differs from the previous bit is even (0) or odd (1). Sources of any length ≥ 1, one output:
 *
 *   task    even-pairs
 *   source  0 1 0 1 0 0 1
 *   input   0  1  0  1  0  0  1  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  1
 *   phase   r  r  r  r  r  r  r  .
 *
 * Equivalently: whether the first and the last bit differ. Loss and metrics are over the output step. There is no
 * writing phase. `symbols` is ignored.
 */
export function evenPairs({ name }: TaskConfig): Task {
  const bits = digitNames(2);
  return answering({
    name,
    symbolNames: bits,
    outputNames: bits,
    example: '0 1 0 1 0 0 1',
    source: (rng, length) => randomSource(2, rng, length),
    targetOf: source => [source.filter((bit, i) => i > 0 && bit !== source[i - 1]).length % 2],
    longestTarget: () => 1,
  });
}
