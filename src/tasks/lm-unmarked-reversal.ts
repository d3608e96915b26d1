import type { TaskConfig } from '../base/config.ts';
import { language } from './language.ts';
import { namesOf, randomSource, type Task } from './task.ts';

/**
 * Language modelling of unmarked reversal, w w^R (DuSell and Chiang 2020; see language.ts for the format and the
 * metric). Strings have even lengths, and w is uniform. The language is context-free, but not deterministic: nothing
 * marks the end of w. The authors use 2 symbols:
 *
 *   task    lm-unmarked-reversal
 *   source  a b b b b a
 *   input   <s>  a  b  b  b  b  a
 *   target  a    b  b  b  b  a  </s>
 *   phase   .    .  .  .  .  .  .
 */
export function lmUnmarkedReversal({ name, symbols }: TaskConfig): Task {
  const names = namesOf(symbols);
  return language({
    name,
    symbolNames: names,
    example: [0, 1 % symbols, 1 % symbols, 0].map(i => names[i]).join(' '),
    has: length => length > 0 && length % 2 === 0,
    because: 'its strings have even lengths',
    string: (rng, length) => {
      const w = randomSource(symbols, rng, length / 2);
      return [...w, ...[...w].reverse()];
    },
    logProbability: string => {
      const half = string.length / 2;
      const isPalindrome = string.every((symbol, i) => symbol === string[string.length - 1 - i]);
      return Number.isInteger(half) && isPalindrome ? -half * Math.log(symbols) : -Infinity;
    },
  });
}
