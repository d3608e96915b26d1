import { MASKED, PHASE } from '../base/dims.ts';
import type { Rng } from '../base/rng.ts';
import {
  namesOf,
  type Pair,
  randomLength,
  randomSource,
  type Sequence,
  type Split,
  type Task,
} from './task.ts';

/** What is specific to a task in the paper's format. */
export interface Transduction {
  name: string;
  /** Names of the symbols of sources and of targets. */
  sourceNames: readonly string[];
  targetNames: readonly string[];
  example: string;
  lengthStep?: number;
  characters?: boolean;
  pair(rng: Rng, low: number, high: number, split?: Split): Pair;
  /** Whether there are pairs with sources of this length. */
  has?(length: number, split?: Split): boolean;
  pairs?(low: number, high: number, split: Split): readonly Pair[];
  targetOf?(source: readonly number[]): number[] | undefined;
  /** Length of the longest target for sources of up to L symbols (default L). */
  longestTarget?(length: number): number;
  /** Maximum number of symbols in a model's answer to a source of L symbols, if it differs from longestTarget. */
  answerLimit?(length: number): number;
}

/**
 * The paper's format `<s> source ||| target </s>`. A source of L symbols and a target of N symbols take T = L + N + 2
 * steps. From the separator on, the output of each step is the next symbol of the target. Outputs are fed back.
 *
 * Inputs: the symbols of sources, `<s>`, `|||`, the symbols of targets. An `a` in the source and an `a` that is fed
 * back are different inputs, because the paper has two embedding tables. Outputs: the symbols of targets, and `</s>`.
 *
 * Loss and metrics are over the N + 1 steps from the separator. The reading phase is the source. The writing phase is
 * the N steps from the separator; the push and pop of the last step affect no output.
 *
 * In the examples of the tasks, the target `·` is masked; phases are r (reading), w (writing) and `.` (none).
 */
export function transduction(definition: Transduction): Task {
  const {
    name,
    sourceNames,
    targetNames,
    example,
    lengthStep = 1,
    characters,
    pair,
    has,
    pairs,
    targetOf,
  } = definition;
  const { longestTarget = (length: number) => length, answerLimit } = definition;
  const start = sourceNames.length;
  const separator = start + 1;
  const fedBack = start + 2;
  const end = targetNames.length;

  const inputsOf = (source: readonly number[], outputs: readonly number[]): Omit<Sequence, 'target'> => {
    const L = source.length;
    const N = outputs.length;
    const ids = [start, ...source, separator, ...outputs.map(symbol => fedBack + symbol)];
    const phase = ids.map((_, t) =>
      t >= 1 && t <= L ? PHASE.reading : t > L && t <= L + N ? PHASE.writing : PHASE.none,
    );
    return { ids, phase, sourceLength: L };
  };

  return {
    name,
    inputs: sourceNames.length + 2 + targetNames.length,
    outputs: targetNames.length + 1,
    activeInputs: 1,
    symbolNames: sourceNames,
    inputNames: [...sourceNames, '<s>', '|||', ...targetNames],
    outputNames: [...targetNames, '</s>'],
    example,
    zeroTargets: false,
    end,
    lengthStep,
    ...(characters && { characters }),
    pair,
    ...(has && { has }),
    ...(pairs && { pairs }),
    ...(targetOf && { targetOf }),
    steps: length => length + longestTarget(length) + 2,
    ...(answerLimit && { answerLimit }),
    sequence: ({ source, target }) => {
      const before = Array<number>(source.length + 1).fill(MASKED);
      return { ...inputsOf(source, target), target: [...before, ...target, end] };
    },
    prompt: (source, outputs) => {
      const inputs = inputsOf(source, outputs);
      return { ...inputs, target: inputs.ids.map(() => MASKED) };
    },
    targetStart: length => length + 1,
  };
}

/** A transduction of random sources whose target is computed from the source, over the same alphabet. */
export function rewriting(
  name: string,
  symbols: number,
  targetOf: (source: readonly number[]) => number[] | undefined,
  lengthStep = 1,
): Task {
  const names = namesOf(symbols);
  return transduction({
    name,
    sourceNames: names,
    targetNames: names,
    example: [0, 1, 2, 1].map(i => names[i % symbols]).join(' '),
    lengthStep,
    pair: (rng, low, high) => {
      const source = randomSource(symbols, rng, randomLength(name, rng, low, high, lengthStep));
      return { source, target: targetOf(source)! };
    },
    targetOf,
  });
}
