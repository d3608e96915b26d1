import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Odds first, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the 1st, 3rd, 5th …
 * symbol, then the 2nd, 4th … Sources of any length ≥ 1, L outputs. The authors use 2 symbols:
 *
 *   task    odds-first
 *   source  0 1 0 1 1
 *   input   0  1  0  1  1  ?  ?  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  0  0  1  1  1
 *   phase   r  r  r  r  r  w  w  w  w  .
 *
 * Loss and metrics are over the L output steps. (The authors' text starts with the 1st symbol, their code with the 2nd.
 * This task follows the text.)
 */
export function oddsFirst({ name, symbols }: TaskConfig): Task {
  const names = digitNames(symbols);
  return answering({
    name,
    symbolNames: names,
    outputNames: names,
    example: [0, 1, 0, 1, 1].map(i => names[i % symbols]).join(' '),
    source: (rng, length) => randomSource(symbols, rng, length),
    targetOf: source => [...source.filter((_, i) => i % 2 === 0), ...source.filter((_, i) => i % 2 === 1)],
    longestTarget: length => length,
  });
}
