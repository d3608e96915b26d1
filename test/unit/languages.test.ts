import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import { lowerBound } from '../../src/tasks/language.ts';
import { makeTask } from '../../src/tasks/registry.ts';
import { parseSource } from '../../src/tasks/task.ts';

const task = (name: string, symbols = 2) => makeTask(makeConfig({ task: { name, symbols } }).task);
const LANGUAGES = [
  'lm-marked-reversal',
  'lm-unmarked-reversal',
  'lm-padded-reversal',
  'lm-dyck',
  'lm-hardest-cfl',
];
const probability = (name: string, string: string, symbols?: number): number => {
  const made = task(name, symbols);
  return Math.exp(made.logProbability!(parseSource(made, string)));
};

/** All strings of so many symbols of this length. */
function* strings(symbols: number, length: number): Generator<number[]> {
  for (let code = 0; code < symbols ** length; code++) {
    yield Array.from({ length }, (_, i) => Math.floor(code / symbols ** i) % symbols);
  }
}

describe.each(LANGUAGES)('%s', name => {
  const made = task(name);

  test('probabilities of all strings of a length add up to 1, where there are any', () => {
    const upTo = made.symbolNames.length > 4 ? 6 : 9;
    for (let length = 1; length <= upTo; length++) {
      let sum = 0;
      for (const string of strings(made.symbolNames.length, length)) {
        sum += Math.exp(made.logProbability!(string));
      }
      expect(sum, `length ${length}`).toBeCloseTo(made.has!(length) ? 1 : 0, 12);
    }
  }, 60_000);

  test('strings are drawn as their probabilities say', () => {
    const length = name === 'lm-marked-reversal' ? 7 : name === 'lm-hardest-cfl' ? 7 : 8;
    const rng = new Rng(1, 1);
    const draws = 4000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const key = made.pair(rng, length, length).source.join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const p = Math.exp(made.logProbability!(key.split(',').map(Number)));
      // Five standard deviations, and one for counts near 0.
      expect(Math.abs(count - draws * p), key).toBeLessThan(5 * Math.sqrt(draws * p) + 1);
    }
  });

  test('the bound over drawn strings is the entropy of the distribution', () => {
    // One length of a few symbols: the entropy by enumeration, against the mean over many draws.
    const length = name === 'lm-marked-reversal' ? 7 : name === 'lm-hardest-cfl' ? 7 : 8;
    let entropy = 0;
    for (const string of strings(made.symbolNames.length, length)) {
      const nats = made.logProbability!(string);
      if (nats > -Infinity) entropy -= nats * Math.exp(nats);
    }
    const rng = new Rng(2, 1);
    const drawn = Array.from({ length: 4000 }, () => made.pair(rng, length, length).source);
    const bound = lowerBound(made, drawn, length, length)! * (length + 1);
    expect(Math.abs(bound - entropy)).toBeLessThan(0.1);
  }, 60_000);

  test('strings of hundreds of symbols have a probability', () => {
    for (const length of [99, 100, 200]) {
      if (!made.has!(length)) continue;
      const { source } = made.pair(new Rng(length, 1), length, length);
      expect(made.logProbability!(source)).toBeLessThan(0);
      expect(made.logProbability!(source)).toBeGreaterThan(-1000);
    }
  });
});

describe('by hand', () => {
  test.each([
    // w of one symbol, of two that there are; and of two.
    ['lm-marked-reversal', 'a#a', 1 / 2],
    ['lm-marked-reversal', 'ab#ba', 1 / 4],
    ['lm-marked-reversal', '#', 1],
    ['lm-marked-reversal', 'ab#ab', 0],
    ['lm-marked-reversal', 'a##', 0],
    ['lm-unmarked-reversal', 'abba', 1 / 4],
    ['lm-unmarked-reversal', 'abab', 0],
    ['lm-unmarked-reversal', 'aba', 0],
    // Of 2 symbols, whatever w is, the string is two alike.
    ['lm-padded-reversal', 'aa', 1 / 2],
    // Of 3: w is empty (weight p³), or one symbol (weight c·p, four strings alike); aba is one of the latter alone.
    ['lm-padded-reversal', 'aba', 60 / 61 / (60 / 61 + (30 / 31) ** 2) / 4],
    ['lm-padded-reversal', 'abb', 0],
    ['lm-padded-reversal', 'abaa', 0],
    // Beside: 1/2 · 1/2 · (1/40)²; inside: 1/2 · 39/40 · 1/2 · 1/40: 1 to 39; four ways to choose the kinds.
    ['lm-dyck', '()[]', 1 / 160],
    ['lm-dyck', '([])', 39 / 160],
    ['lm-dyck', '([)]', 0],
    ['lm-dyck', '(]', 0],
    ['lm-dyck', '((', 0],
    // The two shortest strings; with one filler, five of them at either end.
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

  test('the lower bound: lengths and strings, per symbol with the end', () => {
    const made = task('lm-marked-reversal');
    // Lengths 3 and 5 of 2 … 5: ln 2 for which; then ln 2 of 4 predictions, and 2 ln 2 of 6.
    const drawn = ['a#a', 'ab#ba'].map(string => parseSource(made, string));
    expect(lowerBound(made, drawn, 2, 5)).toBeCloseTo((5 * Math.LN2) / 10, 12);
    expect(lowerBound(made, drawn.slice(0, 1), 3, 3)).toBeCloseTo(Math.LN2 / 4, 12);
    expect(lowerBound(task('copy'), drawn, 1, 5)).toBeUndefined();
  });
});

// ---- The hardest language's grammar, as the authors have it, and the inside algorithm: slow, and sharing nothing --------------

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
    // A left recursion must leave something for what comes after it.
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

/** Probabilities that a nonterminal derives n symbols, n = 0 … most: by repeated substitution, which n rounds complete. */
function lengthsOf(rules: Rules, start: string, most: number): number[] {
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
          const made = right.reduce((product, item) => times(product, before[item] ?? one(1)), one(0));
          made.forEach((x, n) => {
            sum[n] += p * x;
          });
        }
        return [name, sum];
      }),
    );
  }
  return table[start];
}

test('the hardest language: probabilities are those of its grammar, by the inside algorithm', () => {
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
  const made = task('lm-hardest-cfl');
  const lengths = lengthsOf(rules, "S'", 24);
  const rng = new Rng(3, 1);
  const drawn = Array.from({ length: 60 }, () => made.pair(rng, 6, 24).source);
  const spoilt = drawn.slice(0, 30).map(string => {
    const at = rng.int(0, string.length - 1);
    return string.map((symbol, i) => (i === at ? rng.int(0, 6) : symbol));
  });
  const two = parseSource(made, ',$(),$(),;');
  for (const string of [...drawn, ...spoilt, two]) {
    const expected =
      inside(
        rules,
        "S'",
        string.map(symbol => made.symbolNames[symbol]),
      ) / lengths[string.length];
    const got = Math.exp(made.logProbability!(string));
    expect(Math.abs(got - expected), string.join()).toBeLessThanOrEqual(1e-9 * expected);
  }
  // Either part may be the piece.
  expect(Math.exp(made.logProbability!(two))).toBeGreaterThan(0);
}, 60_000);
