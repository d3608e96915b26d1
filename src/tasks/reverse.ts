import type { TaskConfig } from '../base/config.ts';
import { MASKED, PHASE } from '../base/dims.ts';
import { namesOf, randomSource, type Sequence, type Task } from './task.ts';

/**
 * Reversal in the paper's format `<s> source ||| target </s>`. A source of L symbols takes T = 2L + 2 steps;
 * the output of a step is the next symbol of the target, beginning at the separator. With 3 symbols:
 *
 *   source  a b c
 *   input   <s>  a  b  c  |||  c  b  a
 *   target  ·    ·  ·  ·  c    b  a  </s>
 *   phase   .    r  r  r  w    w  w  .
 *
 * The push/pop profile is told over the source (r: reading) and over the L steps from the separator
 * (w: writing). What the memory does at the last step has no effect.
 *
 * Inputs: the symbols, `<s>`, `|||`. Outputs: the symbols, `</s>`.
 */
export function reverse({ name, symbols }: TaskConfig): Task {
  const names = namesOf(symbols);
  const start = symbols;
  const separator = symbols + 1;
  const end = symbols;

  const inputsOf = (source: readonly number[], outputs: readonly number[]): Omit<Sequence, 'target'> => {
    const L = source.length;
    const ids = [start, ...source, separator, ...outputs];
    const phase = ids.map((_, t) =>
      t >= 1 && t <= L ? PHASE.reading : t > L && t <= 2 * L ? PHASE.writing : PHASE.none,
    );
    return { ids, phase, sourceLength: L };
  };

  return {
    name,
    inputs: symbols + 2,
    outputs: symbols + 1,
    activeInputs: 1,
    symbolNames: names,
    inputNames: [...names, '<s>', '|||'],
    outputNames: [...names, '</s>'],
    example: [0, 1, 2, 1].map(i => names[i % symbols]).join(' '),
    zeroTargets: false,
    end,
    source: (rng, length) => randomSource(symbols, rng, length),
    sequence: source => {
      const answer = [...source].reverse();
      const before = Array<number>(source.length + 1).fill(MASKED);
      return { ...inputsOf(source, answer), target: [...before, ...answer, end] };
    },
    prompt: (source, outputs) => {
      const inputs = inputsOf(source, outputs);
      return { ...inputs, target: inputs.ids.map(() => MASKED) };
    },
    answerAt: length => length + 1,
  };
}
