import { MASKED, PHASE } from '../base/dims.ts';
import type { Rng } from '../base/rng.ts';
import { randomLengthOf, type Sequence, type Task, throwNoLengths } from './task.ts';

/**
 * What is specific to one language of a language-modelling task. To draw a string, its length is drawn uniformly, then
 * the string from p(w | length).
 */
export interface Language {
  name: string;
  symbolNames: readonly string[];
  example: string;
  /** Whether there are strings of this length ≥ 1. */
  has(length: number): boolean;
  /** The reason why other lengths have no strings, for the error message. */
  because: string;
  /** A random string of this length. */
  string(rng: Rng, length: number): number[];
  /** ln p(w | |w|), exact; −∞ for a string that is not in the language. */
  logProbability(string: readonly number[]): number;
  /**
   * A value of PHASE for every symbol, if the strings have parts in which a memory should push and pop. If absent, no
   * step has a phase.
   */
  phase?(string: readonly number[]): number[];
}

/** The continuation probability of a geometric distribution with this mean. */
export const continueProbability = (mean: number): number => mean / (mean + 1);

/** Markers before the first symbol of a string and after its last. */
const START = '<s>';
const END = '</s>';

/**
 * Language modelling, measured as in DuSell and Chiang ("Learning Context-Free Languages with Nondeterministic Stack
 * RNNs", CoNLL 2020; ICLR 2022 and 2023): every step predicts the next symbol from all previous symbols. The source is
 * the string w of n symbols. The target is the same string followed by `</s>`, so T = n + 1. The string itself is the
 * input; outputs are never fed back.
 *
 *   input   <s>  w1  w2  …  wn
 *   target  w1   w2  w3  …  </s>
 *
 * In the examples of the tasks, phases are r (reading), w (writing) and `.` (none).
 *
 * Inputs: the symbols, `<s>`. (The authors have no `<s>`; they make the first prediction from the initial state.)
 * Outputs: the symbols, `</s>`.
 *
 * The metric is the cross-entropy in nats per symbol, including `</s>`, minus this lower bound over the same strings:
 *
 *   Σ_w ( ln K − ln p(w | |w|) ) / Σ_w ( |w| + 1 ),   for K equally likely lengths
 *
 * This bound is the cross-entropy of the true distribution on these strings. For many strings it approaches the entropy
 * of the distribution per symbol. Accuracy says little if the next symbol is random.
 */
export function language(definition: Language): Task {
  const { name, symbolNames, example, has, logProbability, phase } = definition;
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
      if (length === undefined) throwNoLengths(name, low, high, definition.because);
      const source = definition.string(rng, length);
      return { source, target: [...source, end] };
    },
    has,
    targetOf: string => (logProbability(string) > -Infinity ? [...string, end] : undefined),
    logProbability,
    steps: length => length + 1,
    sequence: ({ source, target }) => ({ ...inputsOf(source), target: [...target] }),
    prompt: string => {
      const inputs = inputsOf(string);
      return { ...inputs, target: inputs.ids.map(() => MASKED) };
    },
    targetStart: () => 0,
    targetLength: string => string.length + 1,
  };
}

/**
 * The lower bound of the cross-entropy on these strings, in nats per symbol including `</s>`. The strings' lengths were
 * drawn uniformly from low … high. Undefined for tasks without logProbability.
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
