import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import { lowerBound } from '../../src/tasks/language.ts';
import { makeTask } from '../../src/tasks/registry.ts';
import { parseSource } from '../../src/tasks/task.ts';

const taskOf = (name: string, symbols = 2) => makeTask(makeConfig({ task: { name, symbols } }).task);
const LANGUAGES = [
  'lm-marked-reversal',
  'lm-unmarked-reversal',
  'lm-padded-reversal',
  'lm-dyck',
  'lm-hardest-cfl',
];
const probability = (name: string, string: string, symbols?: number): number => {
  const task = taskOf(name, symbols);
  return Math.exp(task.logProbability!(parseSource(task, string)));
};

/** All strings of this length over an alphabet of this size. */
function* strings(symbols: number, length: number): Generator<number[]> {
  for (let code = 0; code < symbols ** length; code++) {
    yield Array.from({ length }, (_, i) => Math.floor(code / symbols ** i) % symbols);
  }
}

describe.each(LANGUAGES)('%s', name => {
  const task = taskOf(name);

  test('the probabilities of all strings of a length add up to 1, or to 0 if the language has none', () => {
    const upTo = task.symbolNames.length > 4 ? 6 : 9;
    for (let length = 1; length <= upTo; length++) {
      let sum = 0;
      for (const string of strings(task.symbolNames.length, length)) {
        sum += Math.exp(task.logProbability!(string));
      }
      expect(sum, `length ${length}`).toBeCloseTo(task.has!(length) ? 1 : 0, 12);
    }
  }, 60_000);

  test('strings are drawn with their probabilities', () => {
    const length = name === 'lm-marked-reversal' ? 7 : name === 'lm-hardest-cfl' ? 7 : 8;
    const rng = new Rng(1, 1);
    const draws = 4000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const key = task.pair(rng, length, length).source.join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const p = Math.exp(task.logProbability!(key.split(',').map(Number)));
      // Five standard deviations, plus 1 for counts near 0.
      expect(Math.abs(count - draws * p), key).toBeLessThan(5 * Math.sqrt(draws * p) + 1);
    }
  });

  test('the bound over drawn strings estimates the entropy of the distribution', () => {
    // For one short length: the entropy by enumeration is compared with the mean over many draws.
    const length = name === 'lm-marked-reversal' ? 7 : name === 'lm-hardest-cfl' ? 7 : 8;
    let entropy = 0;
    for (const string of strings(task.symbolNames.length, length)) {
      const nats = task.logProbability!(string);
      if (nats > -Infinity) entropy -= nats * Math.exp(nats);
    }
    const rng = new Rng(2, 1);
    const drawn = Array.from({ length: 4000 }, () => task.pair(rng, length, length).source);
    const bound = lowerBound(task, drawn, length, length)! * (length + 1);
    expect(Math.abs(bound - entropy)).toBeLessThan(0.1);
  }, 60_000);

  test('strings of hundreds of symbols have a probability', () => {
    for (const length of [99, 100, 200]) {
      if (!task.has!(length)) continue;
      const { source } = task.pair(new Rng(length, 1), length, length);
      expect(task.logProbability!(source)).toBeLessThan(0);
      expect(task.logProbability!(source)).toBeGreaterThan(-1000);
    }
  });
});

describe('by hand', () => {
  test.each([
    // w has one symbol, of an alphabet of two; then two symbols.
    ['lm-marked-reversal', 'a#a', 1 / 2],
    ['lm-marked-reversal', 'ab#ba', 1 / 4],
    ['lm-marked-reversal', '#', 1],
    ['lm-marked-reversal', 'ab#ab', 0],
    ['lm-marked-reversal', 'a##', 0],
    ['lm-unmarked-reversal', 'abba', 1 / 4],
    ['lm-unmarked-reversal', 'abab', 0],
    ['lm-unmarked-reversal', 'aba', 0],
    // Strings of 2 symbols: whatever w is, both symbols are equal.
    ['lm-padded-reversal', 'aa', 1 / 2],
    // Strings of 3 symbols, with c = 60/61 and p = 30/31: w is empty (weight p³), or has
    // one symbol (weight c·p; four equally likely strings). aba is one of these four.
    ['lm-padded-reversal', 'aba', 60 / 61 / (60 / 61 + (30 / 31) ** 2) / 4],
    ['lm-padded-reversal', 'abb', 0],
    ['lm-padded-reversal', 'abaa', 0],
    // Side by side: 1/2 · 1/2 · (1/40)²; nested: 1/2 · 39/40 · 1/2 · 1/40. The
    // ratio is 1 to 39, and there are four ways to choose the kinds of brackets.
    ['lm-dyck', '()[]', 1 / 160],
    ['lm-dyck', '([])', 39 / 160],
    ['lm-dyck', '([)]', 0],
    ['lm-dyck', '(]', 0],
    ['lm-dyck', '((', 0],
    // The two shortest strings; then strings with one filler, of five kinds, at either end.
    ['lm-hardest-cfl', ',$(),;', 1 / 2],
    ['lm-hardest-cfl', ',$[],;', 1 / 2],
    ['lm-hardest-cfl', '),$[],;', 1 / 20],
    ['lm-hardest-cfl', ',$[],$;', 1 / 20],
    ['lm-hardest-cfl', ',$[),;', 0],
    ['lm-hardest-cfl', ',[],;', 0],
    ['lm-hardest-cfl', ',$(),;,', 0],
    ['lm-hardest-cfl', ',$(,;,,;', 0],
  ])('%s: %s', (name, string, expected) => {
    expect(probability(name, string)).toBeCloseTo(expected, 12);
  });

  test('the lower bound counts the choice of the length and of the string, per symbol including the end', () => {
    const task = taskOf('lm-marked-reversal');
    // Of the lengths 2 … 5 the language has 3 and 5: ln 2 for the
    // choice. Then ln 2 over 4 predictions, and 2 ln 2 over 6.
    const drawn = ['a#a', 'ab#ba'].map(string => parseSource(task, string));
    expect(lowerBound(task, drawn, 2, 5)).toBeCloseTo((5 * Math.LN2) / 10, 12);
    expect(lowerBound(task, drawn.slice(0, 1), 3, 3)).toBeCloseTo(Math.LN2 / 4, 12);
    expect(lowerBound(taskOf('copy'), drawn, 1, 5)).toBeUndefined();
  });
});

