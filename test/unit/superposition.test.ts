import { describe, expect, it } from 'vitest';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/** The superposition stack of Joulin and Mikolov 2015, by hand. */

/** One action per step: `+` push, `-` pop, `=` stay. */
const run = (actions: string, values: number[], depth?: number) => {
  const controls = ['+', '-', '='].map(one => Float64Array.from(actions, action => (action === one ? 1 : 0)));
  return { controls, made: memoryForward('superposition', controls, values, depth) };
};

describe('with actions 0 and 1 it is a stack', () => {
  it('push 1, push 2, stay, pop, pop, pop: an empty stack reads 0', () => {
    const { made } = run('++=---', [1, 2, 9, 9, 9, 9]);
    expect([...made.read]).toEqual([1, 2, 2, 1, 0, 0]);
    expect(made.strengths.map(({ length }) => length)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('with two cells, a third value pushed loses the first', () => {
    const { made } = run('+++--', [1, 2, 3, 9, 9], 2);
    expect([...made.read]).toEqual([1, 2, 3, 2, 0]);
  });

  it('two cells read: the top and the one below it', () => {
    const { controls } = run('++-', [1, 2, 9]);
    const { read } = memoryForward('superposition', controls, [1, 2, 9], 3, 2);
    expect([...read]).toEqual([1, 0, 2, 1, 1, 0]);
  });

  it('the gradient of a read goes to the value that was read', () => {
    const { controls, made } = run('++=-', [1, 2, 9, 9]);
    const { dValue, dPush } = memoryBackward('superposition', controls, [1, 2, 9, 9], made, [0, 0, 0, 1]);
    expect([...dValue]).toEqual([1, 0, 0, 0]);
    // Pushing more at the last step would have replaced 1 by 9.
    expect(dPush[3]).toBe(9);
  });
});

it('shares of actions give a mixture of stacks: half pushed, half stayed', () => {
  const half = [0.5, 0.5];
  const controls = [Float64Array.from(half), new Float64Array(2), Float64Array.from(half)];
  const { read, states } = memoryForward('superposition', controls, [4, 8], 3);
  // [2, 0, 0], then half of [8, 2, 0] plus half of [2, 0, 0].
  expect([...read]).toEqual([2, 5]);
  expect((states[1] as Float64Array[]).map(([x]) => x)).toEqual([5, 1, 0]);
});
