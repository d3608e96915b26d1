import type { Batch } from '../base/dims.ts';

/** Sequences of a batch that are computed together, one time step after another. Sorted by length, longest first. */
export interface Group {
  /** Index in the batch of the sequence at each place 0, 1 … of the group. */
  order: number[];
  /** Time steps of the sequence at each place. */
  lengths: number[];
  /** Time steps of the longest. */
  T: number;
  /** Per time step: number of sequences that have not ended. They are the first ones. */
  active: number[];
  /** Per time step: number of rows of earlier steps. */
  first: number[];
  /** Total rows: one per time step and sequence. */
  rows: number;
}

/** Maximum number of sequences per group: with this number of rows the product kernels are fast. */
const MAX_SIZE = 16;
/**
 * For models with at least this number of vec4s of parameters, a step takes far longer than waking the threads does.
 * Their groups are smaller, so that there are more groups to distribute over the threads.
 */
const LARGE4 = 10_000;
const MIN_SIZE_OF_LARGE = 5;
const GROUPS_OF_LARGE_MODELS = 8;

/**
 * Maximum number of sequences per group. It depends only on batch and model, so that sums are the same on every
 * machine and with any number of threads.
 */
export function groupSize(B: number, size4: number): number {
  const wanted =
    size4 < LARGE4
      ? MAX_SIZE
      : Math.min(MAX_SIZE, Math.max(MIN_SIZE_OF_LARGE, Math.ceil(B / GROUPS_OF_LARGE_MODELS)));
  return Math.ceil(B / Math.ceil(B / wanted));
}

/** Splits a batch into groups of similar total length. @param size4 vec4s of the model's parameters */
export function groupsOf({ B, lengths }: Pick<Batch, 'B' | 'lengths'>, size4: number): Group[] {
  const sorted = Array.from({ length: B }, (_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const count = Math.ceil(B / groupSize(B, size4));
  const groups: Group[] = [];
  for (let g = 0; g < count; g++) {
    // Deal the sorted sequences out in turn, so that the groups take similar times.
    const order = sorted.filter((_, k) => k % count === g);
    const ofGroup = order.map(b => lengths[b]);
    const T = ofGroup[0];
    const active: number[] = [];
    const first: number[] = [];
    let rows = 0;
    let alive = ofGroup.length;
    for (let t = 0; t < T; t++) {
      while (ofGroup[alive - 1] <= t) alive--;
      active.push(alive);
      first.push(rows);
      rows += alive;
    }
    groups.push({ order, lengths: ofGroup, T, active, first, rows });
  }
  return groups;
}

const MAX_STRANDS = 32;
/** Limit for the gradients of all strands together. */
const MAX_GRADIENT_BYTES = 2 ** 28;

/**
 * Number S of strands of a batch. Strand 0 consists of groups 0, S, 2S …; strand 1 of groups 1, S + 1 …. The groups of
 * a strand add to one gradient, in order. A thread takes whole strands, so the order of sums is the same with any
 * number of threads.
 */
export function strandCount(B: number, size4: number): number {
  const groups = Math.ceil(B / groupSize(B, size4));
  const fit = Math.max(1, Math.floor(MAX_GRADIENT_BYTES / (16 * size4)));
  return Math.min(groups, MAX_STRANDS, fit);
}