// ---- The published grammar of the hardest language, and the inside algorithm: slow, and independent of src/ --------

type Rules = Record<string, [number, string[]][]>;

/** Probability that a nonterminal derives exactly this string. */
function inside(rules: Rules, start: string, string: readonly string[]): number {
  const known = new Map<string, number>();
  const of = (symbol: string, i: number, j: number): number => {
    if (!rules[symbol]) return j === i + 1 && string[i] === symbol ? 1 : 0;
    const key = `${symbol} ${i} ${j}`;
    if (!known.has(key)) {
      known.set(key, 0);
      known.set(
        key,
        rules[symbol].reduce((sum, [p, right]) => sum + p * all(right, i, j), 0),
      );
    }
    return known.get(key)!;
  };
  const all = (right: readonly string[], i: number, j: number): number => {
    if (right.length === 0) return i === j ? 1 : 0;
    // The tail is computed first: where its probability is 0, `first` is not expanded. This ends a left recursion.
    const [first, ...rest] = right;
    if (rest.length === 0) return of(first, i, j);
    let sum = 0;
    for (let k = i; k <= j; k++) {
      const tail = all(rest, k, j);
      if (tail > 0) sum += tail * of(first, i, k);
    }
    return sum;
  };
  return of(start, 0, string.length);
}

/**
 * Probabilities that a nonterminal derives n symbols, n = 0 …
 * most, by repeated substitution: 6 · most rounds are enough.
 */
function lengthProbabilities(rules: Rules, start: string, most: number): number[] {
  let table = Object.fromEntries(Object.keys(rules).map(name => [name, Array<number>(most + 1).fill(0)]));
  const times = (a: readonly number[], b: readonly number[]): number[] =>
    a.map((_, n) => a.slice(0, n + 1).reduce((sum, x, k) => sum + x * b[n - k], 0));
  const one = (at: number): number[] => Array.from({ length: most + 1 }, (_, n) => (n === at ? 1 : 0));
  for (let round = 0; round < 6 * most; round++) {
    const before = table;
    table = Object.fromEntries(
      Object.entries(rules).map(([name, alternatives]) => {
        const sum = one(-1);
        for (const [p, right] of alternatives) {
          const product = right.reduce((left, item) => times(left, before[item] ?? one(1)), one(0));
          product.forEach((x, n) => {
            sum[n] += p * x;
          });
        }
        return [name, sum];
      }),
    );
  }
  return table[start];
}

test('the hardest language: probabilities equal those of its grammar, computed by the inside algorithm', () => {
  const [c, u, v, q, s, t] = [1 / 3, 1 / 3, 1 / 2, 1 / 4, 3 / 5, 3 / 4];
  const words = (text: string): string[] => text.split(' ').filter(Boolean);
  const rules: Rules = {
    "S'": [[1, words('R $ Q S L ;')]],
    L: [[1, words("L' , U")]],
    "L'": [
      [c, words(", V L'")],
      [1 - c, []],
    ],
    R: [[1, words("U , R'")]],
    "R'": [
      [c, words("R' V ,")],
      [1 - c, []],
    ],
    U: [
      [u, words('W U')],
      [1 - u, []],
    ],
    V: [
      [v, words('W V')],
      [1 - v, words('W')],
    ],
    W: ['(', ')', '[', ']', '$'].map(filler => [1 / 5, [filler]]),
    Q: [
      [q, words('L ; R')],
      [1 - q, []],
    ],
    S: [
      [s, words('S Q T')],
      [1 - s, words('T')],
    ],
    T: [
      [t / 2, words('( Q S Q )')],
      [t / 2, words('[ Q S Q ]')],
      [(1 - t) / 2, words('( Q )')],
      [(1 - t) / 2, words('[ Q ]')],
    ],
  };
  const task = taskOf('lm-hardest-cfl');
  const lengths = lengthProbabilities(rules, "S'", 24);
  const rng = new Rng(3, 1);
  const drawn = Array.from({ length: 60 }, () => task.pair(rng, 6, 24).source);
  const corrupted = drawn.slice(0, 30).map(string => {
    const at = rng.int(0, string.length - 1);
    return string.map((symbol, i) => (i === at ? rng.int(0, 6) : symbol));
  });
  const two = parseSource(task, ',$(),$(),;');
  for (const string of [...drawn, ...corrupted, two]) {
    const expected =
      inside(
        rules,
        "S'",
        string.map(symbol => task.symbolNames[symbol]),
      ) / lengths[string.length];
    const got = Math.exp(task.logProbability!(string));
    expect(Math.abs(got - expected), string.join()).toBeLessThanOrEqual(1e-9 * expected);
  }
  // Either `$()` may be the piece; the other one is then a decoy (see src/tasks/lm-hardest-cfl.ts).
  expect(Math.exp(task.logProbability!(two))).toBeGreaterThan(0);
}, 60_000);
