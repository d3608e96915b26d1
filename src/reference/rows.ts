/** Conversion between rows (arrays of [M]) and flat arrays [n,M]. */

/** n rows of zeros [M]. */
export const zeroRows = (n: number, M: number): Float64Array[] =>
  Array.from({ length: n }, () => new Float64Array(M));

/** Copies a flat array [n,M] into n rows [M]. */
export function rowsOf(flat: ArrayLike<number>, n: number): Float64Array[] {
  const M = flat.length / n;
  const rows = zeroRows(n, M);
  for (let i = 0; i < n; i++) for (let m = 0; m < M; m++) rows[i][m] = flat[i * M + m];
  return rows;
}

/** Copies n rows of the same width M into a flat array [n,M]. */
export function flatOf(rows: readonly ArrayLike<number>[]): Float64Array {
  const M = rows.length > 0 ? rows[0].length : 0;
  const flat = new Float64Array(rows.length * M);
  rows.forEach((row, i) => {
    flat.set(row, i * M);
  });
  return flat;
}
