import { test } from 'vitest';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec } from '../support/batches.ts';
import { describeEach, MODEL_VARIANTS } from '../support/engines.ts';
import { expectSameForward, expectSameGradients, LENGTHS, SPECS } from '../support/model-parity.ts';

/** All models on all variants of the engines: `npm test` compares most models on one GPU variant only. */

const reference = createReferenceEngine();

/** More sequences than the lane form's backward pass has invocations, and more than a tile has rows. */
const LENGTHS_OF_75 = Array.from({ length: 75 }, (_, b) => LENGTHS[b % LENGTHS.length]);

describeEach(MODEL_VARIANTS, (engine, { supports }) => {
  const engines = () => [engine(), reference] as const;

  const names = Object.keys(SPECS).filter(name => supports(makeSpec(SPECS[name])));
  test.each(names)('%s: forward pass', name => expectSameForward(engines(), makeSpec(SPECS[name])));
  test.each(names)('%s: gradients', name => expectSameGradients(engines(), makeSpec(SPECS[name])));

  test.each(
    MEMORY_NAMES.flatMap(memory =>
      (['rnn', 'lstm'] as const).map(controller => [memory, controller] as const),
    ),
  )('gradients of 75 sequences, %s, %s', (memory, controller) =>
    expectSameGradients(engines(), makeSpec({ memory, controller }), { lengths: LENGTHS_OF_75 }),
  );
});
