import { describe, expect, it } from 'vitest';
import { makeConfig, type TrainConfig } from '../../src/base/config.ts';
import { type Batch, MASKED, NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import {
  countParameters,
  initialise,
  type ModelSpec,
  parameters,
  type Tensors,
  zeros,
} from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import type { ModelState } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';

const training = (train: Partial<TrainConfig> = {}): TrainConfig => makeConfig({ train }).train;
const stateOf = (parameters: Tensors): ModelState => ({
  step: 0,
  parameters,
  firstMoment: new Map(),
  secondMoment: new Map(),
});

/** A model with a constant output: only the output biases are not 0. */
const constantModel = async (spec: ModelSpec, b_o: number[]) => {
  const parameters = zeros(spec);
  parameters.set('b_o', Float64Array.from(b_o));
  return createReferenceEngine().model(spec, training(), stateOf(parameters));
};

const batchOf = (targets: number[][]): Batch => {
  const B = targets.length;
  const T = Math.max(...targets.map(({ length }) => length));
  const target = new Uint32Array(T * B).fill(MASKED);
  targets.forEach((row, b) => {
    row.forEach((y, t) => {
      target[t * B + b] = y;
    });
  });
  return {
    B,
    T,
    K: 1,
    lengths: Uint32Array.from(targets, ({ length }) => length),
    sourceLengths: new Uint32Array(B).fill(1),
    ids: new Uint32Array(T * B).fill(NO_INPUT),
    target,
    weight: new Float32Array(B).fill(1),
    phase: new Uint8Array(T * B),
  };
};

describe('reports', () => {
  it('count correct symbols, symbols before the first error, and completely correct sequences', async () => {
    const model = await constantModel(makeSpec(), [0, 1, 0, 0]); // always predicts 1
    const { report, predicted } = await model.forward(
      batchOf([
        [MASKED, 1, 1, 1, 1], // all correct
        [1, 2, 1, 1], // 1 of 4 before the first error
        [0, 1], // none
      ]),
    );
    expect(report).toMatchObject({ targets: 10, symbols: 10, correct: 8, sequences: 3, coarse: 1 });
    expect(report.fine).toBe(1 + 1 / 4 + 0);
    expect(report.absoluteError).toBe(0);
    const nats = Math.log(3 + Math.E);
    expect(report.loss).toBeCloseTo(10 * nats - 8, 12);
    expect(report.objective).toBeCloseTo(report.loss, 12);
    expect(predicted[0]).toBe(1);
  });

  it('the prediction is the first of equal outputs', async () => {
    const model = await constantModel(makeSpec(), [0, 2, 2, 0]);
    const { predicted, report } = await model.forward(batchOf([[1, 2]]));
    expect([...predicted]).toEqual([1, 1]);
    expect(report.correct).toBe(1);
  });

  it('a zero target counts for loss and absolute error, not for accuracy', async () => {
    const model = await constantModel(makeSpec({ output: 'sigmoid' }), [0, 0, 0, 0]); // always ½
    const { report } = await model.forward(batchOf([[ZERO_TARGET, 0, MASKED]]));
    expect(report).toMatchObject({ targets: 2, symbols: 1, correct: 1, coarse: 1, fine: 1 });
    expect(report.loss).toBe(1); // 2 · 4 · ½ · ¼
    expect(report.absoluteError).toBe(4);
  });

  it('weights count in the objective, not in the loss', async () => {
    const model = await constantModel(makeSpec(), [0, 0, 0, 0]);
    const batch = batchOf([[1], [2]]);
    batch.weight.set([0.5, 3]);
    const { report } = await model.forward(batch);
    expect(report.loss).toBeCloseTo(2 * Math.log(4), 12);
    expect(report.objective).toBeCloseTo(3.5 * Math.log(4), 12);
  });
});

describe('training', () => {
  const spec = makeSpec({ hidden: 8 });
  const batch = randomBatch(new Rng(1, 104), spec, [6, 3, 5], 2, false);

  it.each(['sgd', 'rmsprop', 'adam', 'adamw'] as const)('%s memorises a batch', async optimiser => {
    const train = training({ optimiser, rate: optimiser === 'sgd' ? 0.5 : 0.01 });
    const model = await createReferenceEngine().model(spec, train, stateOf(initialise(spec, 1)));
    for (let step = 0; step < 200; step++) model.step(batch);
    const reports = await model.reports();
    expect(reports).toHaveLength(200);
    expect(reports.at(-1)!.loss).toBeLessThan(reports[0].loss / 10);
    expect(await model.reports()).toEqual([]);
    expect((await model.state()).step).toBe(200);
  });

  it('continues exactly from a state', async () => {
    const engine = createReferenceEngine();
    const open = async (state: ModelState) => engine.model(spec, training(), state);
    const first = await open(stateOf(initialise(spec, 1)));
    for (let step = 0; step < 5; step++) first.step(batch);
    const middle = await first.state();
    for (let step = 0; step < 5; step++) first.step(batch);

    const second = await open(middle);
    for (let step = 0; step < 5; step++) second.step(batch);
    expect(await second.state()).toEqual(await first.state());

    second.load(middle);
    expect(await second.state()).toEqual(middle);
    expect(middle.step).toBe(5);
  });

  it('changes nothing but the step if a gradient is not finite', async () => {
    const parameters = initialise(spec, 1);
    parameters.get('b_o')![0] = Number.NaN;
    const model = await createReferenceEngine().model(
      spec,
      training({ pushBiasGrowth: 0.5 }),
      stateOf(parameters),
    );
    const before = await model.state();
    model.step(batch);
    expect((await model.reports())[0].finite).toBe(false);
    expect(await model.state()).toEqual({ ...before, step: 1 });
  });

  it('returns a copy of the gradients of the last step, before clipping', async () => {
    const gradientsOf = async (clip: 'none' | 'norm' | 'value') => {
      const train = training({ optimiser: 'adam', clip, clipAt: 1e-3 });
      const model = await createReferenceEngine().model(spec, train, stateOf(initialise(spec, 1)));
      await expect(model.gradients()).rejects.toThrow(
        'gradients() needs a training step: call step() first.',
      );
      model.step(batch);
      return { model, gradients: await model.gradients() };
    };
    const { model, gradients } = await gradientsOf('none');
    expect([...gradients.keys()]).toEqual(parameters(spec).map(({ name }) => name));
    for (const clip of ['norm', 'value'] as const) {
      expect((await gradientsOf(clip)).gradients).toEqual(gradients);
    }
    const copy = structuredClone(gradients);
    for (const values of gradients.values()) values.fill(7);
    expect(await model.gradients()).toEqual(copy);
    model.step(batch);
    expect(await model.gradients()).not.toEqual(copy);
  });

  it('an evaluation uses no noise and changes nothing', async () => {
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    const before = await model.state();
    const noise = new Float32Array(batch.T * batch.B * 2).fill(3);
    expect(await model.forward({ ...batch, noise }, true)).toEqual(await model.forward(batch, true));
    expect(await model.state()).toEqual(before);
  });

  it('traces outputs, reads and strengths', async () => {
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    const { trace, controls } = await model.forward(batch, true);
    const { push } = controls;
    expect(trace!.output).toHaveLength(batch.T * batch.B * spec.outputs);
    expect(trace!.read).toHaveLength(batch.T * batch.B * spec.width);
    expect(trace!.strengths.map(memory => memory.map(s => s.map(({ length }) => length)))).toEqual([
      [
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
      ],
    ]);
    expect(trace!.strengths[0][2][4][4]).toBe(push[4 * batch.B + 2]);
  });

  it('traces every end of every memory', async () => {
    const spec = makeSpec({ memory: 'deque', memories: 2, controller: 'gru', layers: 2 });
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    const { trace, controls } = await model.forward(batch, true);
    const { push, pop } = controls;
    const [n, E] = [4 * batch.B + 2, 4];
    expect([push.length, pop.length, trace!.read.length]).toEqual(
      [1, 1, spec.width].map(width => batch.T * batch.B * E * width),
    );
    for (const k of [0, 1]) {
      expect(trace!.strengths[k].map(s => s.map(({ length }) => length))).toEqual([
        [2, 4, 6, 8, 10, 12],
        [2, 4, 6],
        [2, 4, 6, 8, 10],
      ]);
      const s = trace!.strengths[k][2][4];
      expect([s[9], s[0]]).toEqual([push[n * E + 2 * k], push[n * E + 2 * k + 1]]);
    }
  });

  it('the trace of a model without a memory has no controls, reads or strengths', async () => {
    const spec = makeSpec({ memory: 'none', controller: 'lstm' });
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    for (let step = 0; step < 50; step++) model.step(batch);
    const reports = await model.reports();
    expect(reports.at(-1)!.loss).toBeLessThan(reports[0].loss);
    const { trace, controls } = await model.forward(batch, true);
    expect(controls).toEqual({});
    expect([trace!.read.length, trace!.strengths.length]).toEqual([0, 0]);
  });

  it('a model gives its plan and its bytes, and refuses a batch that is too large', async () => {
    const spec = makeSpec({ memory: 'deque', memories: 2, controller: 'lstm', hidden: 64, layers: 8 });
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    expect(model.plan).toBe('literal');
    expect(() => model.reserve(32, 200, 2)).not.toThrow();
    expect(() => model.reserve(64, 1000, 2)).toThrow('a batch of 64 sequences of 1000 steps needs');
    // Parameters, gradients and both of Adam's moments.
    const before = 8 * 4 * countParameters(spec);
    expect(model.bytes).toBe(before);
    model.step({ ...batch, noise: new Float32Array(batch.T * batch.B * 8) });
    expect(model.bytes).toBeGreaterThan(before);
  });

  it('reports what is wrong with a batch or a state', async () => {
    const model = await createReferenceEngine().model(spec, training(), stateOf(initialise(spec, 1)));
    const wrong = (change: (b: Batch) => void) => () => {
      const other = structuredClone(batch);
      change(other);
      model.step(other);
    };
    expect(wrong(b => b.lengths.fill(7, 1, 2))).toThrow('batch.lengths[1] must be from 1 to T = 6, got 7.');
    expect(wrong(b => b.ids.fill(6, 2, 3))).toThrow('batch.ids[0,1,0] must be below D = 6, got 6.');
    expect(wrong(b => b.target.fill(4, 5, 6))).toThrow('batch.target[1,2] must be below V = 4, got 4.');
    expect(wrong(b => b.target.fill(ZERO_TARGET, 0, 1))).toThrow('ZERO_TARGET, which needs squared error');
    expect(wrong(b => Object.assign(b, { weight: new Float32Array(2) }))).toThrow(
      'batch.weight must have B = 3 numbers, got 2.',
    );
    expect(wrong(b => Object.assign(b, { noise: new Float32Array(2) }))).toThrow(
      'batch.noise must have T·B·E·2 = 36 numbers, got 2.',
    );
    expect((await model.state()).step).toBe(0);
    expect(() => model.load(stateOf(new Map()))).toThrow('no parameter W_xh (6·8 numbers)');
  });
});

describe('the memory layer', () => {
  const shape = { kind: 'stack', B: 2, T: 3, M: 1 } as const;
  const push = Float32Array.of(1, 1, 1, 0.75, 0.5, 1);
  const pop = Float32Array.of(0, 0, 2, 0, 0.25, 1);
  const value = Float32Array.of(1, 2, 3, 4, 5, 6);

  it('reads, strengths and gradients of two sequences', async () => {
    const memory = await createReferenceEngine().memory(shape);
    expect([...(await memory.forward(push, pop, value))]).toEqual([1, 2, 3, 3, 4.5, 6]);
    expect((await memory.strengths()).map(s => s.map(row => [...row]))).toEqual([
      [[1], [1, 1], [0, 0, 1]],
      [[0.75], [0.5, 0.5], [0, 0, 1]],
    ]);
    const { dPush, dPop, dValue } = await memory.backward(new Float32Array(6).fill(1));
    expect([...dValue]).toEqual([1, 1, 1, 1.25, 0.5, 1]);
    // Sequence 1, t = 1: row 0 goes from ¾ to ½ and is read whole by the tie rule, so u has gradient −v[0] = −4.
    expect([...dPush]).toEqual([1, 2, 3, 8, 5, 6]);
    expect([...dPop]).toEqual([0, 0, 0, 0, -4, 0]);
  });

  it('reads, strengths and gradients of a queue with the same inputs', async () => {
    const memory = await createReferenceEngine().memory({ ...shape, kind: 'queue' });
    expect([...(await memory.forward(push, pop, value))]).toEqual([1, 1, 3, 3, 4.5, 6]);
    expect((await memory.strengths()).map(s => s.map(row => [...row]))).toEqual([
      [[1], [1, 1], [0, 0, 1]],
      [[0.75], [0.5, 0.5], [0, 0, 1]],
    ]);
    const { dPush, dPop, dValue } = await memory.backward(new Float32Array(6).fill(1));
    expect([...dValue]).toEqual([2, 0, 1, 1.25, 0.5, 1]);
    expect([...dPush]).toEqual([2, 0, 3, 8, 5, 6]);
    expect([...dPop]).toEqual([0, 0, 0, 0, -4, 0]);
  });

  it('a deque has arrays of [B,T,2], the top first', async () => {
    const memory = await createReferenceEngine().memory({ ...shape, kind: 'deque', T: 2, M: 2 });
    // Sequence 0 pushes at the top, sequence 1 at the bottom; both pop ½ there in the second step.
    const push = Float32Array.of(1, 0, 0.25, 0, 0, 1, 0, 0.25);
    const pop = Float32Array.of(0, 0, 0.5, 0, 0, 0, 0, 0.5);
    const value = Float32Array.from({ length: 16 }, (_, n) => n);
    const read = await memory.forward(push, pop, value);
    expect([...read]).toEqual([0, 1, 0, 1, 1, 1.75, 1, 1.75, 10, 11, 10, 11, 8.5, 9.25, 8.5, 9.25]);
    expect((await memory.strengths()).map(s => s.map(row => [...row]))).toEqual([
      [
        [0, 1],
        [0, 0, 0.5, 0.25],
      ],
      [
        [1, 0],
        [0.25, 0.5, 0, 0],
      ],
    ]);
    const { dPush, dPop, dValue } = await memory.backward(new Float32Array(16).fill(1));
    expect([dPush, dPop, dValue].map(({ length }) => length)).toEqual([8, 8, 16]);
    expect([...dValue]).toEqual([3, 3, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 3, 3, 0, 0, 0.5, 0.5]);
    // Each pop takes from the row that both ends read: −2 times the sum of its value.
    expect([...dPop]).toEqual([0, 0, -2, 0, 0, 0, 0, -42]);
    await expect(memory.forward(push.subarray(1), pop, value)).rejects.toThrow('push must have B·T·E = 8');
    await expect(
      memory.forward(
        push,
        pop.map((u, n) => (n === 5 ? -1 : u)),
        value,
      ),
    ).rejects.toThrow('pop[1,0,1] must be a finite number ≥ 0, got -1.');
  });

  it('reports what is wrong with its arrays', async () => {
    const memory = await createReferenceEngine().memory(shape);
    const bad = (n: number, x: number) => push.map((s, i) => (i === n ? x : s));
    await expect(memory.forward(push.subarray(1), pop, value)).rejects.toThrow(
      'push must have B·T = 6 numbers, got 5.',
    );
    await expect(memory.forward(push, pop, push.subarray(2))).rejects.toThrow(
      'value must have B·T·M = 6 numbers, got 4.',
    );
    await expect(memory.forward(bad(4, -1), pop, value)).rejects.toThrow(
      'push[1,1] must be a finite number ≥ 0, got -1.',
    );
    await expect(memory.forward(push, bad(2, Number.NaN), value)).rejects.toThrow('pop[0,2]');
    await expect(memory.forward(push, bad(0, Infinity), value)).rejects.toThrow('pop[0,0]');
    await expect(memory.backward(value)).rejects.toThrow('call forward() first');
    await memory.forward(push, pop, value);
    await expect(memory.backward(value.subarray(1))).rejects.toThrow('dRead must have B·T·M = 6');
    await expect(createReferenceEngine().memory({ ...shape, T: 0 })).rejects.toThrow(
      'T must be an integer ≥ 1',
    );
    await expect(createReferenceEngine().memory({ ...shape, reads: 2 })).rejects.toThrow(
      'memory shape: reads must be an integer from 1 to 1 (a stack has one read per end), got 2.',
    );
    await expect(
      createReferenceEngine().memory({ ...shape, kind: 'tape', depth: 3, reads: 4 }),
    ).rejects.toThrow('reads must be an integer from 1 to 3 (its depth), got 4.');
    await expect(createReferenceEngine().memory({ ...shape, kind: 'heap' as 'stack' })).rejects.toThrow(
      'memory kind must be one of stack, queue, deque, superposition, tape, got "heap".',
    );
  });

  it('is destroyed with its engine', async () => {
    const engine = createReferenceEngine();
    const memory = await engine.memory(shape);
    engine.destroy();
    await expect(memory.forward(push, pop, value)).rejects.toThrow('this engine was destroyed');
  });
});
