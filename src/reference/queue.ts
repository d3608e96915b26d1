import { pop, popBackward, read, readBackward } from './ends.ts';
import {
  oneEnded,
  type SequenceGradients,
  type SequenceReads,
  sequenceBackward,
  sequenceForward,
} from './sequence.ts';

/**
 * The neural queue as in the paper (equations 1, 4 and 5, Appendix A), in float64: pushed to at the top, popped
 * from and read from the bottom, where the oldest rows are. Every step keeps all of its strengths.
 *
 * Rows are numbered from 0, oldest first: at step t the memory has t+1 rows.
 */

/**
 * Pops u, then pushes with strength d (equation 4, and 1 for the new row).
 *
 *   s_t[i] = max(0, s_{t-1}[i] − max(0, u − Σ_{j<i} s_{t-1}[j]))   for i < t
 *   s_t[t] = d
 *
 * previous [t], d, u → s_t [t+1]
 */
export function queueStep(previous: Float64Array, d: number, u: number): Float64Array {
  const t = previous.length;
  const s = new Float64Array(t + 1);
  s.set(pop(previous, u, 'bottom'));
  s[t] = d;
  return s;
}

/** previous [t], u, ds_t [t+1] → ds_{t-1} [t], dd, du */
export function queueStepBackward(
  previous: Float64Array,
  u: number,
  ds: Float64Array,
): { ds: Float64Array; dd: number; du: number } {
  const t = previous.length;
  return { ...popBackward(previous, u, ds.slice(0, t), 'bottom'), dd: ds[t] };
}

/**
 * Reads up to one unit from the bottom (equation 5).
 *
 *   r = Σ_i min(s[i], max(0, 1 − Σ_{j<i} s[j])) · V[i]
 *
 * strengths [n], V: n (or more) rows of [M] → r [M]
 */
export function queueRead(strengths: Float64Array, V: readonly Float64Array[]): Float64Array {
  return read(strengths, V, 'bottom');
}

/** dr [M] → ds [n] and dV (n rows of [M]), both added to */
export function queueReadBackward(
  strengths: Float64Array,
  V: readonly Float64Array[],
  dr: Float64Array,
  ds: Float64Array,
  dV: readonly Float64Array[],
): void {
  readBackward(strengths, V, dr, ds, dV, 'bottom');
}

export const queue = oneEnded({
  step: queueStep,
  stepBackward: queueStepBackward,
  read: queueRead,
  readBackward: queueReadBackward,
});

/** push d [T], pop u [T], value v [T,M] → read r [T,M], strengths s: [T][t+1] */
export function queueForward(
  push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
): SequenceReads {
  return sequenceForward(queue, push, pop, value);
}

/** pop u [T], value v [T,M], strengths of the forward pass, dRead [T,M] → dPush [T], dPop [T], dValue [T,M] */
export function queueBackward(
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
  strengths: readonly Float64Array[],
  dRead: ArrayLike<number>,
): SequenceGradients {
  return sequenceBackward(queue, pop, value, strengths, dRead);
}
