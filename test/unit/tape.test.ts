import { describe, expect, it } from 'vitest';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/** The tape of Delétang et al. 2023, by hand. */

/** One action per step: `<` left, `>` right, `=` stay. */
const run = (actions: string, values: number[], depth?: number) => {
  const controls = ['<', '>', '='].map(name =>
    Float64Array.from(actions, action => (action === name ? 1 : 0)),
  );
  return { controls, forward: memoryForward('tape', controls, values, depth) };
};

describe('with actions 0 and 1 it is a tape whose head writes, then moves', () => {
  it('three cells form a ring: A B C', () => {
    // Writes 1 to A, 2 to B and 3 to C, moves left to B, writes 4,
    // moves left to A, writes 5, moves left to C, writes 6, stays.
    const { forward } = run('>><<<=', [1, 2, 3, 4, 5, 6], 3);
    expect([...forward.read]).toEqual([0, 0, 2, 1, 3, 6]);
    // The cells from the head to the right: C, A, B.
    expect((forward.states[5] as Float64Array[]).map(([x]) => x)).toEqual([6, 5, 4]);
    expect(forward.strengths.map(({ length }) => length)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('with one cell, every move leads back to it', () => {
    expect([...run('<>=', [1, 2, 3], 1).forward.read]).toEqual([1, 2, 3]);
  });

  it('with two cells, left and right lead to the same cell', () => {
    expect([...run('><>', [1, 2, 3], 2).forward.read]).toEqual([0, 1, 2]);
  });

  it('reverses its input if it moves right while writing and left while reading', () => {
    expect([...run('>>><<<', [1, 2, 3, 9, 9, 9]).forward.read]).toEqual([0, 0, 0, 3, 2, 1]);
  });

  it('three cells read: the one under the head and two to its right', () => {
    const { controls } = run('>>=', [1, 2, 3], 4);
    // Head at B, C, C; D and A are to the right of C.
    const { read } = memoryForward('tape', controls, [1, 2, 3], 4, 3);
    expect([...read]).toEqual([0, 0, 0, 0, 0, 1, 3, 0, 1]);
  });

  it('the gradient of a read goes to the value that was read, not to values that were overwritten', () => {
    const { controls, forward } = run('>=<', [1, 2, 3], 3);
    // The last read is the 1 of step 0. Staying would have read 3, and moving right the empty cell.
    expect([...forward.read]).toEqual([0, 2, 1]);
    const gradients = memoryBackward('tape', controls, [1, 2, 3], forward, [0, 0, 1]);
    expect([...gradients.dValue]).toEqual([1, 0, 0]);
    expect([gradients.dLeft[2], gradients.dRight[2], gradients.dStay[2]]).toEqual([1, 0, 3]);
  });
});

it('actions with share ½ give a mixture of two tapes: half moved right, half stayed', () => {
  const half = [0.5, 0.5];
  const controls = [new Float64Array(2), Float64Array.from(half), Float64Array.from(half)];
  const { read, states } = memoryForward('tape', controls, [4, 8], 3);
  // 4 is written, giving half of [0, 0, 4] and half of [4, 0, 0]. Then 8 overwrites the 2 under the head, giving half of
  // [0, 2, 8] and half of [8, 0, 2].
  expect((states[0] as Float64Array[]).map(([x]) => x)).toEqual([2, 0, 2]);
  expect((states[1] as Float64Array[]).map(([x]) => x)).toEqual([4, 1, 5]);
  expect([...read]).toEqual([2, 4]);
});
