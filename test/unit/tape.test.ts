import { describe, expect, it } from 'vitest';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/** The tape of Delétang et al. 2023, by hand. */

/** One action a step: `<` left, `>` right, `=` stay. */
const run = (actions: string, values: number[], depth?: number) => {
  const controls = ['<', '>', '='].map(one => Float64Array.from(actions, action => (action === one ? 1 : 0)));
  return { controls, made: memoryForward('tape', controls, values, depth) };
};

describe('whole actions make it a tape with a head that writes, then moves', () => {
  it('three cells in a ring: A B C', () => {
    // 1 into A, 2 into B, 3 into C; back over B, where 4 goes, to A, where 5 goes; left of A is C; 6 there, and stay.
    const { made } = run('>><<<=', [1, 2, 3, 4, 5, 6], 3);
    expect([...made.read]).toEqual([0, 0, 2, 1, 3, 6]);
    // From the head on to the right: C, A, B.
    expect((made.states[5] as Float64Array[]).map(([x]) => x)).toEqual([6, 5, 4]);
    expect(made.strengths.map(({ length }) => length)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('of one cell, where every move leads back to it', () => {
    expect([...run('<>=', [1, 2, 3], 1).made.read]).toEqual([1, 2, 3]);
  });

  it('of two cells, where left and right lead to the same', () => {
    expect([...run('><>', [1, 2, 3], 2).made.read]).toEqual([0, 1, 2]);
  });

  it('reads reversed what it was given: right while writing, left while reading', () => {
    expect([...run('>>><<<', [1, 2, 3, 9, 9, 9]).made.read]).toEqual([0, 0, 0, 3, 2, 1]);
  });

  it('three cells read: the one under the head and two to its right', () => {
    const { controls } = run('>>=', [1, 2, 3], 4);
    // Head at B, C, C; D and A are to the right of C.
    const { read } = memoryForward('tape', controls, [1, 2, 3], 4, 3);
    expect([...read]).toEqual([0, 0, 0, 0, 0, 1, 3, 0, 1]);
  });

  it('a read goes back to the value that it is, and not past what was written over it', () => {
    const { controls, made } = run('>=<', [1, 2, 3], 3);
    // The last read is 1, of step 0. Staying would have read 3; going right the empty cell.
    expect([...made.read]).toEqual([0, 2, 1]);
    const gradients = memoryBackward('tape', controls, [1, 2, 3], made, [0, 0, 1]);
    expect([...gradients.dValue]).toEqual([1, 0, 0]);
    expect([gradients.dLeft[2], gradients.dRight[2], gradients.dStay[2]]).toEqual([1, 0, 3]);
  });
});

it('shares of actions are a mixture of tapes: half to the right, half stayed', () => {
  const half = [0.5, 0.5];
  const controls = [new Float64Array(2), Float64Array.from(half), Float64Array.from(half)];
  const { read, states } = memoryForward('tape', controls, [4, 8], 3);
  // 4 is written; half of [0, 0, 4] and half of [4, 0, 0]. Then 8 is written over the 2 under the head:
  // half of [0, 2, 8] and half of [8, 0, 2].
  expect((states[0] as Float64Array[]).map(([x]) => x)).toEqual([2, 0, 2]);
  expect((states[1] as Float64Array[]).map(([x]) => x)).toEqual([4, 1, 5]);
  expect([...read]).toEqual([2, 4]);
});
