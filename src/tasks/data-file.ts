import { InputError, messageOf, show } from '../base/errors.ts';
import { isPlain } from '../base/plain.ts';
import { type DataFacts, SAMPLE } from './data-facts.ts';
import { normal, symbolFinder } from './symbols.ts';
import type { Pair, Split } from './task.ts';

/** The parsed content of a file of your own data. */
export interface Data extends Record<Split, readonly Pair[]> {
  file: string;
  /** The vocabulary of each side, in ascending order. */
  sourceSymbols: string[];
  targetSymbols: string[];
  /** The line on which each symbol of a vocabulary first occurs, counted from 1. */
  firstLines: Record<Side, readonly number[]>;
  splitBy: SplitRule;
  /** Share of the sources held out for validation, and the same share for the test; 0 if nothing is held out. */
  heldOut: number;
  /** Number of symbols in the longest target. */
  longestTarget: number;
  facts: DataFacts;
  /** Hashes of all sources, in ascending order. */
  hashes: readonly number[];
}

/**
 * How sources are split into parts. `hash`: by the value of a hash of the source, so that a source keeps its part when
 * the rest of the file changes. `rank`: by the rank of that hash among all sources, which changes when the file grows;
 * the hash is that of the text as written, not normalised. `rank` is the rule of older runs.
 */
export type SplitRule = 'hash' | 'rank';

export interface DataOptions {
  /** If true, every character is a symbol, including spaces. Otherwise symbols are separated by spaces. */
  characters: boolean;
  /**
   * Share of the sources to hold out for validation, and the same share again for the test. With 0, nothing is held
   * out, and validation and test use the training pairs. The default is a tenth; for a file so small that a part would
   * be empty, it is more, or 0.
   */
  heldOut?: number;
  /** Default `hash`. */
  splitBy?: SplitRule;
  /** Whether a part may be empty: allowed if a model is only evaluated on the data, not trained. */
  mayBeEmpty?: boolean;
}

/** How the text of one side is split into symbols. */
interface ParseOptions {
  characters: boolean;
  normalise: boolean;
}

export type Side = 'source' | 'target';
type Words = Record<Side, string[]>;

/** Maximum number of symbols in a source or a target. */
const MAX_LENGTH = 100_000;

/**
 * Parses the text of a data file. If the name ends in .jsonl or .ndjson, every line is a JSON object; otherwise every
 * line is a source, a tab and a target:
 *
 *   a b c<tab>c b a
 *   {"source": "a b c", "target": "c b a"}
 *   {"source": ["a", "b", "c"], "target": ["c", "b", "a"]}
 *
 * @throws InputError naming the file and the line
 */
export function parseData(text: string, file: string, options: DataOptions): Data {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  if (lines.length === 0) {
    throw new InputError(
      `${file} is empty: a line has a source, a tab and a target, for example "a b<tab>b a".`,
    );
  }
  const json = /\.(jsonl|ndjson)$/i.test(file);
  const { characters, splitBy = 'hash' } = options;
  const parseOptions = { characters, normalise: splitBy === 'hash' };
  const pairs = lines.map((line, i) => {
    try {
      return json ? jsonPair(line, parseOptions) : tabPair(line, parseOptions);
    } catch (error) {
      throw error instanceof InputError
        ? new InputError(`${file} line ${i + 1}: ${error.message}`)
        : new InputError(`${file} line ${i + 1} cannot be read: ${messageOf(error)}.`);
    }
  });
  return splitPairs(pairs, file, { ...options, splitBy });
}

function tabPair(line: string, options: ParseOptions): Words {
  const sides = line.split('\t');
  if (sides.length !== 2) {
    const got = sides.length === 1 ? 'no tab' : `${sides.length - 1} tabs`;
    throw new InputError(`a line has a source, one tab and a target, got ${got} in ${show(line)}.`);
  }
  return { source: wordsOf('source', sides[0], options), target: wordsOf('target', sides[1], options) };
}

