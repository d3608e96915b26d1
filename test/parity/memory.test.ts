import { describe, expect, test } from 'vitest';
import { describeEach, isReduced, MEMORY_VARIANTS } from '../support/engines.ts';
import { compareMemory, KINDS, memoryTruth, RANGES, TOLERANCE } from '../support/memory-parity.ts';

/**
 * Compares memories of every engine, in all forms, with the reference: at sizes on both sides
 * of a block boundary, large batches and long sequences. The range of strengths decides how many rows a read
 * takes and where ties are, so every range is compared at a few of the sizes. Every M has kernels of its own, which
 * take time to compile, so there are only three: rows of numbers, rows of vec4s, and rows too long for the registers of
 * an invocation. Many more sizes, with all ranges, are in test/verify/memory.test.ts.
 */
const CASES = [
  { T: 1, M: 2, B: [1, 7] },
  { T: 2, M: 2, B: [7] },
  { T: 63, M: 2, B: [7] },
  { T: 64, M: 2, B: [7] },
  { T: 65, M: 100, B: [7] },
  { T: 65, M: 32, B: [1, 75] },
  { T: 300, M: 32, B: [7] },
];
const casesOf = (range: string): typeof CASES =>
  range === 'uniform' ? CASES : CASES.filter(({ T, M }) => T === 2 || T === 63 || M === 32);

describeEach(MEMORY_VARIANTS, (engine, variant) => {
  const { hasMemory, maxSteps } = variant;
  const few = isReduced(variant);
  describe.each(KINDS.filter(hasMemory))('%s', kind => {
    test.each(Object.keys(RANGES))('strengths %s', async range => {
      for (const { T, M, B: batches } of casesOf(range).filter(({ M }) => !few || M === 32)) {
        for (const B of batches) {
          const size = Math.min(B, Math.max(1, Math.floor(maxSteps.test / T)));
          const differences = await compareMemory(engine(), memoryTruth(kind, T, M, range), size);
          for (const [tensor, difference] of Object.entries(differences)) {
            const where = `${tensor} at B=${size}, T=${T}, M=${M}`;
            expect(difference, where).toBeLessThanOrEqual(TOLERANCE);
          }
        }
      }
    });
  });

  if (few) return;
  test.each([
    { kind: 'superposition', T: 9, M: 5, depth: 4, reads: 3 },
    { kind: 'superposition', T: 12, M: 32, depth: 7, reads: 7 },
    { kind: 'tape', T: 9, M: 5, depth: 4, reads: 3 },
    { kind: 'tape', T: 12, M: 32, depth: 7, reads: 2 },
    { kind: 'tape', T: 5, M: 4, depth: 1, reads: 1 },
  ] as const)(
    'a $kind of $depth cells, of which $reads are read, M = $M',
    async ({ kind, T, M, ...cells }) => {
      if (!hasMemory(kind)) return;
      const differences = await compareMemory(engine(), memoryTruth(kind, T, M, 'uniform', cells), 11);
      for (const [tensor, difference] of Object.entries(differences))
        expect(difference, tensor).toBeLessThanOrEqual(TOLERANCE);
    },
  );
});
