import type { TaskConfig } from '../base/config.ts';
import { PHASE } from '../base/dims.ts';
import { language } from './language.ts';
import { namesOf, randomSource, type Task } from './task.ts';

/**
 * Language modelling of marked reversal, w # w^R (DuSell and Chiang 2020; see language.ts for the format and the
 * metric). Strings have odd lengths, and w is uniform. The language is deterministic context-free. The authors use 2
 * symbols:
 *
 *   task    lm-marked-reversal
 *   source  a b b # b b a
 *   input   <s>  a  b  b  #  b  b  a
 *   target  a    b  b  #  b  b  a  </s>
 *   phase   .    r  r  r  w  w  w  w
 *
 * A stack should push w, and pop from the mark on.
 */
export function lmMarkedReversal({ name, symbols }: TaskConfig): Task {
  const names = namesOf(symbols);
  const mark = symbols;
  return language({
    name,
    symbolNames: [...names, '#'],
    example: [0, 1 % symbols]
      .map(i => names[i])
      .join(' ')
      .concat(` # ${names[1 % symbols]} ${names[0]}`),
    has: length => length % 2 === 1,
    because: 'its strings have odd lengths',
    string: (rng, length) => {
      const w = randomSource(symbols, rng, (length - 1) / 2);
      return [...w, mark, ...[...w].reverse()];
    },
    logProbability: string => {
      const half = (string.length - 1) / 2;
      const isMarkedPalindrome = string.every((symbol, i) =>
        i === half ? symbol === mark : symbol !== mark && symbol === string[string.length - 1 - i],
      );
      return Number.isInteger(half) && isMarkedPalindrome ? -half * Math.log(symbols) : -Infinity;
    },
    phase: string => {
      const at = string.indexOf(mark);
      return string.map((_, i) => (at < 0 || i < at ? PHASE.reading : PHASE.writing));
    },
  });
}
