import type { TaskConfig } from '../base/config.ts';
import { InputError, show } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';
import type { Data } from './data-file.ts';
import { symbolFinder } from './symbols.ts';
import { type Pair, type Split, type Task, throwNoLengths } from './task.ts';
import { transduction } from './transduction.ts';

/**
 * Your own data, in the paper's format (see transduction.ts): pairs of source and target from a file
 * (data-file.ts). A checkpoint stores the vocabulary and the length of the longest target, so a model can answer
 * without the file. Training and evaluation need the data. The data may have fewer symbols than the vocabulary.
 *
 * A pair is drawn uniformly from the given part (train, validation, test), among sources with low ≤ L ≤ high symbols;
 * T = L + N + 2, where N is the number of target symbols. Loss and metrics are over the N + 1 steps from the separator.
 *
 * @throws InputError if there is neither data nor a vocabulary
 */
export function ownData(config: TaskConfig, given?: Data): Task {
  const { name, file, characters, sourceSymbols, targetSymbols, maxLength } = config;
  if (sourceSymbols.length === 0 || targetSymbols.length === 0) {
    throw new InputError(
      `task ${name} needs a file of pairs: give --data my.tsv (source, tab, target) or --data my.jsonl.`,
    );
  }
  const data = given && renumberSymbols(config, given);
  const parts = data && {
    train: part(data, 'train'),
    validation: part(data, 'validation'),
    test: part(data, 'test'),
  };
  /**
   * Longer sources than in training may have proportionally longer answers. Older checkpoints have no longestTarget.
   */
  const answerLimit = (length: number): number =>
    config.longestTarget
      ? Math.ceil(config.longestTarget * Math.max(1, length / maxLength))
      : 8 * length + 64;
  const partOf = (split: Split): Part =>
    parts?.[split] ?? fail(`task ${name} has no pairs without its data: give --data ${file || 'my.tsv'}.`);
  const example = data?.train.length
    ? data.train.reduce((a, b) => (b.source.length < a.source.length ? b : a)).source
    : [0];

  return transduction({
    name,
    sourceNames: sourceSymbols,
    targetNames: targetSymbols,
    example: example.map(symbol => sourceSymbols[symbol]).join(characters ? '' : ' '),
    characters,
    pair: (rng, low, high, split = 'train') => partOf(split).pair(rng, low, high, name),
    pairs: (low, high, split) => partOf(split).pairs(low, high, name),
    has: (length, split = 'train') => partOf(split).has(length),
    longestTarget: parts ? length => longestTarget(Object.values(parts), length) : answerLimit,
    answerLimit,
  });
}

/** Converts data to the symbol numbers of the configuration. @throws InputError for a symbol that is not in it */
function renumberSymbols({ sourceSymbols, targetSymbols }: TaskConfig, data: Data): Data {
  const isSame = (a: readonly string[], b: readonly string[]): boolean =>
    a.length === b.length && a.every((symbol, i) => symbol === b[i]);
  if (isSame(sourceSymbols, data.sourceSymbols) && isSame(targetSymbols, data.targetSymbols)) return data;
  const indices = (names: readonly string[], symbols: readonly string[]): number[] => {
    const find = symbolFinder(names);
    return symbols.map(
      symbol => find(symbol) ?? fail(`${data.file}: ${show(symbol)} is not a symbol of the model.`),
    );
  };
  const sourceAt = indices(sourceSymbols, data.sourceSymbols);
  const targetAt = indices(targetSymbols, data.targetSymbols);
  const part = (pairs: readonly Pair[]): Pair[] =>
    pairs.map(({ source, target }) => ({
      source: source.map(symbol => sourceAt[symbol]),
      target: target.map(symbol => targetAt[symbol]),
    }));
  const train = part(data.train);
  // If nothing is held out, all parts are the same list.
  const partOf = (split: Split): Pair[] => (data[split] === data.train ? train : part(data[split]));
  const [validation, test] = [partOf('validation'), partOf('test')];
  return { ...data, sourceSymbols, targetSymbols, train, validation, test };
}

const fail = (message: string): never => {
  throw new InputError(message);
};

interface Part {
  pair(rng: Rng, low: number, high: number, task: string): Pair;
  pairs(low: number, high: number, task: string): Pair[];
  has(length: number): boolean;
  /** Number of symbols in the longest target of a source of up to `length` symbols. */
  longestTarget(length: number): number;
}

const longestTarget = (parts: readonly Part[], length: number): number =>
  parts.reduce((longest, part) => Math.max(longest, part.longestTarget(length)), 0);

/** A part of the data, with its pairs sorted by length. */
function part(data: Data, split: Split): Part {
  const all = data[split];
  const what =
    data.test === data.train && split !== 'train' ? data.file : `the ${split} part of ${data.file}`;
  const byLength = [...all].sort((a, b) => a.source.length - b.source.length);
  const targets: number[] = [];
  for (const { target } of byLength) targets.push(Math.max(targets.at(-1) ?? 0, target.length));
  /** Index of the first pair whose source has at least L symbols. */
  const firstOf = (length: number): number => {
    let [low, high] = [0, byLength.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byLength[middle].source.length < length) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const none = (low: number, high: number, task: string): never => {
    const because = `${what} has sources of ${byLength[0]?.source.length} to ${byLength.at(-1)?.source.length} symbols`;
    return throwNoLengths(task, low, high, byLength.length > 0 ? because : `${what} is empty`);
  };
  return {
    pair(rng, low, high, task) {
      const [first, end] = [firstOf(low), firstOf(high + 1)];
      return first < end ? byLength[rng.int(first, end - 1)] : none(low, high, task);
    },
    pairs(low, high, task) {
      const found = all.filter(({ source }) => source.length >= low && source.length <= high);
      return found.length > 0 ? found : none(low, high, task);
    },
    has: length => firstOf(length) < firstOf(length + 1),
    longestTarget: length => targets[firstOf(length + 1) - 1] ?? 0,
  };
}
