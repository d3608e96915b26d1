import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { trainingBatch } from '../../src/train/model.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { openGpuEngines } from '../support/device.ts';
import { describeEach, inTurn, RUN_VARIANTS, TRAINING_VARIANTS } from '../support/engines.ts';
import { firstReports } from '../support/first-reports.ts';
import {
  CONTROLLERS,
  expectSameLosses,
  MEMORIES,
  STEPS,
  testSameLosses,
} from '../support/training-parity.ts';

/** Compares training on every engine with training in the reference, and with a second run on the same engine. */

describeEach(TRAINING_VARIANTS, (engine, variant) => {
  // Each GPU variant trains a share of the memories; other engines, which compile no kernels, train all of them. The
  // three controllers alternate. All combinations are in test/verify/training.test.ts.
  const place = TRAINING_VARIANTS.indexOf(variant);
  const onGpu = TRAINING_VARIANTS.filter(({ gpu }) => gpu).length;
  const memories = variant.gpu ? inTurn(MEMORIES, place, onGpu) : MEMORIES;
  const models = memories.map(
    (memory, k) => [memory, CONTROLLERS[(k + place) % CONTROLLERS.length]] as const,
  );
  for (const [memory, controller] of models) testSameLosses(engine, variant, memory, controller);
});

/** A small model, whose kernels compile fast. `npm run verify` compares the preset as it is. */
const SMALL = ['hidden=7', 'width=3'];

describeEach(RUN_VARIANTS, (engine, { gpu }) => {
  test.each(['tutorial-part5', 'tutorial-part6'])('fifty losses of %s equal those of the reference', name =>
    expectSameLosses(engine(), name, ['seed=2']),
  );

  test('the same seed gives exactly the same losses', async () => {
    const [first, second] = [
      await firstReports(engine(), 'reverse', STEPS, SMALL),
      await firstReports(engine(), 'reverse', STEPS, SMALL),
    ];
    expect(second).toEqual(first);
  });

  test('a resumed run equals the uninterrupted one, wherever it was interrupted', async () => {
    const config = assign(preset('reverse'), [
      ...SMALL,
      'steps=40',
      'reportEvery=8',
      'evaluateEvery=16',
      'batch=4',
    ]);
    const whole = await Trainer.start(engine(), config);
    await whole.run();
    for (const cut of [5, 16]) {
      const interrupted = await Trainer.start(engine(), assign(config, [`steps=${cut}`]));
      await interrupted.run();
      const checkpoint = decodeCheckpoint(encodeCheckpoint(await interrupted.snapshot()));
      const resumed = await Trainer.resume(engine(), { ...checkpoint, config });
      await resumed.run();
      const [a, e] = [await resumed.snapshot(), await whole.snapshot()];
      expect(a.state).toEqual(e.state);
    }
  });

  test('a step that is not finite changes nothing but the step number, and its report says so', async () => {
    const config = assign(preset('reverse'), SMALL);
    const { task, spec } = setup(config);
    const model = await engine().model(spec, config.train, initialState(spec, config.train));
    const batch = trainingBatch(task, config, 0, 10);
    const before = await model.state();
    // On the GPU, weights whose sum overflows float32; on other engines, infinity.
    const overflowing = gpu ? 3e38 : Number.POSITIVE_INFINITY;
    await model.step({ ...batch, weight: batch.weight.map(() => overflowing) });
    await model.step({ ...batch, weight: batch.weight.map(() => Number.NaN) });
    const reports = await model.reports();
    expect(reports.map(({ finite }) => finite)).toEqual([false, false]);
    // The failed step can be inspected.
    const gradients = [...(await model.gradients())];
    expect(gradients.some(([, values]) => values.some(value => !Number.isFinite(value)))).toBe(true);
    const after = await model.state();
    expect(after).toEqual({ ...before, step: 2 });
    await model.step(batch);
    expect((await model.reports())[0].finite).toBe(true);
    model.destroy();
  });

  test('a batch that is larger than all earlier ones gets larger buffers, and later results are the same', async () => {
    const config = preset('tutorial-part5');
    const { task, spec } = setup(config);
    const model = await engine().model(spec, config.train, initialState(spec, config.train));
    const small = model.bytes;
    const batches = [2, 30, 5].map((length, k) => trainingBatch(task, config, k, length));
    const first = [];
    for (const batch of batches) first.push((await model.forward(batch)).report);
    const second = [];
    for (const batch of batches) second.push((await model.forward(batch)).report);
    expect(second).toEqual(first);
    expect(model.bytes).toBeGreaterThan(small);
    model.destroy();
  });
});

test('sizes that exceed the limits of the device are refused before the first step, and the message names them', async () => {
  const { on } = await openGpuEngines();
  const gpu = on();
  const huge = assign(preset('reverse'), ['hidden=4', 'batch=65536', 'maxLength=100000']);
  await expect(Trainer.start(gpu, huge)).rejects.toThrow(
    /(acts|grads) \(B=65536, T=200002\) needs .* MiB but this device binds at most .*: a batch of up to \d+ sequences of this length would fit/,
  );
  const wide = assign(preset('reverse'), ['hidden=4096']);
  const fused = on({ plan: 'fused' });
  await expect(Trainer.start(fused, wide)).rejects.toThrow(
    /model.hidden 4096.* bytes of workgroup memory in the fused plan.*--plan stepwise/,
  );
  await expect(gpu.memory({ kind: 'stack', B: 65_536, T: 65_536, M: 64 })).rejects.toThrow(
    /memory \(B=65536.*\), \w+ needs .* MiB but this device binds at most/,
  );
  gpu.destroy();
});
