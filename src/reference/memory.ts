import type { ModelConfig } from '../base/config.ts';
import { deque } from './deque.ts';
import { queue } from './queue.ts';
import {
  type Memory,
  type SequenceGradients,
  type SequenceReads,
  sequenceBackward,
  sequenceForward,
} from './sequence.ts';
import { stack } from './stack.ts';

export type MemoryKind = Exclude<ModelConfig['memory'], 'none'>;

/** The memories by kind. */
export const MEMORIES: Record<MemoryKind, Memory> = { stack, queue, deque };

/**
 * One sequence from an empty memory. E is 1, but 2 for a deque: (top, bottom).
 *
 * push d [T,E], pop u [T,E], value v [T,E,M] → read r [T,E,M], strengths of every step from bottom to top
 */
export function memoryForward(
  kind: MemoryKind,
  push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
): SequenceReads {
  return sequenceForward(MEMORIES[kind], push, pop, value);
}

/**
 * Gradients of one sequence. (`push` is not needed: its strengths are in `strengths`.)
 *
 * pop u [T,E], value v [T,E,M], strengths of the forward pass, dRead [T,E,M] → dPush, dPop [T,E], dValue [T,E,M]
 */
export function memoryBackward(
  kind: MemoryKind,
  _push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
  strengths: readonly Float64Array[],
  dRead: ArrayLike<number>,
): SequenceGradients {
  return sequenceBackward(MEMORIES[kind], pop, value, strengths, dRead);
}
