import { MASKED, PHASE } from '../base/dims.ts';
import type { Rng } from '../base/rng.ts';
import { noLengths, randomLengthOf, type Sequence, type Task } from './task.ts';

/** What a language to be modelled has of its own. Its strings are drawn by a uniform length, then from p(w | length). */
export interface Language {
  name: string;
  symbolNames: readonly string[];
  example: string;
  /** Whether there are strings of this length ≥ 1, and why not. */
  has(length: number): boolean;
  because: string;
  /** A random string of this length. */
  string(rng: Rng, length: number): number[];
  /** ln p(w | |w|), exactly; −∞ for what is not in the language. */
  logProbability(string: readonly number[]): number;
  /** One of PHASE for every symbol, where the push/pop profile is told; absent: none. */
  phase?(string: readonly number[]): number[];
}

/** Before the first symbol of a string, and after its last. */
const START = '<s>';
const END = '</s>';

/**
 * Language modelling, as DuSell and Chiang measure it ("Learning Context-Free Languages with Nondeterministic Stack
 * RNNs", CoNLL 2020; ICLR 2022 and 2023): at every step the next symbol is to be predicted, out of all symbols before.
 * The source is the string w of n symbols, and so is the target, with `</s>` at its end; T = n + 1. The string itself is
 * fed in, in predictions too.
 *
 *   input   <s>  w1  w2  …  wn
 *   target  w1   w2  w3  …  </s>
 *
 * Inputs: the symbols, `<s>`. (The authors have no `<s>`; their first prediction is from the state before any input.)
 * Outputs: the symbols, `</s>`.
 *
 * Measured: cross-entropy in nats per symbol, `</s>` counted, minus its lower bound over the same strings:
 *
 *   ( Σ_w ln K − ln p(w | |w|) ) / Σ_w (|w| + 1),   K lengths all as likely
 *
 * which is the cross-entropy of the distribution itself, and so its entropy where the strings are many. Where the next
 * symbol is a matter of chance, accuracy says little.
 */
export function language(of: Language): Task {
  const { name, symbolNames, example, has, logProbability, phase } = of;
  const start = symbolNames.length;
  const end = symbolNames.length;
  const inputsOf = (string: readonly number[]): Omit<Sequence, 'target'> => ({
    ids: [start, ...string],
    phase: [PHASE.none, ...(phase?.(string) ?? string.map(() => PHASE.none))],
    sourceLength: string.length,
  });
  return {
    name,
    inputs: symbolNames.length + 1,
    outputs: symbolNames.length + 1,
    activeInputs: 1,
    symbolNames,
    inputNames: [...symbolNames, START],
    outputNames: [...symbolNames, END],
    example,
    zeroTargets: false,
    end: undefined,
    lengthStep: 1,
    pair: (rng, low, high) => {
      const length = randomLengthOf(rng, low, high, has);
      if (length === undefined) noLengths(name, low, high, of.because);
      const source = of.string(rng, length);
      return { source, target: [...source, end] };
    },
    has,
    answer: string => (logProbability(string) > -Infinity ? [...string, end] : undefined),
    logProbability,
    steps: length => length + 1,
    sequence: ({ source, target }) => ({ ...inputsOf(source), target: [...target] }),
    prompt: string => {
      const inputs = inputsOf(string);
      return { ...inputs, target: inputs.ids.map(() => MASKED) };
    },
    answerAt: () => 0,
    answerLength: string => string.length + 1,
  };
}

/**
 * The lower bound of the cross-entropy of strings that were drawn by a uniform length from low … high: nats per symbol,
 * `</s>` counted. Undefined where the task has no distribution.
 */
export function lowerBound(
  task: Pick<Task, 'logProbability' | 'has'>,
  strings: readonly (readonly number[])[],
  low: number,
  high: number,
): number | undefined {
  const { logProbability, has } = task;
  if (!logProbability) return undefined;
  let lengths = 0;
  for (let length = low; length <= high; length++) if (has?.(length) ?? true) lengths++;
  let nats = 0;
  let symbols = 0;
  for (const string of strings) {
    nats += Math.log(lengths) - logProbability(string);
    symbols += string.length + 1;
  }
  return nats / symbols;
}
