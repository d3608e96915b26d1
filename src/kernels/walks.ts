import { endsRead } from '../../shaders/memories/rows-ends.wgsl.ts';
import { type MemoryName, memoryKind } from '../base/memories.ts';

/**
 * Numbers of rows of a memory that kernels visit, computed from known push and pop strengths. A step usually visits a
 * few rows; if strengths are tiny it visits up to T rows. These numbers determine the sizes of slices, and whether a
 * pass can run in parallel over time.
 */
export interface Walks {
  /** [T] number of rows that step t pops or reads: the maximum over the sequences. */
  readonly perStep: Float64Array;
  /** Number of rows read by all steps of all sequences together (pops are not counted). */
  readonly total: number;
  /** Number of steps that read a row: the maximum over the rows. Infinity if `total` exceeds the limit. */
  readonly perRow: number;
}

/**
 * Counts the rows that a memory's steps visit. Returns undefined for a kind without rows, whose steps all cost the
 * same.
 * @param push [B,T,E] @param pop [B,T,E]
 * @param limit largest total for which reads are also counted per row
 */
export function walksOf(
  kind: MemoryName,
  push: Float32Array,
  pop: Float32Array,
  B: number,
  T: number,
  limit = 0,
): Walks | undefined {
  if (!memoryKind(kind).rows) return undefined;
  const ends = endsRead(kind);
  const E = ends.length;
  const perStep = new Float64Array(T);
  const places = E * T + 1;
  // Row i is the interval [edges[i], edges[i + 1]]. A deque grows from the middle in both directions.
  const edges = new Float64Array(places + 1);
  const visits = new Uint32Array(places);
  let total = 0;
  let perRow = 0;
  const visit = (from: number, to: number): number => {
    total += to - from;
    if (total <= limit) for (let i = from; i < to; i++) perRow = Math.max(perRow, ++visits[i]);
    return to - from;
  };
  for (let b = 0; b < B; b++) {
    let low = kind === 'deque' ? T : 0;
    let high = low;
    edges[low] = 0;
    for (let t = 0; t < T; t++) {
      const at = (b * T + t) * E;
      const rows = high - low;
      ends.forEach(({ side }, e) => {
        const u = pop[at + e];
        if (side === 'top') {
          const edge = Math.max(edges[low], edges[high] - u);
          while (high > low && edges[high - 1] >= edge) high--;
          edges[high] = edge;
        } else {
          const edge = Math.min(edges[high], edges[low] + u);
          while (high > low && edges[low + 1] <= edge) low++;
          edges[low] = edge;
        }
      });
      let visited = rows - (high - low);
      edges[high + 1] = edges[high] + push[at];
      visits[high] = 0;
      high++;
      if (kind === 'deque') {
        low--;
        edges[low] = edges[low + 1] - push[at + 1];
        visits[low] = 0;
      }
      for (const { side } of ends) {
        // At the top, counts rows down to one unit below the base of the newest row: the kernels that are parallel over
        // time search that far.
        visited +=
          side === 'top'
            ? visit(lastAtMost(edges, low, high - 1, edges[high - 1] - 1), high)
            : visit(low, firstAtLeast(edges, low + 1, high, edges[low] + 1));
      }
      perStep[t] = Math.max(perStep[t], visited);
    }
  }
  return { perStep, total, perRow: total <= limit ? perRow : Infinity };
}

/** The last i of [from, to] with edges[i] ≤ limit, or `from`. Edges never decrease. */
function lastAtMost(edges: Float64Array, from: number, to: number, limit: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (edges[middle] <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first i of [from, to] with edges[i] ≥ limit, or `to`. */
function firstAtLeast(edges: Float64Array, from: number, to: number, limit: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (edges[middle] >= limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
