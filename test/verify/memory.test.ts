import { describe, expect, test } from 'vitest';
import { memoryKind } from '../../src/base/memories.ts';
import { describeEach, MEMORY_VARIANTS } from '../support/engines.ts';
import { compareMemory, KINDS, memoryTruth, RANGES, TOLERANCE } from '../support/memory-parity.ts';

/**
 * Compares memories at every T with every M, B and range of strengths (test/parity/memory.test.ts takes
 * fewer sizes), as long as the steps of all sequences together, B·T, do not exceed `maxSteps.verify`.
 *
 * Each process compares one kind, so that the kinds run in parallel.
 */
const KIND = KINDS.find(kind => kind === process.env['PUSHDOWN_MEMORY']);
if (!KIND) throw new Error(`PUSHDOWN_MEMORY must be one of ${KINDS.join(', ')}.`);

/** Memories with cells have 40 cells here: at B = 300, T = 1000, M = 100 one would need 4.9 GiB. */
const MAX_STEPS_WITH_CELLS = 30_000;

const STEPS = [1, 2, 31, 32, 33, 63, 64, 65, 1000];

const variants = MEMORY_VARIANTS.filter(({ hasMemory }) => hasMemory(KIND));
describeEach(variants, (engine, { maxSteps }) => {
  describe(KIND, () => {
    const most = memoryKind(KIND).rows ? maxSteps.verify : Math.min(maxSteps.verify, MAX_STEPS_WITH_CELLS);
    describe.each(Object.keys(RANGES))('strengths %s', range => {
      test.each(STEPS)('T = %i', async T => {
        for (const M of [1, 2, 32, 100]) {
          const truth = memoryTruth(KIND, T, M, range);
          for (const B of [1, 7, 300]) {
            if (B * T > most) continue;
            for (const [tensor, difference] of Object.entries(await compareMemory(engine(), truth, B))) {
              expect(difference, `${tensor} at B=${B}, T=${T}, M=${M}`).toBeLessThanOrEqual(TOLERANCE);
            }
          }
        }
      });
    });
  });
});
