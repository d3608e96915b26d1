import type { MemoryName } from '../../base/memories.ts';
import { memoryForward } from '../../reference/memory.ts';

/** Shares of the pushed values in the cells of a memory, [T][t+1], oldest value first. */
export interface Shares {
  /** The share of each value that is left in all cells after each step. */
  left: number[][];
  /** The share of each value in the cells that are read. */
  read: number[][];
}

/**
 * Computes the shares for a memory whose cells are mixtures of values (superposition stack, tape). Such a memory is
 * linear in its values, so if the values are unit vectors, the cells contain the shares.
 * @param controls [T] values of each control, in the order of memoryKind(kind).controls
 * @param depth number of cells
 * @param reads number of cells that are read
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
