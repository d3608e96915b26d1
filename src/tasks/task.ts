import type { TrainConfig } from '../base/config.ts';
import { type Batch, MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../base/dims.ts';
import { InputError, show } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';
import { normal, symbolFinder } from './symbols.ts';

/** One sequence of T steps, encoded as in Batch (base/dims.ts). */
export interface Sequence {
  /** [T,K] active inputs, or NO_INPUT. */
  ids: number[];
  /** [T] the correct output, or MASKED, or ZERO_TARGET. */
  target: number[];
  /** [T] the phase, a value of PHASE. */
  phase: number[];
  /** L, the number of symbols in the source. */
  sourceLength: number;
}

/**
 * A source and its correct target, as indices of source symbols and of target symbols. The target does not include
 * Task.end.
 */
export interface Pair {
  source: readonly number[];
  target: readonly number[];
}

/** A part of your own data. Generated tasks have no parts. */
export type Split = 'train' | 'validation' | 'test';

/**
 * A task: it generates pairs of source and target, and turns each pair into a training sequence. A source is a list of
 * symbols 0 … n − 1; the task decides how symbols become inputs and outputs.
 */
export interface Task {
  readonly name: string;
  /** D, V and K of dims.ts. */
  readonly inputs: number;
  readonly outputs: number;
  readonly activeInputs: number;
  /** Names, for display, of the source symbols, the inputs and the outputs. */
  readonly symbolNames: readonly string[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** An example source. */
  readonly example: string;
  /** Whether some steps have the zero vector as their target, which only the squared error allows. */
  readonly zeroTargets: boolean;
  /** The output that ends decoding. Undefined if outputs are not fed back as inputs. */
  readonly end: number | undefined;
  /** Source lengths are multiples of this. */
  readonly lengthStep: number;
  /**
   * Whether sources and targets are written without spaces between symbols, because a space may be a symbol (your own
   * data).
   */
  readonly characters?: boolean;
  /**
   * A random pair whose source has low ≤ L ≤ high symbols; L is uniform, except for grammars and your own data.
   * @throws InputError if there is no such source, or finding one would take too long
   */
  pair(rng: Rng, low: number, high: number, split?: Split): Pair;
  /** Whether there are sources of exactly this length. If absent, every multiple of lengthStep has sources. */
  has?(length: number, split?: Split): boolean;
  /**
   * All pairs of a part whose source has low ≤ L ≤ high symbols; pair() draws from them. Only for your own data.
   * @throws InputError if there are none
   */
  pairs?(low: number, high: number, split: Split): readonly Pair[];
  /**
   * The correct target of a source, in tasks where the source determines it. Returns undefined if the source has none.
   */
  targetOf?(source: readonly number[]): number[] | undefined;
  /**
   * ln of the probability that pair() draws this source among all sources of its length, for a task that models the
   * source (see language.ts).
   */
  logProbability?(source: readonly number[]): number;
  /** Time steps of the longest sequence whose source has up to L symbols. */
  steps(length: number): number;
  /**
   * Maximum number of symbols in a model's answer to a source of L symbols. If absent, the longest target that
   * steps() allows for.
   */
  answerLimit?(length: number): number;
  /** The complete sequence of a pair. If the task feeds outputs back, the target is fed in (teacher forcing). */
  sequence(pair: Pair): Sequence;
  /** The sequence for an unknown target: the outputs so far are fed in, and all targets are MASKED. */
  prompt(source: readonly number[], outputs: readonly number[]): Sequence;
  /** The step (from 0) whose output is the first symbol of the target of a source of `length` symbols. */
  targetStart(length: number): number;
  /** Number of symbols in the target of a source, in tasks without feedback (`end` is undefined). */
  targetLength?(source: readonly number[]): number;
}

/** A random sequence whose source has low ≤ L ≤ high symbols. */
export const sample = (task: Task, rng: Rng, low: number, high: number, split?: Split): Sequence =>
  task.sequence(task.pair(rng, low, high, split));

/** L independent symbols. */
export const randomSource = (symbols: number, rng: Rng, length: number): number[] =>
  Array.from({ length }, () => rng.int(0, symbols - 1));

/**
 * Throws the error for a range of lengths without sources.
 * @param because the reason
 * @param advice what to do with the range: a verb for the message
 * @throws InputError
 */
export function throwNoLengths(
  task: string,
  low: number,
  high: number,
  because: string,
  advice = 'widen',
): never {
  const lengths = low === high ? `length ${low}` : `lengths ${low} to ${high}`;
  const range = 'task.minLength and task.maxLength, or the evaluated lengths';
  throw new InputError(
    `task ${task} has no sources of ${lengths}: ${because}; ${advice} the range (${range}).`,
  );
}

/**
 * A random length, uniform over the multiples of `step` in low … high.
 * @throws InputError if there is no multiple in the range
 */
export function randomLength(task: string, rng: Rng, low: number, high: number, step = 1): number {
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  if (first > last) throwNoLengths(task, low, high, `its sources have lengths that are multiples of ${step}`);
  return step * rng.int(first, last);
}

/** A random length, uniform over the lengths in low … high that `has` accepts. Undefined if there is none. */
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

/**
 * The greatest length ≤ `length` for which the task has sources. Returns `length` itself if there is none, and for your
 * own data.
 */
export function lengthAtMost(task: Task, length: number): number {
  if (task.pairs) return length;
  for (let at = length; at > 0; at--) if (hasLength(task, at)) return at;
  return length;
}

/** a … z, or s1, s2, … if there are more than 26 symbols. */
export const namesOf = (symbols: number): string[] =>
  Array.from({ length: symbols }, (_, i) => (symbols <= 26 ? String.fromCharCode(97 + i) : `s${i + 1}`));

/** Maximum length of a complete list of symbols in a message, in characters. */
const MAX_LIST = 300;

/**
 * ` Known: a, b, c.`; if there are many symbols, only the first and the last. @param spaced symbols are separated by
 * spaces
 */
function knownSymbols(names: readonly string[], spaced: boolean): string {
  const list = names.map(name => (name === ' ' ? show(name) : name)).join(', ');
  if (list.length <= MAX_LIST) return ` Known: ${list}.`;
  return ` Known: ${names[0]} to ${names.at(-1)} (${names.length} symbols${spaced ? ', separated by spaces' : ''}).`;
}

/**
 * Parses a source as people write it: `a b c`, or `abc` if every name is a single character. Accented letters may be
 * composed or decomposed: the text is parsed in the first Unicode form in which all symbols are known.
 * @throws InputError for an empty source, or an unknown symbol
 */
export function parseSource(task: Task, line: string): number[] {
  const singleCharacters = task.symbolNames.every(name => [...name].length === 1);
  const wordsOf = (text: string): string[] =>
    task.characters
      ? [...text]
      : singleCharacters
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
    const known = knownSymbols(symbolNames, !singleCharacters);
    throw new InputError(`unknown symbol ${show(word)} at position ${at + 1} of the source.${known}`);
  });
}

