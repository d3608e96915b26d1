import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { PROFILE_NAMES } from '../../src/gpu/profile.ts';
import { makeSpec } from '../support/batches.ts';
import { openGpuEngine } from '../support/device.ts';
import { compareMemory, KINDS, memoryTruth, RANGES, TOLERANCE } from '../support/memory-parity.ts';
import { expectSameForward, expectSameGradients, FEW, SPECS } from '../support/model-parity.ts';

/**
 * Compares the kernels with the reference on another software adapter, Mesa's lavapipe. Its
 * subgroups have 8 invocations (SwiftShader's have 4), and it has another compiler.
 */

const FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** The driver file for the Vulkan loader. */
const icd =
  process.env['PUSHDOWN_LAVAPIPE'] ??
  FOLDERS.filter(existsSync)
    .flatMap(folder => readdirSync(folder).map(file => join(folder, file)))
    .find(file => /lvp_icd.*\.json$/.test(file));
const missing = 'lavapipe: skipped, because it is not installed (Debian: mesa-vulkan-drivers 24 or newer)';

describe.skipIf(!icd)(icd ? 'lavapipe' : missing, () => {
  const reference = createReferenceEngine();

  describe.each(PROFILE_NAMES)('as on: %s', profile => {
    let engine: Engine;
    beforeAll(async () => {
      process.env['VK_DRIVER_FILES'] = icd;
      process.env['VK_ICD_FILENAMES'] = icd;
      // LLVM takes minutes for the largest fused kernel of the lane form.
      engine = await openGpuEngine({ profile, compileSeconds: 1200 });
    });
    afterAll(() => engine?.destroy());

    test('the adapter is lavapipe', () => expect(engine.adapter.name).toMatch(/^lavapipe/));

    describe.each(KINDS)('%s', kind => {
      test.each(Object.keys(RANGES))('strengths %s', async range => {
        for (const [B, T, M] of [
          [1, 1, 1],
          [7, 65, 2],
          [2, 300, 4],
          [5, 64, 100],
        ]) {
          const differences = await compareMemory(engine, memoryTruth(kind, T, M, range), B);
          for (const [tensor, difference] of Object.entries(differences))
            expect(difference, `${tensor} at B=${B}, T=${T}, M=${M}`).toBeLessThanOrEqual(TOLERANCE);
        }
      });
    });

    test.each(FEW)('%s: forward pass and gradients', async name => {
      const pair = [engine, reference];
      await expectSameForward(pair, makeSpec(SPECS[name]));
      await expectSameGradients(pair, makeSpec(SPECS[name]));
    });
  });
});
