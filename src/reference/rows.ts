/** Rows of a memory: arrays of [M], where flat arrays [n,M] come and go. */

/** n rows of zeros [M]. */
export const zeroRows = (n: number, M: number): Float64Array[] =>
  Array.from({ length: n }, () => new Float64Array(M));

/** A flat array [n,M] as n rows [M], copied. */
export function rowsOf(flat: ArrayLike<number>, n: number): Float64Array[] {
  const M = flat.length / n;
  const rows = zeroRows(n, M);
  for (let i = 0; i < n; i++) for (let m = 0; m < M; m++) rows[i][m] = flat[i * M + m];
  return rows;
}

/** n rows of one width M as a flat array [n,M]. */
export function flatOf(rows: readonly ArrayLike<number>[]): Float64Array {
  const M = rows.length > 0 ? rows[0].length : 0;
  const flat = new Float64Array(rows.length * M);
  rows.forEach((row, i) => {
    flat.set(row, i * M);
  });
  return flat;
}
