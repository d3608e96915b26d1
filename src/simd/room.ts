import { InputError } from '../base/errors.ts';
import type { Layout } from '../layout/layout.ts';
import { groupSize, strandCount } from './groups.ts';
import { MAX_BYTES } from './module.ts';
import { bytesOfWorkspace, type Capacity } from './workspace.ts';

/** Number of arrays of the size of the parameters: parameters, two moments, gradient, panels, transposed panels. */
const COPIES = 6;
/** Allowance for alignment and scratch memory, in bytes. */
const SLACK = 2 ** 20;

const NONE: Capacity = { G: 0, T: 0, K: 0 };

/**
 * Capacity for batches of B sequences of T steps with K inputs; at least the capacity `held` so far, if that fits.
 * Also returns the number of threads, up to `threads`, that have room for a workspace each.
 * @throws InputError if not even one workspace fits; it names a batch size that would fit, if there is one
 */
export function roomFor(
  layout: Layout,
  [B, T, K]: readonly [B: number, T: number, K: number],
  threads = 1,
  held = NONE,
): { capacity: Capacity; threads: number } {
  const { size4 } = layout;
  const copies = COPIES + strandCount(B, size4) - 1;
  const left = MAX_BYTES - 16 * size4 * copies - SLACK;
  const bytesOf = (capacity: Capacity): number => bytesOfWorkspace(layout, capacity) + SLACK;
  const needed = { G: groupSize(B, size4), T, K };
  const both = { G: Math.max(needed.G, held.G), T: Math.max(T, held.T), K: Math.max(K, held.K) };
  for (const capacity of [both, needed]) {
    const fit = Math.floor(left / bytesOf(capacity));
    if (fit >= 1) return { capacity, threads: Math.min(threads, fit) };
  }
  let fits = needed.G;
  while (fits > 0 && bytesOf({ G: fits, T, K }) > left) fits--;
  const none = 'not even one sequence of this length fits: use shorter sequences or a smaller model';
  throw tooLarge(`a batch of B=${B}, T=${T}`, MAX_BYTES - left + bytesOf(needed), fits, none);
}

/** The error for sizes above 4 GiB. @param fits number of sequences that would fit @param none advice if that is 0 */
export function tooLarge(what: string, bytes: number, fits: number, none: string): InputError {
  const advice = fits ? `a batch of up to ${fits} sequences of this length would fit` : none;
  const gib = (bytes / 2 ** 30).toFixed(1);
  return new InputError(`${what} needs ${gib} GiB, but WebAssembly has at most 4 GiB: ${advice}.`);
}
