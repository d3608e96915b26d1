import { type Grammar, LONGEST, type Words } from './grammar.ts';
import type { Task } from './task.ts';
import { transduction } from './transduction.ts';

/** The task of a grammar: names of terminals, and for every class of them its words in the source and the target. */
export interface GrammarTask {
  name: string;
  grammar: Grammar;
  /** Terminals of the rules themselves, on either side. */
  sourceWords: readonly string[];
  targetWords: readonly string[];
  /** Class → stem of its words in the source and in the target: `si` makes si1, si2, … */
  classes: Readonly<Record<string, Words>>;
  /** Words of every class. */
  perClass: number;
  example: string;
  answer(source: readonly string[]): string[] | undefined;
}

/** How many words a class has, so that with the paper's 128 symbols it is the paper's number. */
export const wordsPerClass = (symbols: number, ofThePaper: number): number =>
  Math.max(1, Math.floor((symbols * ofThePaper) / 128));

/** A grammar as a task in the paper's format. */
export function grammarTask(of: GrammarTask): Task {
  const { name, grammar, classes, perClass } = of;
  const numbers = Array.from({ length: perClass }, (_, i) => i + 1);
  const namesOf = (side: keyof Words, words: readonly string[]): string[] => [
    ...words,
    ...Object.values(classes).flatMap(stems => numbers.map(i => `${stems[side]}${i}`)),
  ];
  const sourceNames = namesOf('source', of.sourceWords);
  const targetNames = namesOf('target', of.targetWords);
  const indexOf = (names: readonly string[]) => new Map(names.map((word, i) => [word, i]));
  const [sourceIndex, targetIndex] = [indexOf(sourceNames), indexOf(targetNames)];
  return transduction({
    name,
    sourceNames,
    targetNames,
    example: of.example,
    pair: (rng, low, high) => {
      const derived = grammar.derive(name, rng, low, high, one => {
        const i = rng.int(1, perClass);
        return { source: `${classes[one].source}${i}`, target: `${classes[one].target}${i}` };
      });
      return {
        source: derived.source.map(word => sourceIndex.get(word)!),
        target: derived.target.map(word => targetIndex.get(word)!),
      };
    },
    has: length => length <= LONGEST && grammar.probability(length) > 0,
    answer: source =>
      of.answer(source.map(symbol => sourceNames[symbol]))?.map(word => targetIndex.get(word)!),
  });
}
