import type { TaskConfig } from '../base/config.ts';
import type { Rng } from '../base/rng.ts';
import { continueProbability, language } from './language.ts';
import { namesOf, randomSource, type Task } from './task.ts';

const WORD = continueProbability(60);
const PADDING = continueProbability(30);

/**
 * Language modelling of padded reversal, w a^p w^R (DuSell and Chiang 2020; see language.ts for the format and the
 * metric). |w| and p are geometric with means 60 and 30, conditioned on the length of the string; w and the symbol a
 * are uniform. Strings have any length ≥ 1. The language is context-free, but not deterministic. The authors use 2
 * symbols:
 *
 *   task    lm-padded-reversal
 *   source  a b b b b b a
 *   input   <s>  a  b  b  b  b  b  a
 *   target  a    b  b  b  b  b  a  </s>
 *   phase   .    .  .  .  .  .  .  .
 */
export function lmPaddedReversal({ name, symbols }: TaskConfig): Task {
  const names = namesOf(symbols);
  /** ln of the unnormalised probability that |w| = k in a string of n symbols. */
  const weightOf = (k: number, n: number): number => k * Math.log(WORD) + (n - 2 * k) * Math.log(PADDING);
  const totals = new Map<number, number>();
  /** ln of the sum of these probabilities over all k. */
  const totalOf = (n: number): number => {
    const known = totals.get(n);
    if (known !== undefined) return known;
    let sum = 0;
    for (let k = 0; 2 * k <= n; k++) sum += Math.exp(weightOf(k, n));
    totals.set(n, Math.log(sum));
    return Math.log(sum);
  };
  /** Draws |w| in a string of n symbols. */
  const drawLength = (rng: Rng, n: number): number => {
    let left = rng.uniform();
    const total = totalOf(n);
    for (let k = 0; 2 * k < n; k++) {
      left -= Math.exp(weightOf(k, n) - total);
      if (left < 0) return k;
    }
    return Math.floor(n / 2);
  };
  return language({
    name,
    symbolNames: names,
    example: [0, 1, 1, 1, 0].map(i => names[i % symbols]).join(' '),
    has: length => length > 0,
    because: 'its shortest string has one symbol',
    string: (rng, length) => {
      const w = randomSource(symbols, rng, drawLength(rng, length));
      const padding = rng.int(0, symbols - 1);
      return [...w, ...Array<number>(length - 2 * w.length).fill(padding), ...[...w].reverse()];
    },
    logProbability: string => {
      const n = string.length;
      // The padding lies within the middle run of equal symbols, but w may end inside that run. Sum over every possible
      // |w|, from the middle outwards.
      const middle = Math.floor(n / 2);
      const isPalindrome = string.every((symbol, i) => symbol === string[n - 1 - i]);
      if (!isPalindrome) return -Infinity;
      let sum = 0;
      for (let k = middle; k >= 0 && (2 * k === n || string[k] === string[middle]); k--) {
        // Without padding there is no padding symbol to draw.
        const draws = 2 * k === n ? k : k + 1;
        sum += Math.exp(weightOf(k, n) - draws * Math.log(symbols) - totalOf(n));
      }
      return Math.log(sum);
    },
  });
}
