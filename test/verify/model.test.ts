import { afterAll, beforeAll, describe, test } from 'vitest';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { makeSpec } from '../support/batches.ts';
import { MODEL_PROFILES } from '../support/engines.ts';
import { expectSameForward, expectSameGradients, SPECS } from '../support/model-parity.ts';

/** All models of test/parity/model.test.ts in the forms that are compared on a few there. */

const reference = createCpuEngine();

describe.each(MODEL_PROFILES.filter(({ few }) => few))('$name', ({ open, takes }) => {
  let engines: [Engine, Engine];
  beforeAll(async () => {
    engines = [await open(), reference];
  });
  afterAll(() => engines[0].destroy());

  const names = Object.keys(SPECS).filter(name => takes(makeSpec(SPECS[name])));
  test.each(names)('%s: forward', name => expectSameForward(engines, makeSpec(SPECS[name])));
  test.each(names)('%s: gradients', name => expectSameGradients(engines, makeSpec(SPECS[name])));
});
