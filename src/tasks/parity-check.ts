import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Parity check, from Delétang et al. 2023 (regular; see answering.ts for the format): whether the number of ones is
 * even (0) or odd (1). Sources of any length ≥ 1, one output:
 *
 *   task    parity-check
 *   source  1 0 1 0 1 0 0
 *   input   1  0  1  0  1  0  0  ?
 *   target  ·  ·  ·  ·  ·  ·  ·  1
 *   phase   r  r  r  r  r  r  r  .
 *
 * Loss and metrics are over the output step. There is no writing phase. `symbols` is ignored.
 */
export function parityCheck({ name }: TaskConfig): Task {
  const bits = digitNames(2);
  return answering({
    name,
    symbolNames: bits,
    outputNames: bits,
    example: '1 0 1 0 1 0 0',
    source: (rng, length) => randomSource(2, rng, length),
    targetOf: source => [source.reduce((sum, bit) => sum + bit, 0) % 2],
    longestTarget: () => 1,
  });
}
