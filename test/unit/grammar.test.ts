import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import { Grammar, type Rules } from '../../src/tasks/grammar.ts';
import { wordsPerClass } from '../../src/tasks/grammar-task.ts';
import { makeTask } from '../../src/tasks/registry.ts';
import { formatOutputs, formatSource, hasLength } from '../../src/tasks/task.ts';

const make = (name: string, symbols = 128) =>
  makeTask(makeConfig({ task: { name, symbols, minLength: 8, maxLength: 64 } }).task);

/** Table 1 of the paper, written a second time: [probability, words] of each rule, by nonterminal. */
const SVO: Record<string, [number, string][]> = {
  A: [[1, 'S VT O']],
  S: [
    [0.2, 'S S'],
    [0.2, 'S rpi S VT'],
    [0.6, 'ST'],
  ],
  O: [
    [0.2, 'O O'],
    [0.2, 'S rpi S VT'],
    [0.6, 'OT'],
  ],
};
const GENDER: Record<string, [number, string][]> = {
  A: [[1, 'B']],
  B: [
    [0.25, 'B or B'],
    [0.25, 'S and S'],
    [0.5, 'B V'],
  ],
  V: [
    [0.75, 'W B'],
    [0.25, 'W'],
  ],
  S: ['the M', 'the F', 'the N', 'a M', 'a F', 'a N'].map(words => [1 / 6, words]),
};

/** The word classes of an unconditioned derivation; undefined if it has more than `most` words. */
function deriveFreely(
  rules: Record<string, [number, string][]>,
  rng: Rng,
  most: number,
): string[] | undefined {
  const done: string[] = [];
  const open = ['A'];
  while (open.length > 0) {
    if (done.length + open.length > most) return undefined;
    const item = open.pop()!;
    if (!rules[item]) {
      done.push(item);
      continue;
    }
    let left = rng.uniform();
    const rule = rules[item].find(([p]) => {
      left -= p;
      return left < 0;
    });
    const [, words] = rule ?? rules[item][rules[item].length - 1];
    open.push(...words.split(' ').reverse());
  }
  return done;
}

/** The class of a source word: `si12` → ST. */
const CLASSES: Record<string, string> = { si: 'ST', vi: 'VT', oi: 'OT', we: 'W', me: 'M', fe: 'F', ne: 'N' };
const classOf = (word: string): string => CLASSES[word.replace(/\d+$/, '')] ?? word;

describe.each([
  { name: 'svo-sov', rules: SVO, accepted: [0.36, 0.015] },
  { name: 'gender', rules: GENDER, accepted: [0.11, 0.002] },
])('$name', ({ name, rules, accepted }) => {
  const task = make(name);

  test('draws have the same distribution as rejection sampling: of lengths, words and neighbouring words', () => {
    const N = 6000;
    const [low, high] = [5, 16];
    const statistics = (draw: (rng: Rng) => string[]) => {
      const rng = new Rng(11, 1);
      const shares = new Map<string, number>();
      for (let i = 0; i < N; i++) {
        const words = draw(rng);
        const seen = new Set([`length ${words.length}`, `last ${words.at(-1)}`]);
        for (const [at, word] of words.entries()) seen.add(`${words[at - 1] ?? '^'} ${word}`);
        for (const key of seen) shares.set(key, (shares.get(key) ?? 0) + 1 / N);
      }
      return shares;
    };
    const ours = statistics(rng =>
      formatSource(task, task.pair(rng, low, high).source)
        .split(' ')
        .map(classOf),
    );
    const theirs = statistics(rng => {
      for (;;) {
        const words = deriveFreely(rules, rng, high);
        if (words && words.length >= low) return words;
      }
    });
    const keys = new Set([...ours.keys(), ...theirs.keys()]);
    expect(keys.size).toBeGreaterThan(20);
    for (const key of keys) {
      const [p, q] = [ours.get(key) ?? 0, theirs.get(key) ?? 0];
      // Five standard deviations of the difference of two shares of N.
      const deviation = Math.sqrt((p * (1 - p) + q * (1 - q) + 1 / N) / N);
      expect(Math.abs(p - q), key).toBeLessThan(5 * deviation);
    }
  });

  test('a range of lengths has the probability measured by rejection sampling, and draws are fast', () => {
    const grammar = new Grammar(
      Object.fromEntries(
        Object.entries(rules).map(([key, all]) => [key, all.map(([p, words]) => [p, words, words] as const)]),
      ) as Rules,
      ['ST', 'VT', 'OT', 'W', 'M', 'F', 'N'],
    );
    const share = (low: number, high: number) => {
      let sum = 0;
      for (let n = low; n <= high; n++) sum += grammar.probability(n);
      return sum;
    };
    expect(share(8, 64)).toBeCloseTo(accepted[0], 2);
    expect(share(65, 128) / accepted[1]).toBeCloseTo(1, 0);
    const rng = new Rng(1, 1);
    const start = performance.now();
    for (let i = 0; i < 300; i++) {
      const { source } = task.pair(rng, 65, 128);
      expect(source.length >= 65 && source.length <= 128).toBe(true);
    }
    // Measured: 0.1 s per thousand.
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test('has every length from its shortest up to thousands', () => {
    const shortest = { 'svo-sov': 3, gender: 5 }[name]!;
    const lengths = Array.from({ length: 40 }, (_, i) => i + 1).filter(length => hasLength(task, length));
    expect(lengths).toEqual(Array.from({ length: 41 - shortest }, (_, i) => i + shortest));
    expect(task.pair(new Rng(1, 1), 1500, 1500).source).toHaveLength(1500);
    expect(() => task.pair(new Rng(1, 1), 1, shortest - 1)).toThrow(
      new RegExp(`no sources of lengths 1 to ${shortest - 1}: .* has ${shortest} symbols; widen the range`),
    );
    expect(() => task.pair(new Rng(1, 1), 5000, 6000)).toThrow(/at most 4096 symbols; lower the range/);
  });
});

test("with 128 symbols the grammars have the paper's numbers of words", () => {
  const svo = make('svo-sov');
  expect([svo.symbolNames.length, svo.outputNames.length]).toEqual([3 * 33 + 1, 3 * 33 + 2]);
  const gender = make('gender');
  expect([gender.symbolNames.length, gender.outputNames.length]).toEqual([4 * 25 + 4, 4 * 25 + 8]);
  expect([8, 1, 64, 128].map(symbols => wordsPerClass(symbols, 33))).toEqual([2, 1, 16, 33]);
});

test('articles take the gender of their noun, only in the target', () => {
  const task = make('gender', 1);
  const { source, target } = task.pair(new Rng(4, 1), 5, 5);
  expect(formatSource(task, source)).toMatch(/^(the|a) [mfn]e1 and (the|a) [mfn]e1$/);
  expect(formatOutputs(task, target)).toMatch(/^(der m|die f|das n|ein m|eine f|ein n)g1 und /);
});
