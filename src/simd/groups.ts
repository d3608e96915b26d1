import type { Batch } from '../base/dims.ts';

/** Sequences of a batch that go through all time steps together, the longest first. */
export interface Group {
  /** Numbers in the batch of its sequences: of slot 0, 1 … */
  order: number[];
  /** Time steps of each slot, and of the longest. */
  lengths: number[];
  T: number;
  /** At each time step: sequences that are not over, which are the first slots; rows before it. */
  active: number[];
  first: number[];
  /** Rows in all: one for each time step of each sequence. */
  rows: number;
}

/** Rows that the kernels of products are fast with. */
const MOST = 16;
/** A model of this many vec4s of parameters spends far more on a step than threads cost: its groups are smaller, so that there are more. */
const LARGE4 = 10_000;
const LEAST_OF_LARGE = 5;
const GROUPS_OF_LARGE = 8;

/** Sequences of a group at most. It depends on batch and model alone, so that sums are those of any machine and any number of threads. */
export function groupSize(B: number, size4: number): number {
  const wanted =
    size4 < LARGE4 ? MOST : Math.min(MOST, Math.max(LEAST_OF_LARGE, Math.ceil(B / GROUPS_OF_LARGE)));
  return Math.ceil(B / Math.ceil(B / wanted));
}

/** @param size4 vec4s of the parameters of the model */
export function groupsOf({ B, lengths }: Pick<Batch, 'B' | 'lengths'>, size4: number): Group[] {
  const sorted = Array.from({ length: B }, (_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const count = Math.ceil(B / groupSize(B, size4));
  const groups: Group[] = [];
  for (let g = 0; g < count; g++) {
    // Like dealt cards: every group has long ones and short ones, and takes as long as the others.
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
 * Strands of a batch: groups 0, S, 2S …, then 1, S + 1 …. The groups of a strand go one after the other into one gradient, so
 * that the sum has the same order on any number of threads, which take whole strands.
 */
export function strandCount(B: number, size4: number): number {
  const groups = Math.ceil(B / groupSize(B, size4));
  const fit = Math.max(1, Math.floor(MOST_GRADIENT_BYTES / (16 * size4)));
  return Math.min(groups, MOST_STRANDS, fit);
}
