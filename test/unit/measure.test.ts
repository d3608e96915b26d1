import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/base/config.ts';
import { lengthsWithSources, measureAll } from '../../src/cli/sweep/measure.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { lowerBound } from '../../src/tasks/language.ts';
import { makeTask } from '../../src/tasks/registry.ts';
import { evaluate, evaluateResult } from '../../src/train/evaluate.ts';
import { Trainer } from '../../src/train/trainer.ts';

const trained = async (task: object, model: object, evaluateLength = 5) => {
  const engine = createReferenceEngine();
  const train = { steps: 2, batch: 2, rate: 0.1, evaluateEvery: 2, evaluateLength };
  const config = makeConfig({ task, model: { hidden: 4, width: 3, ...model }, train });
  const trainer = await Trainer.start(engine, config);
  await trainer.run();
  return { engine, trainer, config };
};

describe('the lengths at which a run is measured at its end', () => {
  test('are a given number apart; a length that the task does not have is replaced by the next shorter one', () => {
    const of = (name: string, low: number, high: number, every: number) =>
      lengthsWithSources(makeTask(makeConfig({ task: { name } }).task), low, high, every);
    expect(of('parity-check', 41, 500, 51)).toEqual([41, 92, 143, 194, 245, 296, 347, 398, 449, 500]);
    expect(of('modular-arithmetic-simple', 41, 194, 51)).toEqual([41, 91, 143, 193]);
    expect(of('lm-dyck', 5, 9, 2)).toEqual([6, 8]);
    expect(of('lm-hardest-cfl', 1, 6, 1)).toEqual([6]);
  });

  test('have equal weight, however many symbols their answers have', async () => {
    const { trainer } = await trained({ name: 'reverse-string', symbols: 2, maxLength: 3 }, {});
    const measure = { name: 'test', low: 2, high: 6, every: 4, sequences: 6 } as const;
    const [measured] = await measureAll(trainer, [measure]);
    const each = await Promise.all(
      [2, 6].map(length => evaluate(trainer.model, trainer.task, { length, sequences: 3, seed: 1_000_000 })),
    );
    expect(measured).toMatchObject(measure);
    expect(measured.bound).toBeUndefined();
    expect(measured.accuracy).toBeCloseTo((each[0].accuracy + each[1].accuracy) / 2, 12);
    expect(measured.loss).toBeCloseTo((each[0].loss + each[1].loss) / 2, 12);
  });

  test('a superposition stack gets cells for the longest source', async () => {
    const { engine, trainer, config } = await trained(
      { name: 'reverse-string', symbols: 2, maxLength: 3 },
      { memory: 'superposition', depth: 2 },
    );
    const measure = { name: 'test', low: 8, high: 8, every: 1, sequences: 5 } as const;
    const [measured] = await measureAll(trainer, [measure]);
    const options = { length: 8, sequences: 5, seed: 1_000_000 };
    const shallow = await evaluate(trainer.model, trainer.task, options);
    const deep = await engine.model(
      { ...trainer.model.spec, depth: 8 },
      config.train,
      await trainer.model.state(),
    );
    expect(measured.loss).toBe((await evaluate(deep, trainer.task, options)).loss);
    expect(measured.loss).not.toBe(shallow.loss);
    // Without `every` it is measured with the cells that it was trained with.
    const { every: _, ...asTrained } = measure;
    expect((await measureAll(trainer, [asTrained]))[0].loss).toBe(shallow.loss);
  });

  test('are twice the trained length by default, or the next shorter one that the task has', async () => {
    const task = { name: 'modular-arithmetic-simple', minLength: 1, maxLength: 3 };
    const { trainer, config } = await trained(task, {}, 0);
    const measures = await measureAll(trainer, [{ name: 'test', low: 6, high: 6, sequences: 2 }]);
    expect(measures[0]).toMatchObject({ low: 5, high: 5 });
    const evaluations = await evaluateResult(trainer.model, trainer.task, config, 3, 2);
    expect(evaluations.map(({ length }) => length)).toEqual([3, 5]);
  });

  test('a language is measured with the lower bound of the same strings', async () => {
    const { trainer } = await trained(
      { name: 'lm-marked-reversal', symbols: 2, minLength: 1, maxLength: 7 },
      {},
    );
    const measure = { name: 'train', low: 1, high: 7, sequences: 40 } as const;
    const [measured] = await measureAll(trainer, [measure]);
    expect(measured.bound).toBeGreaterThan(0);
    expect(measured.loss).toBeGreaterThan(measured.bound!);
    // With a single length the bound is exact: ln 2 for each of the three symbols of w, over eight predictions.
    const [long] = await measureAll(trainer, [{ ...measure, low: 7 }]);
    expect(long.bound).toBeCloseTo((3 * Math.LN2) / 8, 12);
    expect(lowerBound(trainer.task, [[0, 2, 0]], 3, 3)).toBeCloseTo(Math.LN2 / 4, 12);
  });
});
