import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeConfig, type TrainConfig } from '../../src/base/config.ts';
import { initialise, type ModelSpec, type Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import type { Engine, Forward, Model, ModelState } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { openGpuEngine } from '../support/device.ts';

/**
 * The fused plan against the reference: everything a forward pass leaves, the gradients of all parameters (an SGD
 * step of rate 1 without clipping is the gradient), and the update rules.
 *
 * Tolerance: 2e-5 of a tensor's largest number. float32 rounds at 6e-8, WGSL grants exp, and with it tanh and σ,
 * some 5e-7, and a chain of T = 9 steps through weights of order 1 amplifies them.
 */
const TOLERANCE = 2e-5;

const PLANS: [string, GpuOptions][] = [
  ['fused, lane', { form: { form: 'lane', size: 4, subgroups: false } }],
  ['fused, block', { form: { form: 'block', size: 32, subgroups: false } }],
  ['fused, block with subgroups', { form: { form: 'block', size: 64, subgroups: true } }],
  ['stepwise, lane', { plan: 'stepwise', form: { form: 'lane', size: 8, subgroups: false } }],
  ['stepwise, block', { plan: 'stepwise', form: { form: 'block', size: 32, subgroups: false } }],
];

const SPECS: Record<string, Partial<ModelSpec>> = {
  'direct, softmax, trained start': {},
  wide: { hidden: 33, width: 8, inputs: 11, outputs: 9 },
  'deeper, tanh, one-hot start (tutorial part 5)': { deeper: 6, output: 'tanh', start: 'one-hot' },
  'deeper, auto-encoder, σ, zero start (tutorial part 6)': {
    deeper: 7,
    output: 'sigmoid',
    autoencoder: true,
    start: 'zero',
  },
  'direct, auto-encoder': { autoencoder: true, width: 4, hidden: 8 },
  smallest: { hidden: 1, width: 1, inputs: 1, outputs: 1, output: 'sigmoid' },
  'feed-forward, queue': { controller: 'feedforward', memory: 'queue' },
  'gru, deque': { controller: 'gru', memory: 'deque' },
  'two gru layers, one-hot start, auto-encoder': {
    controller: 'gru',
    layers: 2,
    start: 'one-hot',
    autoencoder: true,
  },
  'lstm, two deques, deeper': { controller: 'lstm', memory: 'deque', memories: 2, deeper: 6, width: 5 },
  'three lstm layers, three stacks': { controller: 'lstm', layers: 3, memories: 3 },
  'two lstm layers, no memory, auto-encoder': {
    controller: 'lstm',
    layers: 2,
    memory: 'none',
    autoencoder: true,
    deeper: 5,
  },
  // What is hoisted out of the loop is not part of the form that is written out.
  'embedding and readout, queue': { embedding: 5, readout: 6, memory: 'queue' },
  // Rows that end within a round of a workgroup's invocations.
  'wide rows, deque': { memory: 'deque', width: 20 },
  'embedding, two layers, deeper, deque': { embedding: 3, layers: 2, deeper: 4, memory: 'deque' },
  'readout, no memory': { readout: 7, memory: 'none', controller: 'gru' },
};

/** Whether a plan computes a model at all. */
const takes = ({ form, plan }: GpuOptions, spec: ModelSpec): boolean =>
  plan === 'stepwise' || form?.form === 'block' || (spec.embedding === 0 && spec.readout === 0);

/** Push and pop biases that saturate strengths to exactly 0 or 1 in float32, and so make ties. */
const SATURATED: [string, number, number][] = [
  ['push 1, pop 0', 60, -60],
  ['push 1, pop 1', 60, 60],
  ['push 0, pop 1', -60, 60],
  ['push 0, pop 0', -60, -60],
];

const LENGTHS = [9, 1, 5, 9, 2, 7, 3];

const PLAIN: Partial<TrainConfig> = { optimiser: 'sgd', rate: 1, clip: 'none' };

function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let most = 0;
  let largest = 0;
  for (let k = 0; k < expected.length; k++) {
    const apart = Math.abs(actual[k] - expected[k]);
    most = Math.max(most, Number.isFinite(apart) ? apart : Infinity);
    largest = Math.max(largest, Math.abs(expected[k]));
  }
  return most === 0 ? 0 : most / Math.max(largest, 1e-6);
}