function jsonPair(line: string, options: ParseOptions): Words {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(`a line is a JSON object with source and target: ${messageOf(error)}.`);
  }
  if (!isPlain(value)) {
    throw new InputError(`a line is a JSON object with source and target, got ${show(value)}.`);
  }
  const side = (name: Side): string[] => {
    const given = value[name];
    if (typeof given === 'string') return wordsOf(name, given, options);
    if (!Array.isArray(given)) {
      throw new InputError(`${name} must be a string or a list of symbols, got ${show(given)}.`);
    }
    const symbols = given.map((item: unknown, i) => {
      const symbol = typeof item === 'string' ? textOf(item, options) : '';
      // The user must be able to type the symbol in a source.
      const ok = options.characters ? [...symbol].length === 1 : /^\S+$/.test(symbol);
      const expected = options.characters ? 'one character' : 'a string without spaces';
      if (!ok) throw new InputError(`${name}[${i}] must be ${expected}, got ${show(item)}.`);
      return symbol;
    });
    return checked(name, symbols);
  };
  return { source: side('source'), target: side('target') };
}

const textOf = (text: string, { normalise }: ParseOptions): string => (normalise ? normal(text) : text);

function wordsOf(side: Side, text: string, options: ParseOptions): string[] {
  const content = textOf(text, options);
  return checked(side, options.characters ? [...content] : content.trim().split(/\s+/).filter(Boolean));
}

/** Returns the symbols. @throws InputError if there are none, or too many */
function checked(side: Side, words: string[]): string[] {
  if (words.length === 0) throw new InputError(`the ${side} is empty: both sides need at least one symbol.`);
  if (words.length > MAX_LENGTH) {
    throw new InputError(`the ${side} must have at most ${MAX_LENGTH} symbols, got ${words.length}.`);
  }
  return words;
}

/** FNV-1a with the final mixing of MurmurHash3; a u32. The mixing spreads the hashes of similar strings. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const keyOf = (words: readonly string[]): string => words.join('\t');
const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Number of different hashes: they are 0 … HASHES − 1. */
const HASHES = 2 ** 32;

/**
 * Splits pairs into parts by a hash of the source (see SplitRule). So no source is in two parts, and the part of a
 * source depends neither on the order of the lines nor on the seed of a run.
 */
function splitPairs(
  pairs: readonly Words[],
  file: string,
  { splitBy, ...options }: Omit<DataOptions, 'characters'> & { splitBy: SplitRule },
): Data {
  const symbolsOf = (side: Side): { symbols: string[]; lines: number[] } => {
    const lineOf = new Map<string, number>();
    pairs.forEach((pair, i) => {
      for (const symbol of pair[side]) if (!lineOf.has(symbol)) lineOf.set(symbol, i + 1);
    });
    const symbols = [...lineOf.keys()].sort(ascending);
    return { symbols, lines: symbols.map(symbol => lineOf.get(symbol)!) };
  };
  const { symbols: sourceSymbols, lines: sourceLines } = symbolsOf('source');
  const { symbols: targetSymbols, lines: targetLines } = symbolsOf('target');
  const indexBySymbol = (symbols: readonly string[]) => new Map(symbols.map((symbol, i) => [symbol, i]));
  const [sourceAt, targetAt] = [indexBySymbol(sourceSymbols), indexBySymbol(targetSymbols)];

  const bySource = new Map<string, Words[]>();
  for (const pair of pairs) {
    const key = keyOf(pair.source);
    const same = bySource.get(key);
    if (same) same.push(pair);
    else bySource.set(key, [pair]);
  }
  const ordered = [...bySource]
    .map(([key, group]) => ({ key, group, hash: hash(key) }))
    .sort((a, b) => a.hash - b.hash || ascending(a.key, b.key));

  const hashes = ordered.map(({ hash }) => hash);
  const heldOut = options.heldOut ?? shareFor(hashes) ?? 0;
  const cuts = splitBy === 'rank' ? cutByRank(hashes.length, heldOut) : cutByHash(hashes, heldOut);
  if (heldOut > 0 && !options.mayBeEmpty && isAnyEmpty(hashes.length, cuts))
    throw tooFewError(file, hashes, heldOut, splitBy);
  const pairsOf = (from: number, to?: number): Pair[] =>
    ordered.slice(from, to).flatMap(({ group }) =>
      group
        .map(({ source, target }) => ({ source, target, key: keyOf(target) }))
        .sort((a, b) => ascending(a.key, b.key))
        .map(({ source, target }) => ({
          source: source.map(symbol => sourceAt.get(symbol)!),
          target: target.map(symbol => targetAt.get(symbol)!),
        })),
    );
  const train = pairsOf(cuts[1]);
  const parts = {
    train,
    validation: heldOut > 0 ? pairsOf(cuts[0], cuts[1]) : train,
    test: heldOut > 0 ? pairsOf(0, cuts[0]) : train,
  };
  let [shortest, longest, longestTarget, digest] = [Number.POSITIVE_INFINITY, 0, 0, 0];
  for (const { source, target } of pairs) {
    shortest = Math.min(shortest, source.length);
    longest = Math.max(longest, source.length);
    longestTarget = Math.max(longestTarget, target.length);
    digest = (digest + hash(`${keyOf(source)}\n${keyOf(target)}`)) % HASHES;
  }
  const facts: DataFacts = {
    train: train.length,
    validation: heldOut > 0 ? parts.validation.length : 0,
    test: heldOut > 0 ? parts.test.length : 0,
    shortest,
    longest,
    digest,
    sample: hashes.slice(cuts[1], cuts[1] + SAMPLE),
  };
  return {
    file,
    sourceSymbols,
    targetSymbols,
    firstLines: { source: sourceLines, target: targetLines },
    splitBy,
    heldOut,
    longestTarget,
    facts,
    hashes,
    ...parts,
  };
}

