import { test } from 'vitest';
import { describeEach, TRAINING_VARIANTS } from '../support/engines.ts';
import { CONTROLLERS, expectSameLosses, isUnused, MEMORIES, setsOf } from '../support/training-parity.ts';

/** Trains every memory with every controller, and three presets, on each variant that has its own training kernels. */

describeEach(TRAINING_VARIANTS, (engine, variant) => {
  for (const memory of MEMORIES)
    for (const controller of CONTROLLERS)
      test(`fifty losses of ${memory}, ${controller} equal those of the reference`, ({ skip }) => {
        skip(isUnused(engine(), variant), 'only software adapters use the lane form');
        return expectSameLosses(engine(), 'reverse', setsOf(memory, controller));
      });
  test.each(['reverse', 'tutorial-part5', 'tutorial-part6'])(
    'fifty losses of %s equal those of the reference',
    name => expectSameLosses(engine(), name, ['seed=2']),
  );
});
