import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { MASKED } from '../../src/base/dims.ts';
import type { StepReport } from '../../src/engine/engine.ts';
import { parseSource } from '../../src/tasks/task.ts';
import { evaluate, evaluateLengths, evaluateResult, predict, trace } from '../../src/train/evaluate.ts';
import { addReport, emptySums, metricsOf } from '../../src/train/metrics.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { type Behaviour, FakeModel } from '../support/fake-engine.ts';

function make(name: string, behaviour: Behaviour = {}, sets: readonly string[] = []) {
  const config = assign(preset(name), sets);
  const { task, spec } = setup(config);
  return { task, model: new FakeModel(spec, initialState(spec, config.train), behaviour) };
}

/** Answers the task reverse correctly from the inputs alone: the symbols before |||, last first, then </s>. */
const reversing: Behaviour['predict'] = (batch, t, b) => {
  const ids = Array.from({ length: batch.lengths[b] }, (_, i) => batch.ids[i * batch.B + b]);
  const separator = ids.indexOf(9);
  return t < separator ? 0 : (([8, ...ids.slice(1, separator)] as number[]).at(separator - 1 - t) ?? 8);
};

test('metrics are means over reports; steps that were not finite are only counted', () => {
  const report: StepReport = {
    objective: 3,
    loss: 10,
    targets: 20,
    symbols: 16,
    correct: 12,
    sequences: 4,
    coarse: 1,
    fine: 2,
    absoluteError: 8,
    gradientNorm: 0.5,
    finite: true,
  };
  const sums = emptySums();
  addReport(sums, report);
  addReport(sums, { ...report, objective: 5, gradientNorm: 1.5 });
  addReport(sums, { ...report, loss: Number.NaN, finite: false });
  expect(metricsOf(sums)).toEqual({
    loss: 0.5,
    objective: 4,
    accuracy: 0.75,
    coarse: 0.25,
    fine: 0.5,
    gradientNorm: 1,
    absoluteError: 2,
    badSteps: 1,
  });
});

describe('evaluate', () => {
  test('returns metrics, profile and samples', async () => {
    const { task, model } = make('reverse', { coarse: () => 0.5 });
    const evaluation = await evaluate(model, task, { length: 3, sequences: 300, seed: 1 });
    expect(evaluation).toMatchObject({ length: 3, sequences: 300, loss: 0.5, coarse: 0.5, fine: 0.125 });
    expect(evaluation.profile.reading).toEqual({ push: 1, pop: 0, steps: 900, ends: [{ push: 1, pop: 0 }] });
    expect(evaluation.profile.writing).toEqual({ push: 0, pop: 1, steps: 900, ends: [{ push: 0, pop: 1 }] });
    for (const { source, expected, predicted } of evaluation.samples) {
      expect(expected).toBe([...source.split(' ').reverse(), '</s>'].join(' '));
      expect(predicted).toBe(expected);
    }
  });

  test('the sequences depend on seed and length only', async () => {
    const { task, model } = make('tutorial-part6');
    const list = await evaluateLengths(model, task, [2, 4], { sequences: 5, seed: 1 });
    const alone = await evaluate(model, task, { length: 4, sequences: 5, seed: 1 });
    const other = await evaluate(model, task, { length: 4, sequences: 5, seed: 2 });
    expect(list[1]).toEqual(alone);
    expect(other.samples).not.toEqual(alone.samples);
  });
});

describe('ranges of lengths', () => {
  const lengthsOf = (samples: { source: string }[]) => samples.map(({ source }) => source.split(' ').length);

  test('sources have different lengths within the range', async () => {
    const { task, model } = make('reverse');
    const evaluation = await evaluate(model, task, { shortest: 5, length: 9, sequences: 4, seed: 1 });
    expect(evaluation).toMatchObject({ shortest: 5, length: 9, sequences: 4 });
    const lengths = lengthsOf(evaluation.samples);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(9);
    expect(new Set(lengths).size).toBeGreaterThan(1);
    // The expected answer of a sequence does not depend on the other sequences.
    for (const { source, expected, predicted } of evaluation.samples) {
      expect(expected).toBe([...source.split(' ').reverse(), '</s>'].join(' '));
      expect(predicted).toBe(expected);
    }
  });

  test('must not go backwards, and must contain a length that the task has', async () => {
    const { task, model } = make('reverse', {}, ['task.name=bigram']);
    const options = { sequences: 2, seed: 1 };
    await expect(evaluate(model, task, { ...options, shortest: 5, length: 4 })).rejects.toThrow(
      /must not exceed/,
    );
    await expect(evaluate(model, task, { ...options, length: 5 })).rejects.toThrow(/multiples of 2/);
  });

  test('a result covers the trained lengths and the evaluation lengths', async () => {
    const { task, model } = make('reverse');
    const config = preset('reverse');
    const result = await evaluateResult(model, task, config, 10, 3);
    expect(result.map(({ shortest, length }) => [shortest, length])).toEqual([
      [10, 10],
      [20, 20],
    ]);
    const ranged = assign(config, ['evaluateFrom=11', 'evaluateLength=16']);
    const ranges = await evaluateResult(model, task, ranged, 10, 3);
    expect(ranges.map(({ shortest, length }) => [shortest, length])).toEqual([
      [4, 10],
      [11, 16],
    ]);
    const bigram = make('reverse', {}, ['task.name=bigram']);
    const even = await evaluateResult(bigram.model, bigram.task, config, 7, 3);
    expect(even.map(({ length }) => length)).toEqual([6, 14]);
  });
});

