/**
 * The neural stack as in the paper (equations 1–3, Appendix A), in float64. Every step keeps all of its
 * strengths, so that a sequence has T·(T+1)/2 of them; nothing is skipped but sums that come to nothing.
 *
 * Rows are numbered from 0, oldest first: at step t the memory has t+1 rows. Where both arguments of a max or
 * min are equal, the derivative is that of the left one, as the formulas here are written.
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
  const strengths = new Float64Array(t + 1);
  strengths[t] = d;
  let above = 0; // Σ_{j>i} s_{t-1}[j]
  for (let i = t - 1; i >= 0; i--) {
    strengths[i] = Math.max(0, previous[i] - Math.max(0, u - above));
    above += previous[i];
  }
  return strengths;
}

/**
 * previous [t], u, ds_t [t+1] → ds_{t-1} [t], dd, du.
 *
 * With ds_t[i] arriving, and nothing passed unless s_t[i] is the right argument of the outer max:
 *   ds_{t-1}[i] += ds_t[i]
 * and where the right argument of the inner max, u − Σ, was taken:
 *   du −= ds_t[i],   ds_{t-1}[j] += ds_t[i] for all j > i
 */
export function stackStepBackward(
  previous: Float64Array,
  u: number,
  ds: Float64Array,
): { ds: Float64Array; dd: number; du: number } {
  const t = previous.length;
  const dsPrevious = new Float64Array(t);
  let du = 0;
  let above = 0; // Σ_{j>i} s_{t-1}[j]
  for (let i = t - 1; i >= 0; i--) {
    const reach = u - above;
    const rest = previous[i] - Math.max(0, reach);
    if (rest > 0) {
      dsPrevious[i] += ds[i];
      // A row that is reached and survives stops the pop, so this inner loop runs once a step.
      if (reach > 0) {
        du -= ds[i];
        for (let j = i + 1; j < t; j++) dsPrevious[j] += ds[i];
      }
    }
    above += previous[i];
  }
  return { ds: dsPrevious, dd: ds[t], du };
}

/**
 * Reads up to one unit from the top (equation 3).
 *
 *   r = Σ_i min(s[i], max(0, 1 − Σ_{j>i} s[j])) · V[i]
 *
 * strengths [n], values: n (or more) rows of [M] → r [M]
 */
export function stackRead(strengths: Float64Array, values: readonly Float64Array[]): Float64Array {
  const M = values[0].length;
  const r = new Float64Array(M);
  let above = 0; // Σ_{j>i} s[j]
  for (let i = strengths.length - 1; i >= 0; i--) {
    const weight = Math.min(strengths[i], Math.max(0, 1 - above));
    if (weight !== 0) for (let m = 0; m < M; m++) r[m] += weight * values[i][m];
    above += strengths[i];
  }
  return r;
}

/**
 * dr [M] → ds [n] and dV (n rows of [M]), both added to.
 *
 *   dV[i] += weight[i] · dr
 * and with g = dr · V[i]: where the left argument of min, s[i], was taken
 *   ds[i] += g
 * else, where the right argument of max, 1 − Σ, was taken
 *   ds[j] −= g for all j > i
 */
export function stackReadBackward(
  strengths: Float64Array,
  values: readonly Float64Array[],
  dr: Float64Array,
  ds: Float64Array,
  dV: readonly Float64Array[],
): void {
  const n = strengths.length;
  const M = dr.length;
  let above = 0; // Σ_{j>i} s[j]
  for (let i = n - 1; i >= 0; i--) {
    const room = 1 - above;
    const weight = Math.min(strengths[i], Math.max(0, room));
    if (weight !== 0) for (let m = 0; m < M; m++) dV[i][m] += weight * dr[m];

    const whole = strengths[i] <= Math.max(0, room);
    if (whole || room > 0) {
      let g = 0;
      for (let m = 0; m < M; m++) g += dr[m] * values[i][m];
      if (whole) ds[i] += g;
      else for (let j = i + 1; j < n; j++) ds[j] -= g; // the row read in part: one a read
    }
    above += strengths[i];
  }
}

/** n rows of zeros [M]. */
export const zeroRows = (n: number, M: number): Float64Array[] =>
  Array.from({ length: n }, () => new Float64Array(M));

/** A [T,M] array as T rows [M]. */
export function rowsOf(flat: ArrayLike<number>, T: number): Float64Array[] {
  const M = flat.length / T;
  const rows = zeroRows(T, M);
  for (let t = 0; t < T; t++) for (let m = 0; m < M; m++) rows[t][m] = flat[t * M + m];
  return rows;
}

/** T rows [M] as a [T,M] array. */
function flatOf(rows: readonly Float64Array[]): Float64Array {
  const M = rows[0].length;
  const flat = new Float64Array(rows.length * M);
  rows.forEach((row, t) => {
    flat.set(row, t * M);
  });
  return flat;
}

/**
 * One sequence from an empty memory, all of push, pop and values known.
 *
 * push d [T], pop u [T], value v [T,M] → read r [T,M], strengths s: [T][t+1]
 */
export function stackForward(
  push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
): { read: Float64Array; strengths: Float64Array[] } {
  const T = push.length;
  const values = rowsOf(value, T);
  const strengths: Float64Array[] = [];
  const reads: Float64Array[] = [];
  let previous: Float64Array = new Float64Array(0);
  for (let t = 0; t < T; t++) {
    previous = stackStep(previous, push[t], pop[t]);
    strengths.push(previous);
    reads.push(stackRead(previous, values));
  }
  return { read: flatOf(reads), strengths };
}

/**
 * pop u [T], value v [T,M], strengths of the forward pass, dRead [T,M] → dPush [T], dPop [T], dValue [T,M].
 * (The push strengths are in `strengths`: d_t = s_t[t].)
 */
export function stackBackward(
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
  strengths: readonly Float64Array[],
  dRead: ArrayLike<number>,
): { dPush: Float64Array; dPop: Float64Array; dValue: Float64Array } {
  const T = pop.length;
  const values = rowsOf(value, T);
  const dr = rowsOf(dRead, T);
  const dV = zeroRows(T, value.length / T);
  const dPush = new Float64Array(T);
  const dPop = new Float64Array(T);
  let ds: Float64Array = new Float64Array(T);
  for (let t = T - 1; t >= 0; t--) {
    stackReadBackward(strengths[t], values, dr[t], ds, dV);
    const previous = t > 0 ? strengths[t - 1] : new Float64Array(0);
    const step = stackStepBackward(previous, pop[t], ds);
    dPush[t] = step.dd;
    dPop[t] = step.du;
    ds = step.ds;
  }
  return { dPush, dPop, dValue: flatOf(dV) };
}
