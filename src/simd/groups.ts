import type { Batch } from '../base/dims.ts';

/** Sequences of a batch that run through all time steps together, sorted by length, longest first. */
export interface Group {
  /** Index in the batch of the sequence in slot 0, 1 … */
  order: number[];
  /** Time steps of each slot, and of the longest sequence. */
  lengths: number[];
  T: number;
  /** Per time step: number of sequences still running, which are the first slots; and number of rows of earlier steps. */
  active: number[];
  first: number[];
  /** Total rows: one per time step and sequence. */
  rows: number;
}

/** Number of rows at which the product kernels are fast. */
const MOST = 16;
/**
 * Models with at least this many vec4s of parameters spend far more time on a step than threads cost. Their groups are
 * smaller, so that there are more of them to share.
 */
const LARGE4 = 10_000;
const LEAST_OF_LARGE = 5;
const GROUPS_OF_LARGE = 8;

/**
 * Maximum number of sequences per group. It depends on batch and model only, so that sums are the same on any machine
 * and with any number of threads.
 */
export function groupSize(B: number, size4: number): number {
  const wanted =
    size4 < LARGE4 ? MOST : Math.min(MOST, Math.max(LEAST_OF_LARGE, Math.ceil(B / GROUPS_OF_LARGE)));
  return Math.ceil(B / Math.ceil(B / wanted));
}

/** Splits a batch into groups of similar total length. @param size4 vec4s of the model's parameters */
export function groupsOf({ B, lengths }: Pick<Batch, 'B' | 'lengths'>, size4: number): Group[] {
  const sorted = Array.from({ length: B }, (_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const count = Math.ceil(B / groupSize(B, size4));
  const groups: Group[] = [];
  for (let g = 0; g < count; g++) {
    // Deal the sorted sequences out like cards: every group gets long and short ones and takes about equally long.
    const order = sorted.filter((_, k) => k % count === g);
    const own = order.map(b => lengths[b]);
    const T = own[0];
    const active: number[] = [];
    const first: number[] = [];
    let rows = 0;
    let alive = own.length;
    for (let t = 0; t < T; t++) {
      while (own[alive - 1] <= t) alive--;
      active.push(alive);
      first.push(rows);
      rows += alive;
    }
    groups.push({ order, lengths: own, T, active, first, rows });
  }
  return groups;
}

const MOST_STRANDS = 32;
const MOST_GRADIENT_BYTES = 2 ** 28;

/**
 * Number S of strands of a batch. Strand 0 has groups 0, S, 2S …; strand 1 has groups 1, S + 1 …. The groups of a
 * strand add to one gradient in order. Threads take whole strands, so sums have the same order with any number of
 * threads.
 */
export function strandCount(B: number, size4: number): number {
  const groups = Math.ceil(B / groupSize(B, size4));
  const fit = Math.max(1, Math.floor(MOST_GRADIENT_BYTES / (16 * size4)));
  return Math.min(groups, MOST_STRANDS, fit);
}
