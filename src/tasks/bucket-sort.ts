import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Bucket sort, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the symbols of the
 * source in ascending order. Sources of any length ≥ 1, L outputs. The authors use 5 symbols:
 *
 *   task    bucket-sort
 *   source  2 0 1 0
 *   input   2  0  1  0  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  0  0  1  2
 *   phase   r  r  r  r  w  w  w  .
 *
 * Loss and metrics are over the L output steps.
 */
export function bucketSort({ name, symbols }: TaskConfig): Task {
  const names = digitNames(symbols);
  return answering({
    name,
    symbolNames: names,
    outputNames: names,
    example: [2, 0, 1, 0].map(i => names[i % symbols]).join(' '),
    source: (rng, length) => randomSource(symbols, rng, length),
    targetOf: source => [...source].sort((a, b) => a - b),
    longestTarget: length => length,
  });
}
