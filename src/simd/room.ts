import { InputError } from '../base/errors.ts';
import { endsOf } from '../base/parameters.ts';
import type { Layout } from '../layout/layout.ts';
import { groupSize } from './groups.ts';
import { MOST_BYTES } from './module.ts';

/** Copies of the parameters: they, two moments, the gradient and that of a group, and panels both ways. */
export const COPIES = 7;

/** Bytes of a group's tensors for each row, for each sequence of T steps. */
export function bytesOfGroup(layout: Layout, T: number, K: number): { row: number; sequence: number } {
  const { spec, S4, R4 } = layout;
  const slots = spec.memories * endsOf(spec.memory) * T;
  let [row, sequence] = [4 * (K + 3) + 16 * (S4 - R4) + 20, 28 * slots];
  for (const { width4, rows } of layout.tensors) {
    if (rows !== 'batch') row += 16 * width4;
    if (rows !== 'steps') sequence += 16 * width4;
  }
  return { row, sequence: sequence + 32 * layout.H4 };
}

/** @throws InputError where a batch does not fit into the memory of WebAssembly, with the batch that would */
export function checkBatchSize(layout: Layout, B: number, T: number, K: number): void {
  const { row, sequence } = bytesOfGroup(layout, T, K);
  const bytesOf = (G: number): number => G * (T * row + sequence) + 4 * T + 65_536;
  const fixed = 16 * layout.size4 * COPIES;
  const bytes = fixed + bytesOf(groupSize(B));
  if (bytes <= MOST_BYTES) return;
  let fits = groupSize(B);
  while (fits > 0 && fixed + bytesOf(fits) > MOST_BYTES) fits--;
  const none = 'not even one sequence of this length fits, so take shorter ones or a smaller model';
  throw tooLarge(`a batch of B=${B}, T=${T}`, bytes, fits, none);
}

/** @param fits sequences that there is room for @param none said where that is none */
export function tooLarge(what: string, bytes: number, fits: number, none: string): InputError {
  const advice = fits ? `a batch of up to ${fits} sequences of this length would fit` : none;
  const gib = (bytes / 2 ** 30).toFixed(1);
  return new InputError(`${what} needs ${gib} GiB, but WebAssembly has at most 4: ${advice}.`);
}
