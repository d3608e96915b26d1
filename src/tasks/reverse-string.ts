import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Reverse string, from Delétang et al. 2023 (deterministic context-free; see answering.ts for the format): the source
 * in reverse order. Sources of any length ≥ 1, L outputs. The authors use 2 symbols:
 *
 *   task    reverse-string
 *   source  0 1 1
 *   input   0  1  1  ?  ?  ?
 *   target  ·  ·  ·  1  1  0
 *   phase   r  r  r  w  w  .
 *
 * Loss and metrics are over the L output steps.
 */
export function reverseString({ name, symbols }: TaskConfig): Task {
  const names = digitNames(symbols);
  return answering({
    name,
    symbolNames: names,
    outputNames: names,
    example: [0, 1, 1, 0, 1].map(i => names[i % symbols]).join(' '),
    source: (rng, length) => randomSource(symbols, rng, length),
    targetOf: source => [...source].reverse(),
    longestTarget: length => length,
  });
}
