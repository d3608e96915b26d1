import type { Rng } from '../base/rng.ts';
import { throwNoLengths } from './task.ts';

/**
 * A rule of an inversion transduction grammar: with this probability, a nonterminal becomes the words `source` in the
 * source and the words `target` in the target. Words are separated by spaces. Nonterminals are written by name, and
 * both sides have the same ones: the k-th `S` of the target is the same derivation as the k-th `S` of the source. All
 * other words are terminals.
 */
export type Rule = readonly [probability: number, source: string, target: string];
export type Rules = Readonly<Record<string, readonly Rule[]>>;

/**
 * Maximum source length, in symbols. Filling the tables takes quadratic time, and probabilities underflow for very long
 * sources.
 */
export const MAX_LENGTH = 4096;

/** A word in the source and its translation in the target. */
export type WordPair = { source: string; target: string };

interface Production {
  probability: number;
  source: string[];
  target: string[];
  /** Whether each item of the source is a nonterminal. */
  isNonterminal: boolean[];
  /** tails[i][n]: probability that items i and later derive n symbols. */
  tails: number[][];
}

/**
 * Samples derivations of a grammar whose sources have given lengths. The distribution is that of deriving from the
 * start symbol `A` and rejecting all sources of other lengths. In fact nothing is rejected: tables hold the probability
 * that each nonterminal derives n symbols, and the length, the rules and the splits are drawn in proportion to them.
 *
 *   P_X(n) = Σ over rules of X: p · tail_0(n)
 *   tail_i(n) = tail_{i+1}(n - 1) for a terminal, Σ_k P_Y(k) · tail_{i+1}(n - k) for a nonterminal Y
 *
 * Every nonterminal must derive at least one symbol, and rules with a single nonterminal must not form a cycle. A class
 * of terminals (`ST`: one of 33 equally likely words) is a nonterminal without rules that derives one symbol; the
 * `word` argument of derive() chooses the word.
 */
export class Grammar {
  readonly #productions: ReadonlyMap<string, readonly Production[]>;
  readonly #classes: ReadonlySet<string>;
  /** P_X(n) by X, from n = 0. */
  readonly #lengths: ReadonlyMap<string, number[]>;
  #filled = 0;

  constructor(rules: Rules, classes: readonly string[]) {
    this.#classes = new Set(classes);
    const names = new Set([...Object.keys(rules), ...classes]);
    const split = (words: string): string[] => words.split(' ').filter(Boolean);
    this.#lengths = new Map([...names].map(name => [name, [0]]));
    this.#productions = new Map(
      Object.entries(rules).map(([name, all]) => [
        name,
        all.map(([probability, sourceWords, targetWords]) => {
          const source = split(sourceWords);
          const isNonterminal = source.map(item => names.has(item));
          const last = source.length - 1;
          // If the last item is a nonterminal, its tail is the table of that nonterminal, shared.
          const tails = source.map((item, i) =>
            i === last && isNonterminal[i] ? this.#lengths.get(item)! : [0],
          );
          tails.push([1]);
          return { probability, source, target: split(targetWords), isNonterminal, tails };
        }),
      ]),
    );
  }

  /** Probability that a derivation from `A` has a source of n symbols. */
  probability(n: number): number {
    this.#fill(n);
    return this.#lengths.get('A')![n];
  }

  /**
   * A derivation whose source has low … high symbols, as words.
   * @param word chooses the word of a class
   * @throws InputError if the grammar derives no such source, or sources are too long for the tables
   */
  derive(
    task: string,
    rng: Rng,
    low: number,
    high: number,
    word: (name: string) => WordPair,
  ): { source: string[]; target: string[] } {
    if (low > MAX_LENGTH)
      throwNoLengths(task, low, high, `its sources have at most ${MAX_LENGTH} symbols`, 'lower');
    const to = Math.min(high, MAX_LENGTH);
    this.#fill(to);
    const lengths = this.#lengths.get('A')!;
    const length = choose(rng, to - low + 1, i => lengths[low + i]);
    if (length < 0) {
      const shortest = this.#shortest();
      throwNoLengths(task, low, high, `the shortest source that its grammar derives has ${shortest} symbols`);
    }
    return this.#expand('A', low + length, rng, word);
  }

  #shortest(): number {
    for (let n = 1; n <= MAX_LENGTH; n++) if (this.probability(n) > 0) return n;
    return Number.NaN;
  }

  /**
   * Fills the tables up to n symbols, in ascending order, so that a rule of two or more items only needs entries that
   * exist.
   */
  #fill(n: number): void {
    while (this.#filled < n) {
      this.#filled++;
      for (const name of this.#lengths.keys()) this.#fillAt(name, this.#filled);
    }
  }

  #fillAt(name: string, n: number): void {
    const table = this.#lengths.get(name)!;
    if (table.length > n) return;
    let sum = this.#classes.has(name) && n === 1 ? 1 : 0;
    for (const { probability, source, isNonterminal, tails } of this.#productions.get(name) ?? []) {
      if (source.length === 1 && isNonterminal[0]) this.#fillAt(source[0], n);
      tails[source.length].push(0);
      for (let i = source.length - 1; i >= 0; i--) {
        if (!isNonterminal[i]) tails[i][n] = tails[i + 1][n - 1];
        else if (i < source.length - 1) {
          const first = this.#lengths.get(source[i])!;
          let tail = 0;
          for (let k = 1; k < n; k++) tail += first[k] * tails[i + 1][n - k];
          tails[i][n] = tail;
        }
      }
      sum += probability * tails[0][n];
    }
    table[n] = sum;
  }

  /** Derives a random source of n symbols from a nonterminal, and its target. */
  #expand(
    name: string,
    n: number,
    rng: Rng,
    word: (name: string) => WordPair,
  ): { source: string[]; target: string[] } {
    if (this.#classes.has(name)) {
      const { source, target } = word(name);
      return { source: [source], target: [target] };
    }
    const productions = this.#productions.get(name)!;
    const production =
      productions[
        choose(rng, productions.length, i => productions[i].probability * productions[i].tails[0][n])
      ];
    const words: { source: string[]; target: string[] } = { source: [], target: [] };
    /** The targets of each nonterminal, in the order in which the source has them. */
    const targets = new Map<string, string[][]>();
    let remaining = n;
    production.source.forEach((item, i) => {
      if (!production.isNonterminal[i]) {
        words.source.push(item);
        remaining--;
        return;
      }
      const first = this.#lengths.get(item)!;
      const k =
        1 + choose(rng, remaining, j => first[j + 1] * (production.tails[i + 1][remaining - 1 - j] ?? 0));
      remaining -= k;
      const { source, target } = this.#expand(item, k, rng, word);
      words.source.push(...source);
      targets.set(item, [...(targets.get(item) ?? []), target]);
    });
    for (const item of production.target) words.target.push(...(targets.get(item)?.shift() ?? [item]));
    return words;
  }
}

/** Draws one of 0 … n - 1 in proportion to its weight; -1 if all weights are 0. */
function choose(rng: Rng, n: number, weight: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weight(i);
  if (!(sum > 0)) return -1;
  let left = sum * rng.uniform();
  let last = -1;
  for (let i = 0; i < n; i++) {
    const w = weight(i);
    if (w === 0) continue;
    last = i;
    left -= w;
    if (left < 0) break;
  }
  return last;
}
