import { expect, test } from 'vitest';
import type { TrainConfig } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec, randomBatch } from './batches.ts';
import { describeEach, type EngineVariant, isReduced, modelsOf } from './engines.ts';
import {
  configOf,
  difference,
  expectSame,
  expectSameForward,
  expectSameGradients,
  FEW,
  LENGTHS,
  modelsOn,
  ONE_PER_MEMORY,
  PLAIN,
  SPECS,
  startOf,
  TOLERANCE,
} from './model-parity.ts';

/** Push and pop biases that saturate strengths to exactly 1 in float32, or to 1e-26: exact ties and near-ties. */
const SATURATED: [string, number, number][] = [
  ['push 1, pop 0', 60, -60],
  ['push 1, pop 1', 60, 60],
  ['push 0, pop 1', -60, 60],
  ['push 0, pop 0', -60, -60],
];

/** One model for each kind of memory that has rows. */
const OF_MEMORY = {
  stack: 'direct, softmax, trained start',
  queue: 'feed-forward, queue',
  deque: 'gru, deque',
};

const ALL = Object.fromEntries(Object.entries(SPECS).map(([name, model]) => [name, makeSpec(model)]));

const reference = createReferenceEngine();

/** Defines the tests that compare models on these variants; the files that call it run in parallel. */
export const compareModels = (variants: readonly EngineVariant[]): void =>
  describeEach(variants, (engine, variant) => {
    const engines = () => [engine(), reference] as const;

    const few = isReduced(variant) ? ONE_PER_MEMORY : FEW;
    const names = modelsOf(variant, ALL, few);
    // Gradients need a forward pass too. The other results of that pass are
    // compared on a few models here, and on all of them in `npm run verify`.
    test.each(few)('%s: the forward pass agrees with the reference', name =>
      expectSameForward(engines(), makeSpec(SPECS[name])),
    );
    test.each(names)('%s: the gradients agree with the reference', name =>
      expectSameGradients(engines(), makeSpec(SPECS[name])),
    );

    // More sequences than the lane form's backward pass has invocations, and more than a tile has rows.
    test.each(few)('%s: the gradients of 75 sequences agree with the reference', name => {
      const lengths = Array.from({ length: 75 }, (_, b) => LENGTHS[b % LENGTHS.length]);
      return expectSameGradients(engines(), makeSpec(SPECS[name]), { lengths });
    });

    // These depend on code that the variants share.
    if (isReduced(variant)) return;

    test.each(
      (['stack', 'queue', 'deque'] as const).flatMap(kind =>
        SATURATED.map(([name, push, pop]) => [kind, name, push, pop] as const),
      ),
    )('saturated strengths agree with the reference: %s, %s', async (memory, _, push, pop) => {
      const spec = makeSpec(SPECS[OF_MEMORY[memory]]);
      const state = startOf(spec);
      state.parameters.get('b_d')!.fill(push);
      state.parameters.get('b_u')!.fill(pop);
      // Without noise, so that float32 and float64 saturate alike.
      const batch = { ...randomBatch(new Rng(3, 1), spec, LENGTHS), noise: undefined };
      const pair = await Promise.all(engines().map(engine => engine.model(spec, configOf(PLAIN), state)));
      const [a, e] = await Promise.all(pair.map(model => model.forward(batch, true)));
      expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
      await expectSameGradients(engines(), spec, { state, noise: false });
    });

    test.each(['softmax', 'tanh', 'sigmoid'] as const)(
      'sums of ±10,000 do not overflow: %s',
      async output => {
        const spec = makeSpec({ hidden: 8, output });
        const state = startOf(spec);
        // tanh, σ and the outputs saturate: nothing overflows, and each is as accurate as in the middle of its range.
        for (const name of ['b_h', 'b_d', 'b_u', 'b_v', 'b_o']) {
          state.parameters.get(name)!.forEach((_, i, all) => {
            all[i] = i % 2 ? 1e4 : -1e4;
          });
        }
        const batch = { ...randomBatch(new Rng(3, 1), spec, LENGTHS), noise: undefined };
        const pair = await Promise.all(engines().map(engine => engine.model(spec, configOf(PLAIN), state)));
        const [a, e] = await Promise.all(pair.map(model => model.forward(batch, true)));
        expect(a.report.finite).toBe(true);
        expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
        expect(a.report.loss / e.report.loss).toBeCloseTo(1, 5);
        for (const model of pair) await model.step(batch);
        const [[ours], [truth]] = await Promise.all(pair.map(model => model.reports()));
        expect(ours.finite).toBe(true);
        expect(ours.objective / truth.objective).toBeCloseTo(1, 5);
      },
    );

    test.each<[string, Partial<TrainConfig>]>([
      ['adam, clipped by norm', { optimiser: 'adam', rate: 0.01, clip: 'norm', clipAt: 0.1 }],
      ['rmsprop, clipped by value', { optimiser: 'rmsprop', rate: 0.01, clip: 'value', clipAt: 0.05 }],
      ['adamw, halving its rate', { optimiser: 'adamw', rate: 0.04, rateHalfLife: 1, weightDecay: 0.5 }],
      ['sgd, growing push bias', { optimiser: 'sgd', rate: 0.1, clip: 'none', pushBiasGrowth: 0.01 }],
    ])('three steps agree with the reference: %s', async (_, train) => {
      const spec = makeSpec();
      const pair = await modelsOn(engines(), spec, train);
      for (const model of pair) await expect(model.gradients()).rejects.toThrow('call step() first');
      for (let k = 0; k < 3; k++) {
        const batch = randomBatch(new Rng(3, 1, k), spec, LENGTHS);
        for (const model of pair) await model.step(batch);
      }
      const [a, e] = await Promise.all(pair.map(model => model.state()));
      expect(a.step).toBe(3);
      expectSame(a.parameters, e.parameters, TOLERANCE);
      expectSame(a.firstMoment, e.firstMoment, 10 * TOLERANCE);
      expectSame(a.secondMoment, e.secondMoment, 10 * TOLERANCE);

      // Gradients of the third step, before clipping (test/unit/reference.test.ts
      // tests the reference). The result is a copy, which the caller may change.
      const [gradients, expected] = await Promise.all(pair.map(model => model.gradients()));
      expectSame(gradients, expected, 10 * TOLERANCE);
      const copies = structuredClone(gradients);
      for (const values of gradients.values()) values.fill(7);
      expect(await pair[0].gradients()).toEqual(copies);
    });
  });
