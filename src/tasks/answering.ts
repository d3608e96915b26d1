import { MASKED, PHASE } from '../base/dims.ts';
import type { Rng } from '../base/rng.ts';
import { randomLengthOf, type Sequence, type Task, throwNoLengths } from './task.ts';

/** What is specific to a task in the format of Delétang et al. 2023. */
export interface Answering {
  name: string;
  symbolNames: readonly string[];
  outputNames: readonly string[];
  example: string;
  /** Minimum source length; default 1. */
  shortest?: number;
  /** Whether there are sources of this length, which is at least `shortest`. If absent, there always are. */
  has?(length: number): boolean;
  /** The reason why other lengths have no sources, for the error message. */
  because?: string;
  /** A random source of L symbols that has a target. */
  source(rng: Rng, length: number): number[];
  /** The correct outputs; undefined for a source that has no target. */
  targetOf(source: readonly number[]): number[] | undefined;
  /** Number of outputs in the longest target of a source of L symbols. */
  longestTarget(length: number): number;
}

/**
 * The format of Delétang et al., "Neural Networks and the Chomsky Hierarchy" (ICLR 2023): first the L symbols of the
 * source, then one neutral input `?` for each of the N outputs, so T = L + N. Outputs are not fed back, and no symbol
 * ends the decoding (some tasks have an ordinary output `end`).
 *
 * Inputs: the symbols, and `?`. Outputs: those of the task.
 *
 * Loss and metrics are over the N output steps. The reading phase is the source. The writing phase is the output steps
 * except the last, whose push and pop affect no output.
 *
 * In the examples of the tasks, `·` in the target row is a masked step; phases are r (reading), w (writing) and `.`
 * (none).
 */
export function answering(definition: Answering): Task {
  const { name, symbolNames, outputNames, example, shortest = 1, targetOf, longestTarget } = definition;
  const has = (length: number): boolean => length >= shortest && (definition.has?.(length) ?? true);
  const neutral = symbolNames.length;
  const targetLength = (source: readonly number[]): number =>
    targetOf(source)?.length ?? longestTarget(source.length);

  const inputsOf = (source: readonly number[], N: number): Omit<Sequence, 'target'> => {
    const L = source.length;
    const ids = [...source, ...Array<number>(N).fill(neutral)];
    const phase = ids.map((_, t) => (t < L ? PHASE.reading : t < L + N - 1 ? PHASE.writing : PHASE.none));
    return { ids, phase, sourceLength: L };
  };

  return {
    name,
    inputs: symbolNames.length + 1,
    outputs: outputNames.length,
    activeInputs: 1,
    symbolNames,
    inputNames: [...symbolNames, '?'],
    outputNames,
    example,
    zeroTargets: false,
    end: undefined,
    lengthStep: 1,
    pair: (rng, low, high) => {
      if (high < shortest) throwNoLengths(name, low, high, `its shortest source has ${shortest} symbols`);
      const length = randomLengthOf(rng, low, high, has);
      if (length === undefined) throwNoLengths(name, low, high, definition.because ?? '');
      const source = definition.source(rng, length);
      return { source, target: targetOf(source)! };
    },
    has,
    targetOf,
    steps: length => length + longestTarget(length),
    sequence: ({ source, target }) => ({
      ...inputsOf(source, target.length),
      target: [...source.map(() => MASKED), ...target],
    }),
    prompt: source => {
      const inputs = inputsOf(source, targetLength(source));
      return { ...inputs, target: inputs.ids.map(() => MASKED) };
    },
    targetStart: length => length,
    targetLength,
  };
}

/** 0, 1, 2, … */
export const digitNames = (symbols: number): string[] => Array.from({ length: symbols }, (_, i) => String(i));
