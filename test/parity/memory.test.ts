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

/** The memory kernels in all their forms against the reference, over sizes on both sides of every block boundary. */

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});

describe.each(KINDS)('%s', kind => {
  describe.each(Object.keys(RANGES))('strengths %s', range => {
    test.each([1, 2, 63, 64, 65, 1000])('T = %i', async T => {
      for (const M of [1, 2, 32, 100]) {
        const truth = memoryTruth(kind, T, M, range);
        for (const form of FORMS) {
          for (const B of [1, 7, 300]) {
            // A workgroup per sequence costs software adapters 40 µs a step, up to 12 s a pass; `npm run verify` has them.
            if (form.form === 'block' && gpu.software && B * T > 2_000) continue;
            const differences = await compareMemory(gpu, truth, B, form);
            for (const [name, difference] of Object.entries(differences)) {
              expect(difference, `${nameOf(form)}: ${name} at B=${B}, M=${M}`).toBeLessThanOrEqual(TOLERANCE);
            }
          }
        }
      }
    });
  });
});
