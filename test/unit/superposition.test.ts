import { describe, expect, it } from 'vitest';
import { memoryBackward, memoryForward } from '../../src/reference/memory.ts';

/** The superposition stack of Joulin and Mikolov 2015, by hand. */

/** One action per step: `+` push, `-` pop, `=` stay. */
const run = (actions: string, values: number[], depth?: number) => {
  const controls = ['+', '-', '='].map(name =>
    Float64Array.from(actions, action => (action === name ? 1 : 0)),
  );
  return { controls, forward: memoryForward('superposition', controls, values, depth) };
};

describe('with actions 0 and 1 it is a stack', () => {
  it('push 1, push 2, stay, pop, pop, pop: an empty stack reads 0', () => {
    const { forward } = run('++=---', [1, 2, 9, 9, 9, 9]);
    expect([...forward.read]).toEqual([1, 2, 2, 1, 0, 0]);
    expect(forward.strengths.map(({ length }) => length)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('with two cells, pushing a third value drops the first', () => {
    const { forward } = run('+++--', [1, 2, 3, 9, 9], 2);
    expect([...forward.read]).toEqual([1, 2, 3, 2, 0]);
  });

  it('two cells read: the top and the one below it', () => {
    const { controls } = run('++-', [1, 2, 9]);
    const { read } = memoryForward('superposition', controls, [1, 2, 9], 3, 2);
    expect([...read]).toEqual([1, 0, 2, 1, 1, 0]);
  });

  it('the gradient of a read goes to the value that was read', () => {
    const { controls, forward } = run('++=-', [1, 2, 9, 9]);
    const { dValue, dPush } = memoryBackward('superposition', controls, [1, 2, 9, 9], forward, [0, 0, 0, 1]);
    expect([...dValue]).toEqual([1, 0, 0, 0]);
    // Pushing more at the last step would have replaced 1 by 9.
    expect(dPush[3]).toBe(9);
  });
});

it('an action with share ½ gives a mixture of two stacks: half pushed, half unchanged', () => {
  const half = [0.5, 0.5];
  const controls = [Float64Array.from(half), new Float64Array(2), Float64Array.from(half)];
  const { read, states } = memoryForward('superposition', controls, [4, 8], 3);
  // [2, 0, 0], then half of [8, 2, 0] plus half of [2, 0, 0].
  expect([...read]).toEqual([2, 5]);
  expect((states[1] as Float64Array[]).map(([x]) => x)).toEqual([5, 1, 0]);
});
