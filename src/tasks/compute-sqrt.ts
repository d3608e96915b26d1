import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { lowestFirst, numberOf, randomBits } from './binary.ts';
import type { Task } from './task.ts';

/**
 * Compute sqrt, from Delétang et al. 2023 (context-sensitive; see answering.ts for the format): the square root of a
 * binary number, rounded down, highest bit first (as in the authors' code). Sources of any length ≥ 1, ⌈L/2⌉ outputs.
 * For example, ⌊√37⌋ = 6:
 *
 *   task    compute-sqrt
 *   source  1 0 0 1 0 1
 *   input   1  0  0  1  0  1  ?  ?  ?
 *   target  ·  ·  ·  ·  ·  ·  1  1  0
 *   phase   r  r  r  r  r  r  w  w  .
 *
 * Numbers are uniform over 1 … 2^L − 1, with leading zeros. Loss and metrics are over the ⌈L/2⌉ output steps. `symbols`
 * is ignored.
 */
export function computeSqrt({ name }: TaskConfig): Task {
  const bits = digitNames(2);
  const outputs = (length: number): number => Math.ceil(length / 2);
  return answering({
    name,
    symbolNames: bits,
    outputNames: bits,
    example: '1 0 0 1 0 1',
    source: randomBits,
    targetOf: source => {
      const root = lowestFirst(rootOf(numberOf(source)));
      return Array.from({ length: outputs(source.length) }, (_, i) => root[i] ?? 0).reverse();
    },
    longestTarget: outputs,
  });
}

/** ⌊√value⌋, by Newton's method, starting above the root. */
function rootOf(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
