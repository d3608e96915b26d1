import { DEPTH, gradientName, type MemoryName, memoryKind } from '../base/memories.ts';
import { deque } from './deque.ts';
import { type Kind, kindBackward, kindForward } from './kind.ts';
import { queue } from './queue.ts';
import { kindOfRows, type RowMemory } from './row-memory.ts';
import { stack } from './stack.ts';
import { superposition } from './superposition.ts';

/** Those of rows with strengths. */
export type RowName = 'stack' | 'queue' | 'deque';
export const MEMORIES: Record<RowName, RowMemory> = { stack, queue, deque };

/** The kinds of memory. */
export const KINDS: Record<MemoryName, Kind> = {
  stack: kindOfRows(stack) as Kind,
  queue: kindOfRows(queue) as Kind,
  deque: kindOfRows(deque) as Kind,
  superposition: superposition as Kind,
};

/** A sequence's reads [T,E,M], the state after every step, and its strengths from bottom to top. */
export interface MemoryReads {
  read: Float64Array;
  states: unknown[];
  strengths: Float64Array[];
}

/**
 * One sequence from an empty memory. E is 1, but 2 for a deque: (top, bottom).
 *
 * controls [T,E] in the order of the kind (of stack, queue and deque push d and pop u), value v [T,E,M] → read r [T,E,M],
 * strengths of every step from bottom to top
 */
export function memoryForward(
  name: MemoryName,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  depth = DEPTH,
): MemoryReads {
  const kind = KINDS[name];
  const made = kindForward(kind, memoryKind(name).ends, controls, value, depth);
  return { ...made, strengths: made.states.map(state => kind.strengths(state)) };
}

/**
 * Gradients of one sequence, by the names of what they are of: dPush, dPop [T,E], dValue [T,E,M] of stack, queue and deque.
 *
 * controls [T,E], value v [T,E,M], states of the forward pass, dRead [T,E,M]
 */
export function memoryBackward(
  name: MemoryName,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  { states }: Pick<MemoryReads, 'states'>,
  dRead: ArrayLike<number>,
  depth = DEPTH,
): Record<string, Float64Array> {
  const kind = memoryKind(name);
  const { dControls, dValue } = kindBackward(KINDS[name], kind.ends, controls, value, states, dRead, depth);
  return {
    ...Object.fromEntries(kind.controls.map((control, c) => [gradientName(control.name), dControls[c]])),
    dValue,
  };
}
