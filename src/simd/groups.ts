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

/** Sequences of a group at most: their number depends on the batch alone, so that the sums are those of any machine. */
export const groupSize = (B: number): number => Math.ceil(B / Math.ceil(B / 16));

export function groupsOf({ B, lengths }: Pick<Batch, 'B' | 'lengths'>): Group[] {
  const sorted = Array.from({ length: B }, (_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const size = groupSize(B);
  const groups: Group[] = [];
  for (let from = 0; from < B; from += size) {
    const order = sorted.slice(from, from + size);
    const own = order.map(b => lengths[b]);
    const T = own[0];
    const active: number[] = [];
    const first: number[] = [];
    let rows = 0;
    let count = own.length;
    for (let t = 0; t < T; t++) {
      while (own[count - 1] <= t) count--;
      active.push(count);
      first.push(rows);
      rows += count;
    }
    groups.push({ order, lengths: own, T, active, first, rows });
  }
  return groups;
}
