import type { TaskConfig } from '../base/config.ts';
import { MASKED, PHASE } from '../base/dims.ts';
import type { Rng } from '../base/rng.ts';
import { randomLength, type Sequence, type Task } from './task.ts';

const BRACKETS = ['()', '[]', '{}', '<>'];

/** The opening and the closing bracket of each kind. */
const bracketPairs = (kinds: number): string[][] =>
  Array.from({ length: kinds }, (_, i) =>
    kinds <= BRACKETS.length ? [...BRACKETS[i]] : [`(${i + 1}`, `)${i + 1}`],
  );

/**
 * Dyck languages, a variant of the task of Suzgun et al. 2019 (see dyck-words.ts for theirs): after every bracket,
 * predict which closing bracket may come next, or `none` if no bracket is open. `symbols` is the number of kinds of
 * brackets. A source is a prefix of a word of the language, of any length ≥ 1. It is a random walk: each bracket opens
 * or closes with probability 1/2, and opens if none is open. The sequence is the source itself, so T = L. With 2
 * symbols:
 *
 *   task    dyck
 *   source  ( [ ] ) [
 *   input   (  [  ]  )     [
 *   target  )  ]  )  none  ]
 *   phase   r  r  w  w     r
 *
 * Loss and metrics are over all L steps. A stack should push at an opening bracket (r: reading) and pop at a closing
 * one (w: writing).
 */
export const dyck = ({ name, symbols }: TaskConfig): Task =>
  bracketTask(name, symbols, {
    source: (rng, low, high) => prefix(rng, symbols, randomLength(name, rng, low, high)),
    example: names => nestedExample(names, symbols),
  });

/** A prefix of a word: a random walk. */
function prefix(rng: Rng, symbols: number, length: number): number[] {
  const open: number[] = [];
  return Array.from({ length }, () => {
    if (open.length > 0 && rng.uniform() < 0.5) return symbols + open.pop()!;
    open.push(rng.int(0, symbols - 1));
    return open[open.length - 1];
  });
}

/** The names of the brackets of `symbols` kinds: all opening brackets, then all closing brackets. */
export function bracketNames(symbols: number): string[] {
  const kinds = bracketPairs(symbols);
  return [...kinds.map(([opening]) => opening), ...kinds.map(([, closing]) => closing)];
}

/** `( [ ] )`: a bracket of the second kind, if there is one, within a bracket of the first. */
export const nestedExample = (names: readonly string[], symbols: number): string =>
  [0, 1 % symbols, symbols + (1 % symbols), symbols].map(i => names[i]).join(' ');

/** Draws the kind of every pair of brackets of a word of `(` and `)`. All of the `symbols` kinds are equally likely. */
export function drawKinds(rng: Rng, word: readonly string[], symbols: number): number[] {
  const open: number[] = [];
  return word.map(bracket => {
    if (bracket === ')') return symbols + open.pop()!;
    open.push(rng.int(0, symbols - 1));
    return open[open.length - 1];
  });
}

/** What is specific to a task about brackets: how sources are drawn, and which lengths have sources. */
interface BracketTaskDefinition {
  /** A random source of low … high brackets. */
  source(rng: Rng, low: number, high: number): number[];
  example(names: readonly string[]): string;
  has?(length: number): boolean;
}

/**
 * Creates a task that predicts, after every bracket, which closing bracket may come next. See dyck() for the format.
 */
export function bracketTask(name: string, symbols: number, definition: BracketTaskDefinition): Task {
  const names = bracketNames(symbols);
  const none = symbols;

  const targetOf = (brackets: readonly number[]): number[] | undefined => {
    const open: number[] = [];
    const next: number[] = [];
    for (const bracket of brackets) {
      if (bracket < symbols) open.push(bracket);
      else if (open.pop() !== bracket - symbols) return undefined;
      next.push(open.at(-1) ?? none);
    }
    return next;
  };
  const sequence = (brackets: readonly number[], target: number[]): Sequence => ({
    ids: [...brackets],
    target,
    phase: brackets.map(bracket => (bracket < symbols ? PHASE.reading : PHASE.writing)),
    sourceLength: brackets.length,
  });

  return {
    name,
    inputs: 2 * symbols,
    outputs: symbols + 1,
    activeInputs: 1,
    symbolNames: names,
    inputNames: names,
    outputNames: [...names.slice(symbols), 'none'],
    example: definition.example(names),
    zeroTargets: false,
    end: undefined,
    lengthStep: 1,
    pair: (rng, low, high) => {
      const brackets = definition.source(rng, low, high);
      return { source: brackets, target: targetOf(brackets)! };
    },
    ...(definition.has && { has: definition.has }),
    targetOf,
    steps: length => length,
    sequence: ({ source: brackets, target }) => sequence(brackets, [...target]),
    prompt: brackets =>
      sequence(
        brackets,
        brackets.map(() => MASKED),
      ),
    targetStart: () => 0,
    targetLength: brackets => brackets.length,
  };
}
