import type { TrainConfig } from '../base/config.ts';
import { type Batch, MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../base/dims.ts';
import { InputError, show } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';
import { normal, symbolFinder } from './symbols.ts';

/** One training or test sequence of T steps, in the codes of Batch. */
export interface Sequence {
  /** [T,K] active inputs, or NO_INPUT. */
  ids: number[];
  /** [T] right output, or MASKED, or ZERO_TARGET. */
  target: number[];
  /** [T] one of PHASE. */
  phase: number[];
  /** L, symbols of the source. */
  sourceLength: number;
}

/** A source and its right target, in symbols of the one and the other side; the target without its end symbol. */
export interface Pair {
  source: readonly number[];
  target: readonly number[];
}

/** Which part of your own data: what is generated has no parts. */
export type Split = 'train' | 'validation' | 'test';

/**
 * What is to be learned: pairs of source and target, and for each the sequence that teaches it. A source is a
 * list of symbols 0 … n − 1; how they become inputs and outputs is the task's own business.
 */
export interface Task {
  readonly name: string;
  /** D, V and K of dims.ts. */
  readonly inputs: number;
  readonly outputs: number;
  readonly activeInputs: number;
  /** For people: what each symbol of a source, each input and each output is called. */
  readonly symbolNames: readonly string[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** A source to show or to start from. */
  readonly example: string;
  /** Some steps have the zero vector as target: squared error only. */
  readonly zeroTargets: boolean;
  /** Where decoding feeds each output back as the next input: the output that ends it. */
  readonly end: number | undefined;
  /** Lengths of sources are multiples of this. */
  readonly lengthStep: number;
  /** Sources and answers are written without spaces between symbols, a space being one itself (your own data). */
  readonly characters?: boolean;
  /**
   * A random pair with a source of low ≤ L ≤ high symbols, L uniform where the task can choose it.
   * @throws InputError where there is no such source, or finding one would take for ever
   */
  pair(rng: Rng, low: number, high: number, split?: Split): Pair;
  /** Whether there are sources of exactly this length; absent: of every multiple of lengthStep. */
  has?(length: number, split?: Split): boolean;
  /** All there is of a part, where it can be listed (your own data), in the order that pair() draws from. */
  pairs?(low: number, high: number, split: Split): readonly Pair[];
  /** The right target of a source, where the source alone tells it; undefined for a source that has none. */
  answer?(source: readonly number[]): number[] | undefined;
  /**
   * ln of the probability that pair() draws this source, of all of its length, where the source is what is modelled (see
   * language.ts).
   */
  logProbability?(source: readonly number[]): number;
  /** Time steps of the longest sequence with a source of up to L symbols. */
  steps(length: number): number;
  /** Symbols of the longest answer to wait for; absent: those of the longest target of steps(). */
  longestAnswer?(length: number): number;
  /** The whole sequence of a pair, its target fed in (teacher forcing) where the task feeds outputs back. */
  sequence(pair: Pair): Sequence;
  /** The sequence where the target is not known: outputs so far are fed in, all targets are MASKED. */
  prompt(source: readonly number[], outputs: readonly number[]): Sequence;
  /** The step whose output is the first symbol of the target. */
  answerAt(length: number): number;
  /** Outputs that a source asks for, where no end symbol ends them. */
  answerLength?(source: readonly number[]): number;
}

/** A random sequence with a source of low ≤ L ≤ high symbols. */
export const sample = (task: Task, rng: Rng, low: number, high: number, split?: Split): Sequence =>
  task.sequence(task.pair(rng, low, high, split));

/** L independent symbols. */
export const randomSource = (symbols: number, rng: Rng, length: number): number[] =>
  Array.from({ length }, () => rng.int(0, symbols - 1));

/** The InputError of lengths that a task has no source of, `because` of what. */
export function noLengths(task: string, low: number, high: number, because: string, advice = 'widen'): never {
  const lengths = low === high ? `length ${low}` : `lengths ${low} to ${high}`;
  const range = 'task.minLength and task.maxLength, or the lengths evaluated at';
  throw new InputError(
    `${lengths} cannot be met by task ${task}: ${because}; ${advice} the range (${range}).`,
  );
}

/**
 * A length uniform over the multiples of `step` in low … high.
 * @throws InputError where there is none
 */
export function randomLength(task: string, rng: Rng, low: number, high: number, step = 1): number {
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  if (first > last) noLengths(task, low, high, `its sources have lengths that are multiples of ${step}`);
  return step * rng.int(first, last);
}

/** A length uniform over those in low … high that `has` tells of; undefined where there is none. */
export function randomLengthOf(
  rng: Rng,
  low: number,
  high: number,
  has: (length: number) => boolean,
): number | undefined {
  const lengths: number[] = [];
  for (let length = low; length <= high; length++) if (has(length)) lengths.push(length);
  return lengths.length > 0 ? lengths[rng.int(0, lengths.length - 1)] : undefined;
}

/** Whether a task has sources of exactly this length. */
export const hasLength = (task: Task, length: number, split?: Split): boolean =>
  length > 0 && length % task.lengthStep === 0 && (task.has?.(length, split) ?? true);

/** The greatest length up to this one that a task has sources of; this one, where it has none, and of your own data. */
export function lengthAtMost(task: Task, length: number): number {
  if (task.pairs) return length;
  for (let at = length; at > 0; at--) if (hasLength(task, at)) return at;
  return length;
}

/** a … z, or s1, s2, … where letters do not suffice. */
export const namesOf = (symbols: number): string[] =>
  Array.from({ length: symbols }, (_, i) => (symbols <= 26 ? String.fromCharCode(97 + i) : `s${i + 1}`));

/** Characters of a list of symbols that is still read. */
const LONGEST_LIST = 300;

/** ` Known: a, b, c.`; of many symbols, the first and the last. */
function knownSymbols(names: readonly string[], apart: boolean): string {
  const list = names.map(name => (name === ' ' ? show(name) : name)).join(', ');
  if (list.length <= LONGEST_LIST) return ` Known: ${list}.`;
  return ` Known: ${names[0]} to ${names.at(-1)} (${names.length} symbols${apart ? ', apart by spaces' : ''}).`;
}

/**
 * Reads a source as people write it: `a b c`, or `abc` where every name is one letter. An accent may be a character of its
 * own or not: the form in which the task knows all symbols is taken.
 * @throws InputError for no symbol, or an unknown one
 */
export function parseSource(task: Task, line: string): number[] {
  const letters = task.symbolNames.every(name => [...name].length === 1);
  const wordsOf = (text: string): string[] =>
    task.characters
      ? [...text]
      : letters
        ? [...text.replace(/\s+/g, '')]
        : text.trim().split(/\s+/).filter(Boolean);
  const { symbolNames } = task;
  const find = symbolFinder(symbolNames);
  const forms = [normal(line), line, line.normalize('NFD')].map(wordsOf);
  const words = forms.find(form => form.every(word => find(word) !== undefined)) ?? forms[0];
  if (words.length === 0) {
    throw new InputError(`a source needs at least one symbol, for example ${show(task.example)}.`);
  }
  return words.map((word, at) => {
    const symbol = find(word);
    if (symbol !== undefined) return symbol;
    const known = knownSymbols(symbolNames, !letters);
    throw new InputError(`unknown symbol ${show(word)} at place ${at + 1} of the source.${known}`);
  });
}

/** Symbols as people read them. */
const formatSymbols = (names: readonly string[], symbols: readonly number[], between = ' '): string =>
  symbols.map(symbol => names[symbol]).join(between);

/** A source, or an answer, as the task writes it. */
export const formatSource = (task: Task, source: readonly number[]): string =>
  formatSymbols(task.symbolNames, source, task.characters ? '' : ' ');
export const formatAnswer = (task: Task, outputs: readonly number[]): string =>
  formatSymbols(task.outputNames, outputs, task.characters ? '' : ' ');

/** The inputs of step t: their names joined by `+`, `·` for none. */
export function inputName(task: Task, sequence: Sequence, t: number): string {
  const K = task.activeInputs;
  const active = sequence.ids.slice(t * K, (t + 1) * K).filter(id => id !== NO_INPUT);
  return active.map(id => task.inputNames[id]).join('+') || '·';
}

/** The target of step t: its name, `0` for the zero vector, `·` for none. */
export function targetName(task: Task, sequence: Sequence, t: number): string {
  const target = sequence.target[t];
  return target === MASKED ? '·' : target === ZERO_TARGET ? '0' : task.outputNames[target];
}

/**
 * Lays sequences side by side, time-major, and pads them to the longest: NO_INPUT, MASKED, no phase.
 * Weights make the objective the mean over the batch's targets (`symbol`), their sum (`batch`), or the mean
 * over sequences of their sum / L (`source`, the tutorial's).
 */
export function makeBatch(sequences: readonly Sequence[], lossPer: TrainConfig['lossPer']): Batch {
  const B = sequences.length;
  const T = sequences.reduce((longest, { target }) => Math.max(longest, target.length), 0);
  const K = B ? sequences[0].ids.length / sequences[0].target.length : 1;
  const batch: Batch = {
    B,
    T,
    K,
    lengths: Uint32Array.from(sequences, ({ target }) => target.length),
    sourceLengths: Uint32Array.from(sequences, ({ sourceLength }) => sourceLength),
    ids: new Uint32Array(T * B * K).fill(NO_INPUT),
    target: new Uint32Array(T * B).fill(MASKED),
    weight: new Float32Array(B),
    phase: new Uint8Array(T * B).fill(PHASE.none),
  };
  let targets = 0;
  sequences.forEach(({ ids, target, phase }, b) => {
    for (let t = 0; t < target.length; t++) {
      const n = t * B + b;
      batch.target[n] = target[t];
      batch.phase[n] = phase[t];
      for (let k = 0; k < K; k++) batch.ids[n * K + k] = ids[t * K + k];
      if (target[t] !== MASKED) targets++;
    }
  });
  for (let b = 0; b < B; b++) {
    if (lossPer === 'symbol') batch.weight[b] = targets ? 1 / targets : 0;
    else batch.weight[b] = lossPer === 'batch' ? 1 : 1 / (B * sequences[b].sourceLength);
  }
  return batch;
}
