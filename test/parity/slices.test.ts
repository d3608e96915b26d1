import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainConfig } from '../../src/base/config.ts';
import { assign } from '../../src/base/config.ts';
import { endsOf, MEMORY_NAMES, memoryKind } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import type { LayerForm } from '../../src/engine/gpu-memory.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { randomBatch } from '../support/batches.ts';
import { openGpuEngines } from '../support/device.ts';
import { inTurn } from '../support/engines.ts';
import { asControls } from '../support/memory-parity.ts';

/** Passes over time that are cut into slices give exactly the numbers of uncut passes. */

const FORMS: [string, GpuOptions][] = [
  ['lane', { form: { form: 'lane', size: 4, subgroups: false } }],
  ['block', { form: { form: 'block', size: 32, subgroups: false } }],
  ['stepwise', { plan: 'stepwise' }],
];
/** Some sequences end in every slice, and there are more than the lane form's backward pass has invocations. */
const LENGTHS = Array.from({ length: 40 }, (_, b) => 1 + ((7 * b) % 23));

/** Memory, controller and other settings. In `npm test`, each form compares every third model. */
const MODELS = [
  ['queue', 'lstm', ['start=trained']],
  // Only four units, because that compiles in a third of the time.
  ['deque', 'gru', ['memories=2', 'hidden=4']],
  ['superposition', 'lstm', ['hidden=4']],
  ['stack', 'rnn', ['projection=5', 'start=one-hot', 'autoencoder=true', 'output=tanh']],
  ['queue', 'feedforward', []],
  ['none', 'lstm', ['layers=2', 'hidden=4']],
] as const;

describe.each(FORMS)('%s', (name, options) => {
  let on: (options: GpuOptions) => Engine;
  beforeAll(async () => {
    ({ on } = await openGpuEngines());
  });
  afterAll(() => on({}).destroy());

  const place = FORMS.findIndex(([other]) => other === name);
  test.each(inTurn(MODELS, place, FORMS.length))('%s, %s, %j', async (memory, controller, sets) => {
    const config = assign(preset('reverse'), [
      `memory=${memory}`,
      `controller=${controller}`,
      'hidden=6',
      'width=3',
      'symbols=3',
      ...sets,
    ]);
    const { spec } = setup(config);
    const lengths = name === 'block' ? LENGTHS.slice(0, 12) : LENGTHS;
    const run = async (sliceSteps?: number) => {
      const engine = on({ ...options, sliceSteps });
      const model = await engine.model(spec, config.train as TrainConfig, initialState(spec, config.train));
      const rng = new Rng(7, 1);
      for (let step = 0; step < 2; step++) await model.step(randomBatch(rng, spec, lengths));
      const reports = await model.reports();
      const { report, predicted, controls, trace } = await model.forward(
        randomBatch(rng, spec, lengths),
        true,
      );
      const state = await model.state();
      model.destroy();
      return { reports, report, predicted, controls, trace, state };
    };
    const whole = await run();
    for (const steps of name === 'lane' ? [5, 1] : [5]) expect(await run(steps)).toEqual(whole);
  });
});

const MEMORIES: [string, LayerForm][] = [
  ['lane', { form: 'lane', size: 4, subgroups: false }],
  ['block', { form: 'block', size: 32, subgroups: false }],
  ['time', 'time'],
];
describe.each(MEMORIES)('a memory by itself, %s', (name, form) => {
  test.each(MEMORY_NAMES)('%s', async kind => {
    if (name === 'time' && kind !== 'stack' && kind !== 'queue') return;
    const [B, T, M] = [5, 40, name === 'lane' ? 40 : 6];
    const N = B * T * endsOf(kind);
    const rng = new Rng(5, 2);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => rng.uniform());
    const controls = asControls(
      kind,
      memoryKind(kind).controls.map(() => numbers(N)),
    );
    const [value, dRead] = [N * M, N * M].map(numbers);
    const { on } = await openGpuEngines();
    const run = async (sliceSteps: number) => {
      const memory = await on({ memory: form, sliceSteps }).memory({ kind, B, T, M });
      const read = await memory.forward(...controls, value);
      // The strengths after the backward pass has rewound them, and a second backward pass, are compared too.
      const results = [
        read,
        await memory.backward(dRead),
        await memory.strengths(),
        await memory.backward(dRead),
      ];
      memory.destroy();
      return results;
    };
    const whole = await run(T);
    for (const steps of [7, 1]) expect(await run(steps)).toEqual(whole);
    on().destroy();
  });
});
