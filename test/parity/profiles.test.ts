import { describe, expect, test } from 'vitest';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { PROFILE_NAMES } from '../../src/gpu/profile.ts';
import { makeSpec } from '../support/batches.ts';
import { describeEach, PROFILE_VARIANTS } from '../support/engines.ts';
import { compareMemory, KINDS, memoryTruth, TOLERANCE } from '../support/memory-parity.ts';
import { expectSameGradients, FEW, LENGTHS, SPECS } from '../support/model-parity.ts';

/**
 * Compares the plans, forms and tiles that each profile chooses with the reference, on this machine's adapter.
 * `npm run verify` runs all kernel tests with each GPU profile.
 */

const reference = createReferenceEngine();

test('every profile is compared', () => expect(PROFILE_VARIANTS).toHaveLength(PROFILE_NAMES.length));

describeEach(PROFILE_VARIANTS, (engine, variant) => {
  const engines = () => [engine(), reference] as const;

  // model.test.ts and model-stepwise.test.ts compare all models, in forced forms; here each profile takes a share of
  // FEW.
  const place = PROFILE_VARIANTS.indexOf(variant);
  test.each(FEW.filter((_, k) => k % PROFILE_VARIANTS.length === place))('%s: gradients', name =>
    expectSameGradients(engines(), makeSpec(SPECS[name])),
  );

  // The stepwise plan of each profile, with tiles that do not divide the batch; and a model wide enough for 256
  // invocations in the fused plan of a GPU.
  const controller = (['lstm', 'gru'] as const)[place % 2];
  test(`a wide ${controller}: gradients`, async () => {
    const spec = makeSpec({ controller, hidden: 136, width: 20, memory: 'deque', embedding: 5, readout: 6 });
    const lengths = [...LENGTHS, 3, 4, 5, 6];
    if (PROFILE_NAMES[place] === 'gpu') await expectSameGradients(engines(), spec, { lengths });

    const stepwise = await variant.open({ plan: 'stepwise' });
    await expectSameGradients([stepwise, reference], spec, { lengths });
    stepwise.destroy();
  });

  // memory.test.ts compares the form that the software profile chooses, at more sizes.
  const kinds = PROFILE_NAMES[place] === 'software' ? [] : KINDS;
  describe.each(kinds)('a %s by itself', kind => {
    // Stacks and queues use the form parallel over time from 64 steps on.
    test.each([
      [1, 1, 36],
      [7, 33, 36],
      [3, 63, 36],
      [2, 300, 36],
    ])('B = %i, T = %i, M = %i', async (B, T, M) => {
      const differences = await compareMemory(engine(), memoryTruth(kind, T, M, 'uniform'), B);
      for (const [tensor, difference] of Object.entries(differences))
        expect(difference, tensor).toBeLessThanOrEqual(TOLERANCE);
    });
  });
});
