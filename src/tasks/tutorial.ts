import type { TaskConfig } from '../base/config.ts';
import { MASKED, NO_INPUT, PHASE, ZERO_TARGET } from '../base/dims.ts';
import { namesOf, randomLength, randomSource, type Sequence, type Task } from './task.ts';

/**
 * The reversal task of Trask's tutorial (2016). A source of L symbols takes T = 2L steps. In the first half, the flag
 * `encode` is set, the symbols are the inputs, and the target is the zero vector. In the second half there are no more
 * symbols, and the target is the source in reverse order. Outputs are not fed back, and there is no end symbol. Phases
 * are r (reading), w (writing) and `.` (none). With 2 symbols:
 *
 *   task    tutorial-part5
 *   source  a b b
 *   input   encode+a  encode+b  encode+b  ·  ·  ·
 *   target  0         0         0         b  b  a
 *   phase   r         r         r         .  w  .
 *
 * Part 6 has a second flag, `decode`, which is set in the second half:
 *
 *   task    tutorial-part6
 *   source  a b b
 *   input   encode+a  encode+b  encode+b  decode  decode  decode
 *   target  0         0         0         b       b       a
 *   phase   r         r         r         .       w       .
 *
 * The first output is the current top of the stack, which must be popped for the second output, so the writing phase
 * starts at the second output step. The tutorial performs no memory operation at the last step. Here the memory
 * operates at every step, but the last operation affects no output, so that step has no phase.
 *
 * Inputs and outputs have the same numbering: the flags (`encode`, or `decode` and `encode`), then the symbols. The
 * tutorial prints symbols by these numbers: a and b are 1 and 2 in part 5, and 2 and 3 in part 6.
 */
const tutorial =
  (flags: readonly string[]) =>
  ({ name, symbols }: TaskConfig): Task => {
    const names = namesOf(symbols);
    const first = flags.length;
    const encode = flags.indexOf('encode');
    const decode = flags.includes('decode') ? flags.indexOf('decode') : NO_INPUT;

    const outputsOf = (source: readonly number[]): number[] => source.map(symbol => first + symbol).reverse();

    const sequence = (source: readonly number[]): Sequence => {
      const L = source.length;
      const ids: number[] = [];
      const target: number[] = [];
      const phase: number[] = [];
      for (let t = 0; t < L; t++) {
        ids.push(encode, first + source[t]);
        target.push(ZERO_TARGET);
        phase.push(PHASE.reading);
      }
      for (let t = L; t < 2 * L; t++) {
        ids.push(decode, NO_INPUT);
        target.push(first + source[2 * L - 1 - t]);
        phase.push(t > L && t < 2 * L - 1 ? PHASE.writing : PHASE.none);
      }
      return { ids, target, phase, sourceLength: L };
    };

    return {
      name,
      inputs: first + symbols,
      outputs: first + symbols,
      activeInputs: 2,
      symbolNames: names,
      inputNames: [...flags, ...names],
      outputNames: [...flags, ...names],
      example: [0, 1, 1].map(i => names[i % symbols]).join(' '),
      zeroTargets: true,
      end: undefined,
      lengthStep: 1,
      pair: (rng, low, high) => {
        const source = randomSource(symbols, rng, randomLength(name, rng, low, high));
        return { source, target: outputsOf(source) };
      },
      targetOf: outputsOf,
      steps: length => 2 * length,
      sequence: ({ source }) => sequence(source),
      prompt: source => {
        const whole = sequence(source);
        return { ...whole, target: whole.target.map(() => MASKED) };
      },
      targetStart: length => length,
      targetLength: source => source.length,
    };
  };

export const tutorialPart5 = tutorial(['encode']);
export const tutorialPart6 = tutorial(['decode', 'encode']);
