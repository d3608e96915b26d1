import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine, MemoryLayer, Model } from '../../src/engine/engine.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { randomBatch } from '../support/batches.ts';
import { RUN_PROFILES } from '../support/engines.ts';

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
  ...RUN_PROFILES.map(({ name, open }) => ({ name, open: () => open() })),
  ...RUN_PROFILES.filter(({ gpu }) => gpu).map(({ name, open }) => ({
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

  test('a model', () =>
    withEngine(async engine => {
      const [a, b, c, d, e, f] = batches();
      const ask = (model: Model) => [
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
      const turns: unknown[] = [];
      for (const asked of ask(await open(engine))) turns.push(await asked());
      const together = ask(await open(engine)).map(asked => asked());
      // The caller may overwrite the inputs at once.
      for (const { lengths, ids, target, weight } of [a, b, c, d, e, f])
        for (const array of [lengths, ids, target, weight]) array.fill(1);
      expect(await Promise.all(together)).toEqual(turns);
      expect(turns[11]).toEqual(turns[0]);
    }));

  test('a model destroyed before its turn reports it and harms no other', () =>
    withEngine(async engine => {
      const [a, b] = batches();
      const [model, other] = [await open(engine), await open(engine)];
      const memory = await engine.memory(shape);
      const asked = [model.step(a), model.forward(b), model.state()];
      model.load(initialState(spec, config.train));
      model.destroy();
      const { push, pop, value } = inputs(1);
      const read = memory.forward(push, pop, value);
      memory.destroy();
      for (const outcome of await Promise.allSettled([...asked, read])) {
        if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('was destroyed');
      }
      await other.step(a);
      expect(await other.reports()).toHaveLength(1);
    }));

  test('a memory', () =>
    withEngine(async engine => {
      const [one, two] = [inputs(1), inputs(2)];
      const ask = (memory: MemoryLayer) => [
        () => memory.forward(one.push, one.pop, one.value),
        () => memory.backward(one.dRead),
        () => memory.strengths(),
        () => memory.backward(two.dRead),
        () => memory.forward(two.push, two.pop, two.value),
        () => memory.strengths(),
        () => memory.backward(one.dRead),
      ];
      const turns: unknown[] = [];
      for (const asked of ask(await engine.memory(shape))) turns.push(await asked());
      const together = ask(await engine.memory(shape)).map(asked => asked());
      // The caller may overwrite the inputs at once.
      for (const array of Object.values(one)) array.fill(0.5);
      expect(await Promise.all(together)).toEqual(turns);

      // From the second backward pass, which repeats the forward pass first.
      const memory = await engine.memory(shape);
      const { push, pop, value, dRead } = inputs(3);
      await memory.forward(push, pop, value);
      const first = await memory.backward(dRead);
      const second = memory.backward(dRead);
      dRead.fill(0);
      expect(await second).toEqual(first);
    }));
});
