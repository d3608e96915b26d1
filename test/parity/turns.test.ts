import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine, MemoryLayer, Model } from '../../src/engine/engine.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { randomBatch } from '../support/batches.ts';
import { RUN_VARIANTS } from '../support/engines.ts';

/** Overlapping calls to a model or a memory give the same results as sequential calls. */

const config = assign(preset('reverse'), ['hidden=6', 'width=3', 'symbols=3']);
const { spec } = setup(config);
const batches = () => {
  const rng = new Rng(7, 1);
  return Array.from({ length: 6 }, (_, k) => randomBatch(rng, spec, [9 + k, 4, 13 - k]));
};
const shape = { kind: 'queue', B: 3, T: 17, M: 5 } as const;
const inputs = (seed: number) => {
  const rng = new Rng(seed, 2);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => rng.uniform());
  const N = shape.B * shape.T;
  return {
    push: numbers(N),
    pop: numbers(N),
    value: numbers(N * shape.M),
    dRead: numbers(N * shape.M),
  };
};

describe.each([
  ...RUN_VARIANTS.map(({ name, open }) => ({ name, open: () => open() })),
  ...RUN_VARIANTS.filter(({ gpu }) => gpu).map(({ name, open }) => ({
    name: `${name}, in slices`,
    open: () => open({ sliceSteps: 4 }),
  })),
])('$name', ({ open: openEngine }) => {
  const withEngine = async <T>(use: (engine: Engine) => Promise<T>): Promise<T> => {
    const engine = await openEngine();
    try {
      return await use(engine);
    } finally {
      engine.destroy();
    }
  };
  const open = (engine: Engine): Promise<Model> =>
    engine.model(spec, config.train, initialState(spec, config.train));

  test('overlapping calls of a model equal sequential calls', () =>
    withEngine(async engine => {
      const [a, b, c, d, e, f] = batches();
      const callsOf = (model: Model) => [
        () => model.forward(a),
        () => model.step(b),
        () => model.forward(c, true),
        () => model.forward(d),
        () => model.state(),
        () => model.step(e),
        () => model.step(f),
        () => model.gradients(),
        () => model.state(),
        () => model.reports(),
        () => model.load(initialState(spec, config.train)),
        () => model.forward(a),
      ];
      const sequential: unknown[] = [];
      for (const call of callsOf(await open(engine))) sequential.push(await call());
      const overlapping = callsOf(await open(engine)).map(call => call());
      // The caller may overwrite the inputs at once.
      for (const { lengths, ids, target, weight } of [a, b, c, d, e, f])
        for (const array of [lengths, ids, target, weight]) array.fill(1);
      expect(await Promise.all(overlapping)).toEqual(sequential);
      expect(sequential[11]).toEqual(sequential[0]);
    }));

  test('pending calls of a destroyed model complete or fail with a message, and do not affect other models', () =>
    withEngine(async engine => {
      const [a, b] = batches();
      const [model, other] = [await open(engine), await open(engine)];
      const memory = await engine.memory(shape);
      const pending = [model.step(a), model.forward(b), model.state()];
      model.load(initialState(spec, config.train));
      model.destroy();
      const { push, pop, value } = inputs(1);
      const read = memory.forward(push, pop, value);
      memory.destroy();
      for (const outcome of await Promise.allSettled([...pending, read])) {
        if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('was destroyed');
      }
      await other.step(a);
      expect(await other.reports()).toHaveLength(1);
    }));

  test('overlapping calls of a memory equal sequential calls', () =>
    withEngine(async engine => {
      const [x, y] = [inputs(1), inputs(2)];
      const callsOf = (memory: MemoryLayer) => [
        () => memory.forward(x.push, x.pop, x.value),
        () => memory.backward(x.dRead),
        () => memory.strengths(),
        () => memory.backward(y.dRead),
        () => memory.forward(y.push, y.pop, y.value),
        () => memory.strengths(),
        () => memory.backward(x.dRead),
      ];
      const sequential: unknown[] = [];
      for (const call of callsOf(await engine.memory(shape))) sequential.push(await call());
      const overlapping = callsOf(await engine.memory(shape)).map(call => call());
      // The caller may overwrite the inputs at once.
      for (const array of Object.values(x)) array.fill(0.5);
      expect(await Promise.all(overlapping)).toEqual(sequential);

      // The same holds for a second backward pass, which repeats the forward pass first.
      const memory = await engine.memory(shape);
      const { push, pop, value, dRead } = inputs(3);
      await memory.forward(push, pop, value);
      const first = await memory.backward(dRead);
      const second = memory.backward(dRead);
      dRead.fill(0);
      expect(await second).toEqual(first);
    }));
});
