import type { TaskConfig } from '../base/config.ts';
import { MASKED, PHASE } from '../base/dims.ts';
import { namesOf, randomLength, randomSource, type Sequence, type Task } from './task.ts';

/**
 * Marked reversal (DuSell & Chiang 2020): the language of strings w # w^R (w reversed). The next symbol is predicted
 * only where w determines it: from the mark on. The source is w, of any length ≥ 1; T = 2L. With 3 symbols:
 *
 *   task    marked-reversal
 *   source  a b c
 *   input   a  b  c  #  c  b
 *   target  ·  ·  ·  c  b  a
 *   phase   r  r  r  w  w  .
 *
 * As in language modelling, the string itself is the input, also during prediction. Loss and metrics are over the L
 * steps from the mark (`·`: masked). Phases are r (reading) and w (writing). The push and pop of the last step affect
 * no output, so it has no phase (`.`).
 *
 * Inputs: the symbols, `#`. Outputs: the symbols.
 */
export function markedReversal({ name, symbols }: TaskConfig): Task {
  const names = namesOf(symbols);
  const targetOf = (source: readonly number[]): number[] => [...source].reverse();
  const sequence = (source: readonly number[]): Sequence => {
    const L = source.length;
    const ids = [...source, symbols, ...targetOf(source).slice(0, -1)];
    const phase = ids.map((_, t) => (t < L ? PHASE.reading : t < 2 * L - 1 ? PHASE.writing : PHASE.none));
    return { ids, phase, target: [...source.map(() => MASKED), ...targetOf(source)], sourceLength: L };
  };
  return {
    name,
    inputs: symbols + 1,
    outputs: symbols,
    activeInputs: 1,
    symbolNames: names,
    inputNames: [...names, '#'],
    outputNames: names,
    example: [0, 1, 2, 1].map(i => names[i % symbols]).join(' '),
    zeroTargets: false,
    end: undefined,
    lengthStep: 1,
    pair: (rng, low, high) => {
      const source = randomSource(symbols, rng, randomLength(name, rng, low, high));
      return { source, target: targetOf(source) };
    },
    targetOf,
    steps: length => 2 * length,
    sequence: ({ source }) => sequence(source),
    prompt: source => {
      const whole = sequence(source);
      return { ...whole, target: whole.target.map(() => MASKED) };
    },
    targetStart: length => length,
    targetLength: source => source.length,
  };
}
