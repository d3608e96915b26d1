import { test } from 'vitest';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec } from '../support/batches.ts';
import { describeEach, MODEL_PROFILES } from '../support/engines.ts';
import { expectSameForward, expectSameGradients, LENGTHS, SPECS } from '../support/model-parity.ts';

/** All models in all ways: `npm test` compares most of them in one way only. */

const reference = createReferenceEngine();

/** More sequences than invocations in the backward pass, or rows of a tile. */
const LENGTHS_OF_75 = Array.from({ length: 75 }, (_, b) => LENGTHS[b % LENGTHS.length]);

describeEach(MODEL_PROFILES, (engine, { takes }) => {
  const engines = () => [engine(), reference] as const;

  const names = Object.keys(SPECS).filter(name => takes(makeSpec(SPECS[name])));
  test.each(names)('%s: forward', name => expectSameForward(engines(), makeSpec(SPECS[name])));
  test.each(names)('%s: gradients', name => expectSameGradients(engines(), makeSpec(SPECS[name])));

  test.each(
    MEMORY_NAMES.flatMap(memory =>
      (['rnn', 'lstm'] as const).map(controller => [memory, controller] as const),
    ),
  )('gradients of 75 sequences, %s, %s', (memory, controller) =>
    expectSameGradients(engines(), makeSpec({ memory, controller }), { lengths: LENGTHS_OF_75 }),
  );
});
