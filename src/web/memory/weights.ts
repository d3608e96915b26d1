import type { MemoryName as Kind } from '../../base/memories.ts';

/**
 * Returns the weight of each row in the read at one end: min(s_i, max(0, 1 − the sum of the strengths nearer to the
 * end)), equation 3. The weights sum to 1 if the strengths sum to at least 1.
 *
 * @param strengths [rows] in the order of MemorySteps
 * @param end for a deque, 0 is the top and 1 the bottom; a stack is read at its top, a queue at its oldest row
 */
export function readWeights(kind: Kind, end: number, strengths: readonly number[]): number[] {
  const fromLast = kind === 'stack' || (kind === 'deque' && end === 0);
  const weights = new Array<number>(strengths.length).fill(0);
  let nearer = 0;
  for (let k = 0; k < strengths.length && nearer < 1; k++) {
    const i = fromLast ? strengths.length - 1 - k : k;
    weights[i] = Math.min(strengths[i], Math.max(0, 1 - nearer));
    nearer += strengths[i];
  }
  return weights;
}

/** A row of the picture: the step that pushed its value, and the end to which it was pushed. */
export interface Row {
  step: number;
  end: number;
}

/** Rows of the picture of T steps, one per value, oldest first; before them those of a deque's bottom, newest first. */
export const rowsOf = (kind: Kind, T: number): Row[] =>
  kind === 'deque'
    ? Array.from({ length: 2 * T }, (_, i) => (i < T ? { step: T - 1 - i, end: 1 } : { step: i - T, end: 0 }))
    : Array.from({ length: T }, (_, step) => ({ step, end: 0 }));

/** Returns the index in rowsOf() of the first strength of step t. */
export const firstRow = (kind: Kind, T: number, t: number): number => (kind === 'deque' ? T - 1 - t : 0);

/** Names a control or read of an end: `push`, or for a deque `push top`. */
export const endName = (what: string, kind: Kind, end: number): string =>
  kind === 'deque' ? `${what} ${end === 0 ? 'top' : 'bottom'}` : what;
