import { test } from 'vitest';
import { describeEach, TRAINING_VARIANTS } from '../support/engines.ts';
import { CONTROLLERS, expectSameLosses, MEMORIES, testSameLosses } from '../support/training-parity.ts';

/** Trains every memory with every controller, and three presets, on each variant that has its own training kernels. */

describeEach(TRAINING_VARIANTS, (engine, variant) => {
  for (const memory of MEMORIES)
    for (const controller of CONTROLLERS) testSameLosses(engine, variant, memory, controller);
  test.each(['reverse', 'tutorial-part5', 'tutorial-part6'])(
    'fifty losses of %s equal those of the reference',
    name => expectSameLosses(engine(), name, ['seed=2']),
  );
});
