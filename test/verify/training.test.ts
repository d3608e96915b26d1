import { test } from 'vitest';
import { describeEach, TRAINING_VARIANTS } from '../support/engines.ts';
import { CONTROLLERS, expectSameLosses, MEMORIES, setsOf } from '../support/training-parity.ts';

/** Trains every memory with every controller, and three presets, on each variant that has its own training kernels. */

describeEach(TRAINING_VARIANTS, engine => {
  test.each(MEMORIES.flatMap(memory => CONTROLLERS.map(controller => [memory, controller] as const)))(
    'fifty losses of %s, %s equal those of the reference',
    (memory, controller) => expectSameLosses(engine(), 'reverse', setsOf(memory, controller)),
  );
  test.each(['reverse', 'tutorial-part5', 'tutorial-part6'])(
    'fifty losses of %s equal those of the reference',
    name => expectSameLosses(engine(), name, ['seed=2']),
  );
});
