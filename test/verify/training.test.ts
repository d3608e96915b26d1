import { test } from 'vitest';
import { describeEach, TRAINING_PROFILES } from '../support/engines.ts';
import { CONTROLLERS, expectSameLosses, MEMORIES, setsOf } from '../support/training-parity.ts';

/** Every memory with every controller, and every preset, in each way of training. */

describeEach(TRAINING_PROFILES, engine => {
  test.each(MEMORIES.flatMap(memory => CONTROLLERS.map(controller => [memory, controller] as const)))(
    'fifty losses of %s, %s',
    (memory, controller) => expectSameLosses(engine(), 'reverse', setsOf(memory, controller)),
  );
  test.each(['reverse', 'tutorial-part5', 'tutorial-part6'])('fifty losses of %s', name =>
    expectSameLosses(engine(), name, ['seed=2']),
  );
});
