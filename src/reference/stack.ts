import { pop, popBackward, read, readBackward } from './ends.ts';
import {
  oneEnded,
  type SequenceGradients,
  type SequenceReads,
  sequenceBackward,
  sequenceForward,
} from './sequence.ts';

/**
 * The neural stack as in the paper (equations 1–3, Appendix A), in float64: pushed to, popped from and read from
 * the top. Every step keeps all of its strengths, so that a sequence has T·(T+1)/2 of them; nothing is skipped
 * but sums that come to nothing.
 *
 * Rows are numbered from 0, oldest first: at step t the memory has t+1 rows.
 */

/**
 * Pops u, then pushes with strength d (equation 2, and 1 for the new row).
 *
 *   s_t[i] = max(0, s_{t-1}[i] − max(0, u − Σ_{j>i} s_{t-1}[j]))   for i < t
 *   s_t[t] = d
 *
 * previous [t], d, u → s_t [t+1]
 */
export function stackStep(previous: Float64Array, d: number, u: number): Float64Array {
  const t = previous.length;
  const s = new Float64Array(t + 1);
  s.set(pop(previous, u, 'top'));
  s[t] = d;
  return s;
}

/** previous [t], u, ds_t [t+1] → ds_{t-1} [t], dd, du */
export function stackStepBackward(
  previous: Float64Array,
  u: number,
  ds: Float64Array,
): { ds: Float64Array; dd: number; du: number } {
  const t = previous.length;
  return { ...popBackward(previous, u, ds.slice(0, t), 'top'), dd: ds[t] };
}

/**
 * Reads up to one unit from the top (equation 3).
 *
 *   r = Σ_i min(s[i], max(0, 1 − Σ_{j>i} s[j])) · V[i]
 *
 * strengths [n], V: n (or more) rows of [M] → r [M]
 */
export function stackRead(strengths: Float64Array, V: readonly Float64Array[]): Float64Array {
  return read(strengths, V, 'top');
}

/** dr [M] → ds [n] and dV (n rows of [M]), both added to */
export function stackReadBackward(
  strengths: Float64Array,
  V: readonly Float64Array[],
  dr: Float64Array,
  ds: Float64Array,
  dV: readonly Float64Array[],
): void {
  readBackward(strengths, V, dr, ds, dV, 'top');
}

export const stack = oneEnded({
  step: stackStep,
  stepBackward: stackStepBackward,
  read: stackRead,
  readBackward: stackReadBackward,
});

/** push d [T], pop u [T], value v [T,M] → read r [T,M], strengths s: [T][t+1] */
export function stackForward(
  push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
): SequenceReads {
  return sequenceForward(stack, push, pop, value);
}

/** pop u [T], value v [T,M], strengths of the forward pass, dRead [T,M] → dPush [T], dPop [T], dValue [T,M] */
export function stackBackward(
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
  strengths: readonly Float64Array[],
  dRead: ArrayLike<number>,
): SequenceGradients {
  return sequenceBackward(stack, pop, value, strengths, dRead);
}
