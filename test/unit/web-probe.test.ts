import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { trace } from '../../src/train/evaluate.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { decades, powers } from '../../src/web/charts/decades.ts';
import { duration, percent, significant } from '../../src/web/format.ts';
import { firstSource, probeModel, samplePairs } from '../../src/web/memory/probe.ts';
import { fakeEngine } from '../support/fake-engine.ts';

const opened = async (name: string, engine = createReferenceEngine()) => {
  const config = preset(name);
  const { task, spec } = setup(config);
  return { task, model: await engine.model(spec, config.train, initialState(spec, config.train)) };
};

test('a probe of a model that is always correct shows the correct answers', async () => {
  const { task, model } = await opened('reverse', fakeEngine());
  const probe = await probeModel(
    model,
    task,
    7,
    [0, 1, 2],
    [[3, 4], [5]].map(source => ({ source, target: [...source].reverse() })),
  );
  expect(probe.step).toBe(7);
  expect(probe.shown.input).toEqual(['<s>', 'a', 'b', 'c', '|||', 'c', 'b', 'a']);
  expect(probe.shown.target).toEqual(['·', '·', '·', '·', 'c', 'b', 'a', '</s>']);
  expect(probe.shown.output).toEqual(probe.shown.target);
  expect(probe.samples).toEqual([
    { source: ['d', 'e'], expected: ['e', 'd', '</s>'], predicted: ['e', 'd', '</s>'] },
    { source: ['f'], expected: ['f', '</s>'], predicted: ['f', '</s>'] },
  ]);
  expect(probe.profile.reading).toMatchObject({ push: 1, pop: 0 });
  expect(probe.profile.writing).toMatchObject({ push: 0, pop: 1 });
});

test.each(['tutorial-part5', 'tutorial-part6'])(
  '%s: a probe among samples equals the trace of the sequence alone',
  async name => {
    const { task, model } = await opened(name);
    const source = firstSource(task, 3, 5);
    const { shown } = await probeModel(model, task, 0, source, samplePairs(task, 3, 5));
    const steps = await trace(model, task, source);
    expect(shown.input).toEqual(steps.map(({ input }) => input));
    const [memory] = shown.memories;
    expect(memory.ends[0].controls['push']).toEqual(steps.map(({ controls }) => controls['push'][0]));
    expect(memory.ends[0].controls['pop']).toEqual(steps.map(({ controls }) => controls['pop'][0]));
    expect(memory.ends[0].read).toEqual(steps.map(({ read }) => read));
    expect(memory.strengths).toEqual(steps.map(({ strengths }) => strengths[0]));
    const answered = steps.filter((_, t) => shown.target[t] !== '·');
    expect(answered).toHaveLength(source.length);
    expect(shown.output.filter(output => output !== '·')).toEqual(answered.map(({ output }) => output));
  },
);

test.each([
  ['superposition', 'stay'],
  ['tape', 'left'],
] as const)(
  '%s: rows of the picture are values, and a read takes no more of a value than is left of it',
  async (kind, control) => {
    const config = assign(preset('reverse'), [`memory=${kind}`, 'depth=5']);
    const { task, spec } = setup(config);
    const model = await createReferenceEngine().model(spec, config.train, initialState(spec, config.train));
    const { shown } = await probeModel(model, task, 0, [0, 1, 2], []);
    const [{ ends, strengths }] = shown.memories;
    expect(ends[0].controls[control]).toHaveLength(8);
    expect(strengths.map(({ length }) => length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    ends[0].weights.forEach((weights, t) => {
      weights.forEach((weight, i) => {
        expect(weight).toBeLessThanOrEqual(strengths[t][i]);
      });
    });
  },
);

test('samples depend only on the seed, and are up to twice as long as the longest source', async () => {
  const { task } = await opened('reverse');
  const lengths = (longest: number) => samplePairs(task, 1, longest).map(({ source }) => source.length);
  expect(samplePairs(task, 1, 10)).toEqual(samplePairs(task, 1, 10));
  expect(lengths(10)).toEqual([5, 10, 10, 20, 20]);
  expect(lengths(1)).toEqual([1, 1, 1, 2, 2]);
});

test.each([
  'memory=none',
  'memory=queue',
  'memory=deque',
  'memories=2',
  'task.name=gender',
  'task.name=dyck',
])('a probe handles %s', async set => {
  const config = assign(preset('reverse'), [set]);
  const { task, spec } = setup(config);
  const model = await fakeEngine().model(spec, config.train, initialState(spec, config.train));
  const source = firstSource(task, 1, 5);
  const { shown, samples } = await probeModel(model, task, 0, source, samplePairs(task, 1, 5));
  const T = shown.input.length;
  expect([shown.output.length, shown.likely.length]).toEqual([T, T]);
  expect(shown.memories).toHaveLength(spec.memory === 'none' ? 0 : spec.memories);
  for (const { kind, ends, strengths } of shown.memories) {
    expect(ends).toHaveLength(kind === 'deque' ? 2 : 1);
    for (const {
      controls: { push, pop },
      read,
    } of ends) {
      expect([push.length, pop.length, read.length, read[0].length]).toEqual([T, T, T, spec.width]);
      expect(push.every(Number.isFinite)).toBe(true);
    }
    expect(strengths.map(rows => rows.length)).toEqual(
      shown.input.map((_, t) => (kind === 'deque' ? 2 : 1) * (t + 1)),
    );
  }
  expect(samples).toHaveLength(5);
});

test('the logarithmic axis has whole decades and few ticks', () => {
  expect(decades(null, null)).toEqual([0.1, 10]);
  expect(decades(0.02, 2)).toEqual([0.01, 10]);
  expect(decades(0.1, 0.1)).toEqual([0.1, 1]);
  expect(powers(0.01, 10)).toEqual([0.01, 0.1, 1, 10]);
  expect(powers(1e-9, 10).length).toBeLessThanOrEqual(6);
});

test('numbers are formatted for people', () => {
  expect([0.5, 1.234567, 0.00012, 0, NaN].map(value => significant(value))).toEqual([
    '0.500',
    '1.23',
    '1.2e-4',
    '0.00',
    '–',
  ]);
  expect([0.5, 0.9996, 1, NaN].map(percent)).toEqual(['50.0 %', '99.96 %', '100.0 %', '–']);
  expect([8.2, 125, 3780, Infinity].map(duration)).toEqual(['8 s', '2 min 5 s', '1 h 3 min', '–']);
});