/** The ends of the test part and of the validation part, as indices into the sorted hashes. */
type Cuts = readonly [test: number, validation: number];

function cutByHash(hashes: readonly number[], heldOut: number): Cuts {
  const below = (share: number): number => {
    const first = hashes.findIndex(hash => hash >= share * HASHES);
    return first < 0 ? hashes.length : first;
  };
  return [below(heldOut), below(2 * heldOut)];
}

function cutByRank(sources: number, heldOut: number): Cuts {
  const held = heldOut > 0 ? Math.max(1, Math.round(heldOut * sources)) : 0;
  return [held, Math.min(sources, 2 * held)];
}

const isAnyEmpty = (sources: number, [test, validation]: Cuts): boolean =>
  test === 0 || validation === test || validation === sources;

/** Shares to hold out; the first one that leaves no part empty is used. */
const SHARES = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4];

const shareFor = (hashes: readonly number[]): number | undefined =>
  SHARES.find(share => !isAnyEmpty(hashes.length, cutByHash(hashes, share)));

function tooFewError(
  file: string,
  hashes: readonly number[],
  heldOut: number,
  splitBy: SplitRule,
): InputError {
  const better = splitBy === 'hash' ? shareFor(hashes) : hashes.length < 3 ? undefined : 'less';
  const other = better === undefined ? '' : ` to ${better}, or`;
  return new InputError(
    `${file} has ${hashes.length} different sources, too few to hold out a share of ${heldOut} for validation and the same share for the test: add lines, or set task.heldOut${other} to 0 (then all are used for both training and evaluation).`,
  );
}

/** The estimated share of a run's training sources that the data contains, from the sample of hashes. */
export function trainedShare({ hashes }: Data, { sample }: DataFacts): number {
  const known = new Set(hashes);
  return sample.filter(hash => known.has(hash)).length / sample.length;
}

/** The first symbol of a side that is not among `known`, and its line, counted from 1; undefined if all are known. */
export function firstUnknown(
  data: Data,
  side: Side,
  known: readonly string[],
): { symbol: string; line: number } | undefined {
  const find = symbolFinder(known);
  return data[`${side}Symbols`]
    .map((symbol, i) => ({ symbol, line: data.firstLines[side][i] }))
    .filter(({ symbol }) => find(symbol) === undefined)
    .sort((a, b) => a.line - b.line)[0];
}
