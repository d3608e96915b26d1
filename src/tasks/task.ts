import type { TrainConfig } from '../base/config.ts';
import { type Batch, MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../base/dims.ts';
import { InputError, suggest } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';

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

/**
 * What is to be learned: sources, and for each the sequence that teaches it. A source is a list of symbols
 * 0 … symbols − 1; how they become inputs and outputs is the task's own business.
 */
export interface Task {
  readonly name: string;
  /** D, V and K of dims.ts. */
  readonly inputs: number;
  readonly outputs: number;
  readonly activeInputs: number;
  /** For people: what each symbol, input and output is called. */
  readonly symbolNames: readonly string[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** A source to show or to start from. */
  readonly example: string;
  /** Some steps have the zero vector as target: squared error only. */
  readonly zeroTargets: boolean;
  /** Where decoding feeds each output back as the next input: the output that ends it. */
  readonly end: number | undefined;
  /** A random source of L symbols. */
  source(rng: Rng, length: number): number[];
  /** The whole sequence of a source, its target fed in (teacher forcing). */
  sequence(source: readonly number[]): Sequence;
  /** The sequence where the target is not known: outputs so far are fed in, all targets are MASKED. */
  prompt(source: readonly number[], outputs: readonly number[]): Sequence;
  /** The step whose output is the first symbol of the target. */
  answerAt(length: number): number;
}

/** A random sequence with a source of L symbols. */
export const sample = (task: Task, rng: Rng, length: number): Sequence =>
  task.sequence(task.source(rng, length));

/** L independent symbols. */
export const randomSource = (symbols: number, rng: Rng, length: number): number[] =>
  Array.from({ length }, () => rng.int(0, symbols - 1));

/** a … z, or s1, s2, … where letters do not suffice. */
export const namesOf = (symbols: number): string[] =>
  Array.from({ length: symbols }, (_, i) => (symbols <= 26 ? String.fromCharCode(97 + i) : `s${i + 1}`));

/**
 * Reads a source as people write it: `a b c`, or `abc` where every name is one letter.
 * @throws InputError for no symbol, or an unknown one
 */
export function parseSource(task: Task, line: string): number[] {
  const letters = task.symbolNames.every(name => name.length === 1);
  const words = letters ? [...line.replace(/\s+/g, '')] : line.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    throw new InputError(`a source needs at least one symbol, for example "${task.example}".`);
  }
  const index = new Map(task.symbolNames.map((name, i) => [name, i]));
  return words.map((word, at) => {
    const symbol = index.get(word);
    if (symbol !== undefined) return symbol;
    const some = task.symbolNames.length > 26 ? [] : task.symbolNames;
    const known =
      suggest(word, some) || ` Known: ${task.symbolNames[0]} to ${task.symbolNames.at(-1)}, apart by spaces.`;
    throw new InputError(`unknown symbol "${word}" at place ${at + 1} of the source.${known}`);
  });
}

/** Symbols as people read them. */
export const formatSymbols = (names: readonly string[], symbols: readonly number[]): string =>
  symbols.map(symbol => names[symbol]).join(' ');

/** The right outputs of a sequence, in order. */
export const answerOf = (sequence: Sequence): number[] =>
  sequence.target.filter(target => target !== MASKED && target !== ZERO_TARGET);

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
