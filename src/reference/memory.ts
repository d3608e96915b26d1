import { DEPTH, gradientName, type MemoryName, memoryKind } from '../base/memories.ts';
import { deque } from './deque.ts';
import { type Kind, kindBackward, kindForward } from './kind.ts';
import { queue } from './queue.ts';
import { kindOfRows, type RowMemory } from './row-memory.ts';
import { flatOf, rowsOf } from './rows.ts';
import { stack } from './stack.ts';
import { superposition } from './superposition.ts';
import { tape } from './tape.ts';

/** The kinds whose memory consists of rows with strengths. */
export type RowName = 'stack' | 'queue' | 'deque';
export const ROW_MEMORIES: Record<RowName, RowMemory> = { stack, queue, deque };

/** All kinds of memory. */
export const KINDS: Record<MemoryName, Kind> = {
  stack: kindOfRows(stack) as Kind,
  queue: kindOfRows(queue) as Kind,
  deque: kindOfRows(deque) as Kind,
  superposition: superposition as Kind,
  tape: tape as Kind,
};

/**
 * The reads [T,Q,M] of a sequence (Q is E, unless several cells are read), the state after every step, and the
 * strengths after every step, from bottom to top.
 */
export interface MemoryReads {
  read: Float64Array;
  states: unknown[];
  strengths: Float64Array[];
}

/**
 * Forward pass of one sequence from an empty memory. E is 1, or 2 for a deque: (top, bottom). `depth` and `reads`, the
 * numbers of cells and of cells read, apply to a superposition stack and a tape only.
 *
 * controls [T,E] in the kind's order (push d and pop u for stack, queue and deque), value v [T,E,M] → read r [T,Q,M],
 * states and strengths after every step
 */
export function memoryForward(
  name: MemoryName,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  depth = DEPTH,
  reads = 1,
): MemoryReads {
  const kind = KINDS[name];
  const result = kindForward(kind, memoryKind(name).ends, controls, value, depth, reads);
  return { ...result, strengths: result.states.map(state => kind.strengths(state)) };
}

/**
 * Gradients of one sequence by name: for stack, queue and deque dPush and dPop [T,E], and dValue [T,E,M].
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

/** The state of one sequence before its first step, for rows of M numbers. */
export const emptyMemory = (name: MemoryName, M: number, depth = DEPTH): unknown =>
  KINDS[name].empty(M, depth);

/** One step of one sequence. State before it, controls [E] in the kind's order, v [E,M] → state after it, r [Q,M] */
export function memoryStep(
  name: MemoryName,
  before: unknown,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  reads = 1,
): { after: unknown; r: Float64Array } {
  const copies = controls.map(control => Float64Array.from(control));
  return KINDS[name].step(before, copies, rowsOf(value, memoryKind(name).ends), reads);
}

/**
 * Gradients of one step; called for the newest step first. Inputs: the step's controls and values, the states before
 * and after it, dr [Q,M], and `arriving`, which the call for the next step returned as `passed` (undefined for the
 * newest step) → `gradients` by name as in memoryBackward, for this step only: controls [E], dValue [E,M]; and
 * `passed`, the gradient of the state before the step
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
  const copies = controls.map(control => Float64Array.from(control));
  const gradient = arriving ?? kind.zeroGradient(after);
  const step = kind.backward(before, copies, rowsOf(value, E), after, dr, gradient);
  return {
    passed: step.passed,
    gradients: {
      ...Object.fromEntries(all.map((control, c) => [gradientName(control.name), step.dControls[c]])),
      dValue: flatOf(step.dv),
    },
  };
}
