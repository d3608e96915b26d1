import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Duplicate string, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the source, twice.
 * Sources of any length ≥ 1, 2L outputs. The authors use 2 symbols:
 *
 *   task    duplicate-string
 *   source  0 1 1
 *   input   0  1  1  ?  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  0  1  1  0  1  1
 *   phase   r  r  r  w  w  w  w  w  .
 *
 * Loss and metrics are over the 2L output steps.
 */
export function duplicateString({ name, symbols }: TaskConfig): Task {
  const names = digitNames(symbols);
  return answering({
    name,
    symbolNames: names,
    outputNames: names,
    example: [0, 1, 1].map(i => names[i % symbols]).join(' '),
    source: (rng, length) => randomSource(symbols, rng, length),
    targetOf: source => [...source, ...source],
    longestTarget: length => 2 * length,
  });
}
