import { DEPTH, gradientName, type MemoryName, memoryKind } from '../base/memories.ts';
import { deque } from './deque.ts';
import { type Kind, kindBackward, kindForward } from './kind.ts';
import { queue } from './queue.ts';
import { kindOfRows, type RowMemory } from './row-memory.ts';
import { flatOf, rowsOf } from './rows.ts';
import { stack } from './stack.ts';
import { superposition } from './superposition.ts';
import { tape } from './tape.ts';

/** Those of rows with strengths. */
export type RowName = 'stack' | 'queue' | 'deque';
export const MEMORIES: Record<RowName, RowMemory> = { stack, queue, deque };

/** The kinds of memory. */
export const KINDS: Record<MemoryName, Kind> = {
  stack: kindOfRows(stack) as Kind,
  queue: kindOfRows(queue) as Kind,
  deque: kindOfRows(deque) as Kind,
  superposition: superposition as Kind,
  tape: tape as Kind,
};

/** A sequence's reads [T,Q,M], Q being E, but where several cells are read, the state after every step, and its strengths from bottom to top. */
export interface MemoryReads {
  read: Float64Array;
  states: unknown[];
  strengths: Float64Array[];
}

/**
 * One sequence from an empty memory. E is 1, but 2 for a deque: (top, bottom).
 *
 * controls [T,E] in the order of the kind (of stack, queue and deque push d and pop u), value v [T,E,M] → read r [T,Q,M],
 * strengths of every step from bottom to top
 */
export function memoryForward(
  name: MemoryName,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  depth = DEPTH,
  reads = 1,
): MemoryReads {
  const kind = KINDS[name];
  const made = kindForward(kind, memoryKind(name).ends, controls, value, depth, reads);
  return { ...made, strengths: made.states.map(state => kind.strengths(state)) };
}

/**
 * Gradients of one sequence, by the names of what they are of: dPush, dPop [T,E], dValue [T,E,M] of stack, queue and deque.
 *
 * controls [T,E], value v [T,E,M], states of the forward pass, dRead [T,Q,M]
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

/** The state of one sequence before its first step, of rows of M. */
export const emptyMemory = (name: MemoryName, M: number, depth = DEPTH): unknown =>
  KINDS[name].empty(M, depth);

/** One step of one sequence. state before it, controls [E] in the order of the kind, v [E,M] → state after it, r [Q,M] */
export function memoryStep(
  name: MemoryName,
  before: unknown,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  reads = 1,
): { after: unknown; r: Float64Array } {
  const own = controls.map(control => Float64Array.from(control));
  return KINDS[name].step(before, own, rowsOf(value, memoryKind(name).ends), reads);
}

/**
 * Gradients of one step, newest step first. The step's inputs, the states before and after it, dr [Q,M], and what arrived from the
 * step after it (of the newest nothing) → dControls [E] and dv [E,M], both complete, and what is passed to the step before it
 */
export function memoryStepBackward(
  name: MemoryName,
  before: unknown,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  after: unknown,
  dr: Float64Array,
  arriving: unknown,
): { passed: unknown; gradients: Record<string, Float64Array> } {
  const { ends: E, controls: all } = memoryKind(name);
  const kind = KINDS[name];
  const own = controls.map(control => Float64Array.from(control));
  const made = kind.back(before, own, rowsOf(value, E), after, dr, arriving ?? kind.nothing(after));
  return {
    passed: made.passed,
    gradients: {
      ...Object.fromEntries(all.map((control, c) => [gradientName(control.name), made.dControls[c]])),
      dValue: flatOf(made.dv),
    },
  };
}