describe('models with several memories, or none', () => {
  test('a profile has an entry per end, and is empty without a memory', async () => {
    const options = { length: 3, sequences: 2, seed: 1 };
    const deques = make('reverse', {}, ['memory=deque', 'memories=2']);
    const { profile } = await evaluate(deques.model, deques.task, options);
    expect(profile.reading.ends).toHaveLength(4);
    expect(profile.reading).toMatchObject({ push: 1, pop: 0, steps: 6 });
    const none = make('reverse', {}, ['memory=none']);
    const without = (await evaluate(none.model, none.task, options)).profile;
    expect(without.reading).toEqual({ steps: 6, ends: [] });
  });

  test('a trace has the numbers of every end', async () => {
    const deques = make('reverse', {}, ['memory=deque', 'memories=2']);
    const steps = await trace(deques.model, deques.task, [0, 1]);
    expect(steps[1]).toMatchObject({ controls: { push: [1, 1, 1, 1], pop: [0, 0, 0, 0] } });
    expect(steps[1].strengths.map(rows => rows.length)).toEqual([4, 4]);
    expect(steps[1].read).toHaveLength(4 * 8);
    const none = make('reverse', {}, ['memory=none']);
    const [step] = await trace(none.model, none.task, [0, 1]);
    expect(step).toMatchObject({ controls: {}, strengths: [], read: [] });
  });
});

describe('predict', () => {
  test('feeds its outputs back until the end symbol, whatever the lengths of the other sources', async () => {
    const { task, model } = make('reverse', { predict: reversing });
    const sources = ['a b c', 'd', 'e e f g'].map(line => parseSource(task, line));
    const predictions = await predict(model, task, sources);
    expect(predictions.map(({ text }) => text)).toEqual(['c b a', 'd', 'g f e e']);
    expect(predictions.every(({ ended }) => ended)).toBe(true);
  });

  test('is cut off at twice the source length plus 8 symbols', async () => {
    const { task, model } = make('reverse', { predict: () => 1 });
    const [{ outputs, ended }] = await predict(model, task, [[0, 1, 2]]);
    expect([outputs.length, ended]).toEqual([14, false]);
  });

  test("does one pass for the tutorial's tasks, without the target", async () => {
    const { task, model } = make('tutorial-part5', {
      predict: (batch, t) => (batch.target.every(target => target === MASKED) ? (t % 2) + 1 : 0),
    });
    const predictions = await predict(model, task, [[0, 1, 0], [1]]);
    expect(predictions.map(({ text }) => text)).toEqual(['b a b', 'b']);
  });

  test('returns as many outputs as the source requires', async () => {
    const { task, model } = make('reverse', { predict: () => 1 }, ['task.name=duplicate-string']);
    const predictions = await predict(model, task, [[0, 1, 0], [1]]);
    expect(predictions.map(({ text, ended }) => [text, ended])).toEqual([
      ['1 1 1 1 1 1', true],
      ['1 1', true],
    ]);
  });

  test('of no sources returns nothing', async () => {
    const { task, model } = make('reverse');
    expect(await predict(model, task, [])).toEqual([]);
  });
});

test('trace returns every step of a free-running sequence', async () => {
  const { task, model } = make('reverse', { predict: reversing });
  const steps = await trace(model, task, [0, 1]);
  expect(steps.map(({ input }) => input)).toEqual(['<s>', 'a', 'b', '|||', 'b', 'a']);
  expect(steps.map(({ target }) => target)).toEqual(['·', '·', '·', 'b', 'a', '</s>']);
  expect(steps.map(({ output }) => output).slice(3)).toEqual(['b', 'a', '</s>']);
  expect(steps[4]).toMatchObject({ phase: 'writing', controls: { push: [0], pop: [1] }, probability: 0.75 });
  expect(steps.map(({ strengths }) => strengths.map(rows => rows.length))).toEqual([
    [1],
    [2],
    [3],
    [4],
    [5],
    [6],
  ]);
  expect(steps[0].read).toHaveLength(8);
});

test('a trace of a source without a correct target shows no targets', async () => {
  const { task, model } = make('reverse', { predict: () => 8 }, ['task.name=bigram']);
  const steps = await trace(model, task, [0, 1, 2]);
  expect(new Set(steps.map(({ target }) => target))).toEqual(new Set(['·']));
});
