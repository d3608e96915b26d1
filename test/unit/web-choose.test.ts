import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import type { Profile } from '../../src/train/metrics.ts';
import { PRESETS, preset } from '../../src/train/presets.ts';
import { CHOICES, choiceOf, configOf } from '../../src/web/choose/choices.ts';
import { EXPERIMENTS } from '../../src/web/choose/experiments.ts';
import { describeProgress, describeRun } from '../../src/web/choose/story.ts';
import type { SequenceSteps } from '../../src/web/memory/probe.ts';
import { addFrame, type Frame, framesToStore, MAX_FRAMES } from '../../src/web/past/frames.ts';
import { check } from '../../src/web/worker/check.ts';

/** The choices on the buttons, the sentences of the page, and the picture of earlier steps. */

describe('choices', () => {
  test.each(CHOICES.map(choice => [Object.values(choice).join(' · '), choice] as const))(
    '%s can be trained, and is recognised with any seed',
    (_, choice) => {
      const config = configOf(choice, 5);
      expect(check(config).problem).toBeUndefined();
      expect(config.train.seed).toBe(5);
      expect(choiceOf(config)).toEqual(choice);
    },
  );

  test('the default run is the first choice; other settings match no choice', () => {
    expect(choiceOf(preset('reverse'))).toEqual({ task: 'reverse', memory: 'stack', controller: 'rnn' });
    expect(choiceOf(assign(preset('reverse'), ['hidden=33']))).toBeUndefined();
  });

  test('every experiment can be trained', () => {
    for (const { run } of EXPERIMENTS) if ('config' in run) expect(check(run.config).problem).toBeUndefined();
  });
});

describe('the sentences about the run', () => {
  test('name the task and the memory', () => {
    expect(describeRun(preset('reverse'))).toBe(
      'A small recurrent network (RNN) of 32 units learns to reverse sequences with a neural stack, on sources of 4 to 16 symbols.',
    );
    expect(describeRun(preset('small/copy/lstm2'))).toMatch(
      /^An LSTM of 32 units in 2 layers learns to copy .* without a memory besides its own state, on sources of \d+ to \d+ symbols\.$/,
    );
    expect(describeRun(assign(preset('small/copy/deque'), ['memories=2']))).toContain(
      'with 2 neural deques,',
    );
    expect(describeRun(assign(preset('reverse'), ['memory=superposition']))).toContain(
      'with a superposition stack,',
    );
    expect(describeRun(assign(preset('reverse'), ['memory=tape', 'memories=2']))).toContain('with 2 tapes,');
  });

  test('exist for every preset', () => {
    for (const { config } of PRESETS) expect(describeRun(config)).not.toMatch(/undefined|the task/);
  });

  test('describe the progress, and whether the memory is used', () => {
    const config = preset('reverse');
    const profile = (reading: [number, number], writing: [number, number]) =>
      ({
        reading: { push: reading[0], pop: reading[1], steps: 1, ends: [] },
        writing: { push: writing[0], pop: writing[1], steps: 1, ends: [] },
      }) satisfies Profile;
    expect(describeProgress(config, { step: 0, coarse: Number.NaN })).toBe('It has not been trained yet.');
    expect(
      describeProgress(config, { step: 250, coarse: 0.125, profile: profile([0.5, 0.2], [0.5, 0.2]) }),
    ).toBe(
      'After 250 of at most 4,000 steps, 12.5 % of its answers are fully correct. It does not use the stack yet: push 0.50 while reading, pop 0.20 while writing.',
    );
    expect(
      describeProgress(config, { step: 500, coarse: 0.5, profile: profile([0.8, 0.1], [0.2, 0.7]) }),
    ).toMatch(/partly uses the stack: push 0\.80 while reading, pop 0\.70 while writing/);
    expect(describeProgress(config, { step: 750, coarse: 1, profile: profile([1, 0], [0, 1]) })).toMatch(
      /has learned to use the stack/,
    );
    const none = assign(config, ['memory=none']);
    expect(
      describeProgress(none, { step: 500, coarse: 0.5, profile: profile([Number.NaN, 0], [0, 0]) }),
    ).toMatch(/correct\.$/);
  });
});

describe('earlier frames', () => {
  const shown = (input = 'a b'): SequenceSteps => ({ input: input.split(' ') }) as SequenceSteps;
  const steps = (frames: readonly Frame[]) => frames.map(({ step }) => step);

  test('are in order, one per step', () => {
    let frames: Frame[] = [];
    for (const step of [0, 10, 10, 20]) frames = addFrame(frames, { step, shown: shown() });
    expect(steps(frames)).toEqual([0, 10, 20]);
  });

  test('after a return to an earlier step, later frames are dropped; a different source drops all', () => {
    let frames: Frame[] = [];
    for (const step of [0, 10, 20, 5]) frames = addFrame(frames, { step, shown: shown() });
    expect(steps(frames)).toEqual([0, 5]);
    expect(steps(addFrame(frames, { step: 5, shown: shown('a c') }))).toEqual([5]);
  });

  test('are few, and include the first and the latest', () => {
    let frames: Frame[] = [];
    for (let step = 0; step < 5000; step++) frames = addFrame(frames, { step, shown: shown() });
    expect(frames.length).toBeLessThanOrEqual(MAX_FRAMES);
    expect(frames.length).toBeGreaterThan(MAX_FRAMES / 2);
    expect(frames[0].step).toBe(0);
    expect(frames.at(-1)?.step).toBe(4999);
  });

  test('are stored evenly spaced: at most 60, fewer of long sequences, and none if a single one is too large', () => {
    const of = (count: number, T: number): Frame[] => {
      const memories = [
        { kind: 'stack', ends: [], strengths: Array.from({ length: T }, () => Array(T).fill(0)) },
      ];
      const shown = { input: ['a'], memories } as unknown as SequenceSteps;
      return Array.from({ length: count }, (_, step) => ({ step, shown }));
    };
    expect(framesToStore([])).toEqual([]);
    expect(steps(framesToStore(of(5, 3)))).toEqual([0, 1, 2, 3, 4]);
    const stored = steps(framesToStore(of(119, 3)));
    expect([stored.length, stored[0], stored[1], stored.at(-1)]).toEqual([60, 0, 2, 118]);
    // 10,000 numbers each.
    expect(steps(framesToStore(of(119, 100)))).toHaveLength(25);
    expect(framesToStore(of(119, 600))).toEqual([]);
  });
});
