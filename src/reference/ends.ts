/**
 * The part common to stack, queue and deque, in float64: pop and read at one end of the rows, each with its backward
 * pass (Appendix A of the paper). The ends differ only in the rows that a sum runs over: the rows nearer the end, j > i
 * at the top and j < i at the bottom.
 *
 * Rows are numbered from 0 at the bottom to n−1 at the top. Where both arguments of a max or min are equal, the
 * derivative is that of the left argument, as written here. The only exception is in readBackward.
 */

/** The end of the rows where a memory pushes, pops or reads. */
export type End = 'top' | 'bottom';

/** Index of the k-th row from an end, out of n rows. */
const rowAt = (k: number, n: number, end: End): number => (end === 'top' ? n - 1 - k : k);

/**
 * Pops u (equation 2 at the top; 4 at the bottom; 7 and 8).
 *
 *   s[i] = max(0, previous[i] − max(0, u − Σ_{j nearer the end} previous[j]))
 *
 * previous [n], u → s [n]
 */
export function pop(previous: Float64Array, u: number, end: End): Float64Array {
  const n = previous.length;
  const s = new Float64Array(n);
  let nearer = 0; // Σ previous[j] of the rows nearer the end
  for (let k = 0; k < n; k++) {
    const i = rowAt(k, n, end);
    s[i] = Math.max(0, previous[i] - Math.max(0, u - nearer));
    nearer += previous[i];
  }
  return s;
}

/**
 * previous [n], u, ds [n] → dPrevious [n] and du, the gradients of the strengths before the pop and of u.
 *
 * Where the right argument of the outer max was taken:
 *   dPrevious[i] += ds[i]
 * and where the right argument of the inner max, u − Σ, was also taken:
 *   du −= ds[i],   dPrevious[j] += ds[i] for all j nearer the end
 * In all other cases there is no gradient.
 */
export function popBackward(
  previous: Float64Array,
  u: number,
  ds: Float64Array,
  end: End,
): { dPrevious: Float64Array; du: number } {
  const n = previous.length;
  const dPrevious = new Float64Array(n);
  let du = 0;
  let nearer = 0; // Σ previous[j] of the rows nearer the end
  for (let k = 0; k < n; k++) {
    const i = rowAt(k, n, end);
    const left = u - nearer; // what is left of u when the pop reaches row i
    const survives = previous[i] - Math.max(0, left) > 0;
    if (survives) {
      dPrevious[i] += ds[i];
      // The pop ends at the first row that it reaches and that survives, so this inner loop runs at most once per pop.
      if (left > 0) {
        du -= ds[i];
        for (let l = 0; l < k; l++) dPrevious[rowAt(l, n, end)] += ds[i];
      }
    }
    nearer += previous[i];
  }
  return { dPrevious, du };
}

/**
 * Reads up to one unit (equation 3 at the top, 5 at the bottom; 10 and 11).
 *
 *   r = Σ_i min(s[i], max(0, 1 − Σ_{j nearer the end} s[j])) · V[i]
 *
 * strengths [n], V: n (or more) rows of [M] → r [M]
 */
export function read(strengths: Float64Array, V: readonly Float64Array[], end: End): Float64Array {
  const n = strengths.length;
  const M = V[0].length;
  const r = new Float64Array(M);
  let nearer = 0; // Σ s[j] of the rows nearer the end
  for (let k = 0; k < n; k++) {
    const i = rowAt(k, n, end);
    const weight = Math.min(strengths[i], Math.max(0, 1 - nearer));
    if (weight !== 0) for (let m = 0; m < M; m++) r[m] += weight * V[i][m];
    nearer += strengths[i];
  }
  return r;
}

/**
 * dr [M] → ds [n] and dV (n rows of [M]); adds to both.
 *
 *   dV[i] += weight[i] · dr
 * With g = dr · V[i], where the left argument of min, s[i], was taken:
 *   ds[i] += g
 * Where the right argument of max, 1 − Σ, was taken instead:
 *   ds[j] −= g for all j nearer the end
 * Where 1 − Σ ≤ 0 there is no gradient.
 */
export function readBackward(
  strengths: Float64Array,
  V: readonly Float64Array[],
  dr: Float64Array,
  ds: Float64Array,
  dV: readonly Float64Array[],
  end: End,
): void {
  const n = strengths.length;
  const M = dr.length;
  let nearer = 0; // Σ s[j] of the rows nearer the end
  for (let k = 0; k < n; k++) {
    const i = rowAt(k, n, end);
    const room = 1 - nearer;
    const weight = Math.min(strengths[i], Math.max(0, room));
    if (weight !== 0) for (let m = 0; m < M; m++) dV[i][m] += weight * dr[m];

    // Nothing is read beyond a total strength of 1 from the end, whatever s[i] is. A row of strength 0 there gets no
    // gradient, although both arguments of min are 0. (It matters only for a queue or a deque, where such a row may be
    // far from the end that is read.)
    if (room > 0) {
      const whole = strengths[i] <= room;
      let g = 0;
      for (let m = 0; m < M; m++) g += dr[m] * V[i][m];
      if (whole) ds[i] += g;
      // The row that is read in part: at most one per read.
      else for (let l = 0; l < k; l++) ds[rowAt(l, n, end)] -= g;
    }
    nearer += strengths[i];
  }
}