/** Joins the names of symbols. */
const formatSymbols = (names: readonly string[], symbols: readonly number[], between = ' '): string =>
  symbols.map(symbol => names[symbol]).join(between);

/** A source as text in the task's notation. */
export const formatSource = (task: Task, source: readonly number[]): string =>
  formatSymbols(task.symbolNames, source, task.characters ? '' : ' ');
/** Predicted outputs, or a target, as text in the task's notation. */
export const formatOutputs = (task: Task, outputs: readonly number[]): string =>
  formatSymbols(task.outputNames, outputs, task.characters ? '' : ' ');

/** The inputs of step t: their names joined by `+`; `·` if there are none. */
export function inputName(task: Task, sequence: Sequence, t: number): string {
  const K = task.activeInputs;
  const active = sequence.ids.slice(t * K, (t + 1) * K).filter(id => id !== NO_INPUT);
  return active.map(id => task.inputNames[id]).join('+') || '·';
}

/** The target of step t: its name; `0` for the zero vector; `·` if there is none. */
export function targetName(task: Task, sequence: Sequence, t: number): string {
  const target = sequence.target[t];
  return target === MASKED ? '·' : target === ZERO_TARGET ? '0' : task.outputNames[target];
}

/**
 * Builds a batch: stacks sequences time-major, and pads them to the longest with NO_INPUT, MASKED and no phase. The
 * weights make the objective the mean of the loss over all targets of the batch (`symbol`), the sum of the loss
 * (`batch`), or the mean over sequences of each sequence's loss / L (`source`, as in Trask's tutorial:
 * tutorial.ts).
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
