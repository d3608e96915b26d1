import { type Grammar, MAX_LENGTH, type WordPair } from './grammar.ts';
import type { Task } from './task.ts';
import { transduction } from './transduction.ts';

/** A task defined by a grammar: its terminals, and the source and target words of each class of terminals. */
export interface GrammarTask {
  name: string;
  grammar: Grammar;
  /** Terminals that appear in the rules, for each side. */
  sourceWords: readonly string[];
  targetWords: readonly string[];
  /** Class → stem of its words in the source and in the target. The stem `si` gives si1, si2, … */
  classes: Readonly<Record<string, WordPair>>;
  /** Number of words in each class. */
  perClass: number;
  example: string;
  targetOf(source: readonly string[]): string[] | undefined;
}

/** Number of words in a class, scaled so that the paper's 128 symbols give the paper's number. */
export const wordsPerClass = (symbols: number, paperCount: number): number =>
  Math.max(1, Math.floor((symbols * paperCount) / 128));

/** Creates the task of a grammar, in the paper's format (see transduction.ts). */
export function grammarTask(definition: GrammarTask): Task {
  const { name, grammar, classes, perClass } = definition;
  const numbers = Array.from({ length: perClass }, (_, i) => i + 1);
  const wordsOf = (side: keyof WordPair, words: readonly string[]): string[] => [
    ...words,
    ...Object.values(classes).flatMap(stems => numbers.map(i => `${stems[side]}${i}`)),
  ];
  const sourceNames = wordsOf('source', definition.sourceWords);
  const targetNames = wordsOf('target', definition.targetWords);
  const indexOf = (names: readonly string[]) => new Map(names.map((word, i) => [word, i]));
  const [sourceIndex, targetIndex] = [indexOf(sourceNames), indexOf(targetNames)];
  return transduction({
    name,
    sourceNames,
    targetNames,
    example: definition.example,
    pair: (rng, low, high) => {
      const derived = grammar.derive(name, rng, low, high, className => {
        const i = rng.int(1, perClass);
        return { source: `${classes[className].source}${i}`, target: `${classes[className].target}${i}` };
      });
      return {
        source: derived.source.map(word => sourceIndex.get(word)!),
        target: derived.target.map(word => targetIndex.get(word)!),
      };
    },
    has: length => length <= MAX_LENGTH && grammar.probability(length) > 0,
    targetOf: source =>
      definition.targetOf(source.map(symbol => sourceNames[symbol]))?.map(word => targetIndex.get(word)!),
  });
}
