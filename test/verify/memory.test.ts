import { beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { openGpu } from '../support/device.ts';
import {
  compareMemory,
  FORMS,
  KINDS,
  memoryTruth,
  nameOf,
  RANGES,
  TOLERANCE,
} from '../support/memory-parity.ts';

/** The largest sizes of test/parity/memory.test.ts in the forms that software adapters are slow at. */

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});

const BLOCKS = FORMS.filter(({ form }) => form === 'block').map(form => [nameOf(form), form] as const);

describe.each(KINDS)('%s', kind => {
  test.each(Object.keys(RANGES))('strengths %s', async range => {
    for (const T of [63, 64, 65, 1000]) {
      for (const M of [1, 2, 32, 100]) {
        const truth = memoryTruth(kind, T, M, range);
        for (const [name, form] of BLOCKS) {
          for (const B of [7, 300]) {
            const differences = await compareMemory(gpu, truth, B, form);
            for (const [tensor, difference] of Object.entries(differences)) {
              const where = `${name}: ${tensor} at B=${B}, T=${T}, M=${M}`;
              expect(difference, where).toBeLessThanOrEqual(TOLERANCE);
            }
          }
        }
      }
    }
  });
});
