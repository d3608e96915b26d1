import type { MemoryName } from '../../base/memories.ts';
import { memoryForward } from '../../reference/memory.ts';

/** What is left of every value after each step, [T][t+1], oldest first, and how much of it is in the cells that are read. */
export interface Shares {
  left: number[][];
  read: number[][];
}

/**
 * Of a memory whose cells are mixtures (a superposition stack, a tape): what it holds of each value that it was given. It is linear in
 * them, so values that are the unit vectors show their own shares.
 *
 * @param controls [T] of each, in the order of the kind
 * @param reads cells that are read
 */
export function sharesOf(
  kind: MemoryName,
  controls: readonly ArrayLike<number>[],
  depth: number,
  reads: number,
): Shares {
  const T = controls[0].length;
  const units = new Float64Array(T * T);
  for (let t = 0; t < T; t++) units[t * T + t] = 1;
  // [T][depth][T]
  const states = memoryForward(kind, controls, units, depth).states as Float64Array[][];
  const shareIn = (cells: readonly Float64Array[], value: number): number =>
    cells.reduce((sum, cell) => sum + cell[value], 0);
  const each = (share: (cells: readonly Float64Array[], value: number) => number): number[][] =>
    states.map((cells, t) => Array.from({ length: t + 1 }, (_, value) => share(cells, value)));
  return {
    left: each(shareIn),
    read: each((cells, value) => shareIn(cells.slice(0, reads), value)),
  };
}
