import { InputError, messageOf, show } from '../base/errors.ts';
import type { Pair, Split } from './task.ts';

/** What a file of your own data holds. */
export interface Data extends Record<Split, readonly Pair[]> {
  file: string;
  /** The vocabulary of each side, ascending. */
  sourceSymbols: string[];
  targetSymbols: string[];
}

export interface DataOptions {
  /** Every character is a symbol, spaces too; else spaces divide symbols. */
  characters: boolean;
  /** Share of the sources that is kept for validation, and as many for the test. 0: both are what is trained on. */
  heldOut: number;
}

type Side = 'source' | 'target';
type Words = Record<Side, string[]>;

const LONGEST = 100_000;

/**
 * Reads the text of a data file. A name that ends in .jsonl or .ndjson says a JSON object per line; all else is a
 * source, a tab and a target per line:
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
  const pairs = lines.map((line, i) => {
    try {
      return json ? jsonPair(line, options.characters) : tabPair(line, options.characters);
    } catch (error) {
      throw error instanceof InputError
        ? new InputError(`${file} line ${i + 1}: ${error.message}`)
        : new InputError(`${file} line ${i + 1} cannot be read: ${messageOf(error)}.`);
    }
  });
  return divide(pairs, file, options.heldOut);
}

function tabPair(line: string, characters: boolean): Words {
  const sides = line.split('\t');
  if (sides.length !== 2) {
    const got = sides.length === 1 ? 'no tab' : `${sides.length - 1} tabs`;
    throw new InputError(`a line has a source, one tab and a target, got ${got} in ${show(line)}.`);
  }
  return { source: wordsOf('source', sides[0], characters), target: wordsOf('target', sides[1], characters) };
}

function jsonPair(line: string, characters: boolean): Words {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(`a line is a JSON object with source and target: ${messageOf(error)}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`a line is a JSON object with source and target, got ${show(value)}.`);
  }
  const side = (of: Side): string[] => {
    const given = (value as Record<string, unknown>)[of];
    if (typeof given === 'string') return wordsOf(of, given, characters);
    if (!Array.isArray(given)) {
      throw new InputError(`${of} must be a text or a list of symbols, got ${show(given)}.`);
    }
    given.forEach((symbol, i) => {
      // As a symbol must be written when the model is asked.
      const ok = typeof symbol === 'string' && (characters ? [...symbol].length === 1 : /^\S+$/.test(symbol));
      const expected = characters ? 'one character' : 'a text without spaces';
      if (!ok) throw new InputError(`${of}[${i}] must be ${expected}, got ${show(symbol)}.`);
    });
    return checked(of, given);
  };
  return { source: side('source'), target: side('target') };
}

const wordsOf = (side: Side, text: string, characters: boolean): string[] =>
  checked(side, characters ? [...text] : text.trim().split(/\s+/).filter(Boolean));

function checked(side: Side, words: string[]): string[] {
  if (words.length === 0) throw new InputError(`the ${side} is empty: both sides need at least one symbol.`);
  if (words.length > LONGEST) {
    throw new InputError(`the ${side} must have at most ${LONGEST} symbols, got ${words.length}.`);
  }
  return words;
}

/** FNV-1a with a last stir (MurmurHash3's), a u32: near strings get far numbers. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const keyOf = (words: readonly string[]): string => words.join('\t');
const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Divides pairs into parts by a hash of the source, so that no source is in two of them, and neither the order of the
 * lines nor the seed of a run decides where one is.
 */
function divide(pairs: readonly Words[], file: string, heldOut: number): Data {
  const symbolsOf = (side: Side): string[] => {
    const found = new Set<string>();
    for (const pair of pairs) for (const symbol of pair[side]) found.add(symbol);
    return [...found].sort(ascending);
  };
  const [sourceSymbols, targetSymbols] = [symbolsOf('source'), symbolsOf('target')];
  const places = (symbols: readonly string[]) => new Map(symbols.map((symbol, i) => [symbol, i]));
  const [sourceAt, targetAt] = [places(sourceSymbols), places(targetSymbols)];

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

  const held = heldOut > 0 ? Math.max(1, Math.round(heldOut * ordered.length)) : 0;
  if (2 * held >= ordered.length && held > 0) {
    throw new InputError(
      `${file} has ${ordered.length} different sources, too few to hold out ${held} for validation and ${held} for the test: add lines, or set task.heldOut to ${ordered.length < 3 ? 0 : 'less'}.`,
    );
  }
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
  const train = pairsOf(2 * held);
  return {
    file,
    sourceSymbols,
    targetSymbols,
    train,
    validation: held ? pairsOf(held, 2 * held) : train,
    test: held ? pairsOf(0, held) : train,
  };
}

/** The source lengths that the data has. */
export function lengthsOf({ train, validation, test }: Data): { shortest: number; longest: number } {
  let [shortest, longest] = [Number.POSITIVE_INFINITY, 0];
  for (const part of [train, validation, test]) {
    for (const { source } of part) {
      shortest = Math.min(shortest, source.length);
      longest = Math.max(longest, source.length);
    }
  }
  return { shortest, longest };
}