const startOf = (spec: ModelSpec): ModelState => {
  const parameters = initialise(spec, 7);
  const rng = new Rng(7, 99);
  // Biases that start at 0 would hide an error in their place.
  for (const values of parameters.values()) {
    values.forEach((x, k) => {
      values[k] = Math.fround(x + 0.6 * rng.uniform() - 0.3);
    });
  }
  return { step: 0, parameters, mean: new Map(), square: new Map() };
};

const configOf = (train: Partial<TrainConfig>): TrainConfig => makeConfig({ train }).train;

async function models(engines: Engine[], spec: ModelSpec, train: Partial<TrainConfig>): Promise<Model[]> {
  return Promise.all(engines.map(engine => engine.model(spec, configOf(train), startOf(spec))));
}

function expectSame(actual: Tensors, expected: Tensors, tolerance: number): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected) {
    expect(difference(actual.get(name)!, values), name).toBeLessThanOrEqual(tolerance);
  }
}

const minus = (a: Tensors, b: Tensors): Tensors =>
  new Map([...a].map(([name, values]) => [name, values.map((x, k) => x - b.get(name)![k])]));

const cpu = createCpuEngine();

describe.each(PLANS)('%s', (_, options) => {
  let gpu: Engine;
  beforeAll(async () => {
    gpu = await openGpuEngine(options);
  });
  afterAll(() => gpu.destroy());

  describe.each(Object.entries(SPECS).filter(([, partial]) => takes(options, makeSpec(partial))))(
    '%s',
    (_, partial) => {
      const spec = makeSpec(partial);
      const batch = randomBatch(new Rng(3, 1), spec, LENGTHS);

      test('forward', async () => {
        const [ours, truth] = await models([gpu, cpu], spec, PLAIN);
        const [a, e] = await Promise.all([ours, truth].map(model => model.forward(batch, true)));
        for (const key of ['push', 'pop'] as const) {
          expect(difference(a[key], e[key]), key).toBeLessThanOrEqual(TOLERANCE);
        }
        expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
        expect(difference(a.trace!.read, e.trace!.read), 'read').toBeLessThanOrEqual(TOLERANCE);
        const flat = (f: Forward): number[] => f.trace!.strengths.flat(2).flatMap(row => [...row]);
        expect(difference(flat(a), flat(e)), 'strengths').toBeLessThanOrEqual(TOLERANCE);
        expect([...a.predicted]).toEqual([...e.predicted]);
        for (const [name, value] of Object.entries(e.report)) {
          const got = Number(a.report[name as keyof typeof a.report]);
          expect(difference([got], [Number(value)]), name).toBeLessThanOrEqual(TOLERANCE);
        }
      });

      test('gradients', async () => {
        const pair = await models([gpu, cpu], spec, PLAIN);
        for (const model of pair) model.step(batch);
        const [a, e] = await Promise.all(pair.map(async model => (await model.state()).parameters));
        const start = startOf(spec).parameters;
        expectSame(minus(start, a), minus(start, e), 5 * TOLERANCE);
        const [[ours], [truth]] = await Promise.all(pair.map(model => model.reports()));
        expect(ours.gradientNorm / truth.gradientNorm).toBeCloseTo(1, 4);
        expect(ours.finite).toBe(true);
      });
    },
  );

  // More than there are invocations that go back over them, or rows of a tile.
  test.each(['stack', 'queue', 'deque'] as const)('gradients of 75 sequences, %s', async memory => {
    for (const controller of ['rnn', 'lstm'] as const) {
      const spec = makeSpec({ memory, controller });
      const lengths = Array.from({ length: 75 }, (_, b) => LENGTHS[b % LENGTHS.length]);
      const batch = randomBatch(new Rng(3, 1), spec, lengths);
      const pair = await models([gpu, cpu], spec, PLAIN);
      for (const model of pair) model.step(batch);
      const [a, e] = await Promise.all(pair.map(async model => (await model.state()).parameters));
      const start = startOf(spec).parameters;
      expectSame(minus(start, a), minus(start, e), 5 * TOLERANCE);
    }
  });

  test.each(
    (['stack', 'queue', 'deque'] as const).flatMap(kind =>
      SATURATED.map(([name, push, pop]) => [kind, name, push, pop] as const),
    ),
  )('saturated strengths: %s, %s', async (memory, _, push, pop) => {
    const spec = makeSpec({ hidden: 8, memory });
    const state = startOf(spec);
    // float64 gets as near to 1 as float32 to its 1 only where the noise does not matter.
    state.parameters.get('b_d')!.fill(push);
    state.parameters.get('b_u')!.fill(pop);
    const batch = { ...randomBatch(new Rng(3, 1), spec, LENGTHS), noise: undefined };
    const pair = await Promise.all([gpu, cpu].map(engine => engine.model(spec, configOf(PLAIN), state)));
    const [a, e] = await Promise.all(pair.map(model => model.forward(batch, true)));
    expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
    for (const model of pair) model.step(batch);
    const [ours, truth] = await Promise.all(pair.map(async model => (await model.state()).parameters));
    expectSame(minus(state.parameters, ours), minus(state.parameters, truth), 5 * TOLERANCE);
  });

  test.each(['softmax', 'tanh', 'sigmoid'] as const)('sums of ±10,000 are safe: %s', async output => {
    const spec = makeSpec({ hidden: 8, memory: 'stack', output });
    const state = startOf(spec);
    // tanh, σ and the outputs at their ends: nothing overflows, and each is as right as in the middle.
    for (const name of ['b_h', 'b_d', 'b_u', 'b_v', 'b_o']) {
      state.parameters.get(name)!.forEach((_, i, all) => {
        all[i] = i % 2 ? 1e4 : -1e4;
      });
    }
    const batch = { ...randomBatch(new Rng(3, 1), spec, LENGTHS), noise: undefined };
    const pair = await Promise.all([gpu, cpu].map(engine => engine.model(spec, configOf(PLAIN), state)));
    const [a, e] = await Promise.all(pair.map(model => model.forward(batch, true)));
    expect(a.report.finite).toBe(true);
    expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
    expect(a.report.loss / e.report.loss).toBeCloseTo(1, 5);
    for (const model of pair) model.step(batch);
    const [[ours], [truth]] = await Promise.all(pair.map(model => model.reports()));
    expect(ours.finite).toBe(true);
    expect(ours.objective / truth.objective).toBeCloseTo(1, 5);
  });

  test.each<[string, Partial<TrainConfig>]>([
    ['adam, clipped by norm', { optimiser: 'adam', rate: 0.01, clip: 'norm', clipAt: 0.1 }],
    ['adamw', { optimiser: 'adamw', rate: 0.01, clip: 'norm', weightDecay: 0.5 }],
    ['rmsprop, clipped by value', { optimiser: 'rmsprop', rate: 0.01, clip: 'value', clipAt: 0.05 }],
    ['sgd, growing push bias', { optimiser: 'sgd', rate: 0.1, clip: 'none', pushBiasGrowth: 0.01 }],
  ])('three steps of %s', async (_, train) => {
    const spec = makeSpec();
    const pair = await models([gpu, cpu], spec, train);
    for (let k = 0; k < 3; k++) {
      const batch = randomBatch(new Rng(3, 1, k), spec, LENGTHS);
      for (const model of pair) model.step(batch);
    }
    const [a, e] = await Promise.all(pair.map(model => model.state()));
    expect(a.step).toBe(3);
    expectSame(a.parameters, e.parameters, TOLERANCE);
    expectSame(a.mean, e.mean, 10 * TOLERANCE);
    expectSame(a.square, e.square, 10 * TOLERANCE);
  });
});
