import { beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { openGpu } from '../support/device.ts';
import { compareMemory, FORMS, nameOf, RANGES, TOLERANCE } from '../support/memory-parity.ts';

/** The largest sizes of test/parity/memory.test.ts in the forms that software adapters are slow at. */

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});

describe.each(FORMS.filter(({ form }) => form === 'block').map(form => [nameOf(form), form] as const))(
  '%s',
  (_, form) => {
    test.each(Object.keys(RANGES))('strengths %s, B = 300', async range => {
      for (const T of [63, 64, 65, 1000]) {
        for (const M of [1, 2, 32, 100]) {
          const differences = await compareMemory(gpu, { kind: 'stack', B: 300, T, M }, form, range);
          for (const [name, difference] of Object.entries(differences)) {
            expect(difference, `${name} at T=${T}, M=${M}`).toBeLessThanOrEqual(TOLERANCE);
          }
        }
      }
    });
  },
);
