import { test } from 'vitest';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec } from '../support/batches.ts';
import { describeEach, MODEL_PROFILES } from '../support/engines.ts';
import { expectSameForward, expectSameGradients, FEW, LENGTHS, SPECS } from '../support/model-parity.ts';

/** All models of test/parity/model.test.ts in the forms that are compared on a few there. */

const reference = createReferenceEngine();

describeEach(
  MODEL_PROFILES.filter(({ few }) => few),
  (engine, { takes }) => {
    const engines = () => [engine(), reference] as const;

    const names = Object.keys(SPECS).filter(name => takes(makeSpec(SPECS[name])));
    test.each(names)('%s: forward', name => expectSameForward(engines(), makeSpec(SPECS[name])));
    test.each(names)('%s: gradients', name => expectSameGradients(engines(), makeSpec(SPECS[name])));
  },
);

describeEach(
  MODEL_PROFILES.filter(({ few }) => !few),
  (engine, { takes }) => {
    const names = Object.keys(SPECS).filter(name => !FEW.includes(name) && takes(makeSpec(SPECS[name])));
    test.each(names)('%s: forward', name => expectSameForward([engine(), reference], makeSpec(SPECS[name])));
  },
);

/** More sequences than there are invocations that go back over them, or rows of a tile. */
const LENGTHS_OF_75 = Array.from({ length: 75 }, (_, b) => LENGTHS[b % LENGTHS.length]);

describeEach(MODEL_PROFILES, engine => {
  test.each(
    MEMORY_NAMES.flatMap(memory =>
      (['rnn', 'lstm'] as const).map(controller => [memory, controller] as const),
    ),
  )('gradients of 75 sequences, %s, %s', (memory, controller) =>
    expectSameGradients([engine(), reference], makeSpec({ memory, controller }), { lengths: LENGTHS_OF_75 }),
  );
});
