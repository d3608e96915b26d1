import { describe, expect, test } from 'vitest';
import { assign, type Config } from '../../src/base/config.ts';
import { DeviceError } from '../../src/base/errors.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { trainingBatch } from '../../src/train/model.ts';
import { preset } from '../../src/train/presets.ts';
import { type Progress, Trainer } from '../../src/train/trainer.ts';
import { comparable } from '../support/comparable.ts';
import { type Behaviour, fakeEngine } from '../support/fake-engine.ts';

const SMALL = ['steps=40', 'batch=4', 'reportEvery=10', 'evaluateEvery=20', 'stopAt=0'];
const reverse = (...sets: string[]) => assign(preset('reverse'), [...SMALL, ...sets]);
/** A curriculum that grows at every decision if the fake engine's error is 0. */
const growing = assign(preset('tutorial-part5'), [...SMALL, 'growEvery=12']);

async function started(config: Config, behaviour: Behaviour = {}) {
  const engine = fakeEngine(behaviour);
  const log: Progress[] = [];
  const evaluated: number[] = [];
  const trainer = await Trainer.start(engine, config, {
    onProgress: progress => log.push(progress),
    onEvaluation: (_, step) => evaluated.push(step),
  });
  return { trainer, log, evaluated, model: engine.models[0] };
}

describe('batches', () => {
  const { task } = reverse();
  test('are functions of seed, step and length', async () => {
    const { trainer } = await started(reverse());
    const batch = (config: Config, step: number, longest: number) =>
      trainingBatch(trainer.task, config, step, longest);
    expect(batch(reverse(), 3, 5)).toEqual(batch(reverse(), 3, 5));
    expect(batch(reverse(), 3, 5)).not.toEqual(batch(reverse(), 4, 5));
    expect(batch(reverse('seed=1'), 3, 5)).not.toEqual(batch(reverse(), 3, 5));
    expect(Math.max(...batch(reverse('batch=200'), 0, 5).sourceLengths)).toBe(5);
    expect(Math.min(...batch(reverse('batch=200'), 0, 5).sourceLengths)).toBe(task.minLength);
  });

  test('noise starts after noiseAfter, and falls to zero over noiseSteps', async () => {
    const { trainer } = await started(reverse());
    const deviation = (step: number, ...sets: string[]) => deviationSince(0, step, ...sets);
    const deviationSince = (restartedAt: number, step: number, ...sets: string[]) => {
      const { noise } = trainingBatch(trainer.task, reverse('batch=200', ...sets), step, 10, restartedAt);
      return noise ? Math.sqrt(noise.reduce((sum, x) => sum + x * x, 0) / noise.length) : 0;
    };
    expect(deviation(5)).toBeCloseTo(1, 1);
    expect(deviation(5, 'noise=2', 'noiseSteps=10')).toBeCloseTo(1, 1);
    expect(deviation(10, 'noiseSteps=10')).toBe(0);
    expect(deviation(0, 'noise=0')).toBe(0);
    expect(deviation(6, 'noiseAfter=7')).toBe(0);
    expect(deviation(7, 'noiseAfter=7')).toBeCloseTo(1, 1);
    expect(deviation(12, 'noise=2', 'noiseAfter=7', 'noiseSteps=10')).toBeCloseTo(1, 1);
    // After a restart, noiseAfter counts from the restart.
    expect(deviationSince(100, 106, 'noiseAfter=7')).toBe(0);
    expect(deviationSince(100, 107, 'noiseAfter=7')).toBeCloseTo(1, 1);
  });
});

describe('run', () => {
  test('runs all steps, and reports and evaluates when due', async () => {
    const { trainer, log, evaluated, model } = await started(reverse('steps=45'));
    expect(await trainer.run()).toBe('done');
    expect(model.batches).toHaveLength(45);
    expect(log.map(({ step }) => step)).toEqual([10, 20, 30, 40, 45]);
    expect(evaluated).toEqual([20, 40, 45]);
    expect(log[0]).toMatchObject({ loss: 0.5, accuracy: 0.25, fine: 0.125, gradientNorm: 2, length: 16 });
    expect(log.at(-1)).toMatchObject({ steps: 45, eta: 0 });
    expect(await trainer.run()).toBe('done');
    expect(model.batches).toHaveLength(45);
  });

  test('pauses, continues and stops; timers can fire during a run', async () => {
    const { trainer, model } = await started(reverse('steps=100000'));
    setTimeout(() => trainer.pause(), 30);
    expect(await trainer.run()).toBe('paused');
    const before = model.batches.length;
    expect(before).toBeGreaterThan(0);
    expect(trainer.step).toBe(before);
    setTimeout(() => trainer.stop(), 30);
    expect(await trainer.run()).toBe('stopped');
    expect(model.batches.length).toBeGreaterThan(before);
    expect(await trainer.run()).toBe('stopped');
  });

  test('single steps report their progress', async () => {
    const { trainer, log, model } = await started(reverse());
    await trainer.singleStep();
    await trainer.singleStep();
    expect(log.map(({ step }) => step)).toEqual([1, 2]);
    expect(model.batches).toHaveLength(2);
    await trainer.run();
    expect(log.map(({ step }) => step)).toEqual([1, 2, 10, 20, 30, 40]);
  });

  test('gives its progress at any time, without changing the reports', async () => {
    const { trainer, log } = await started(reverse());
    expect(trainer.progress).toMatchObject({ step: 0, steps: 40, loss: Number.NaN, eta: Number.NaN });
    for (let k = 0; k < 3; k++) await trainer.singleStep();
    const { progress } = trainer;
    expect(progress).toMatchObject({ step: 3, loss: 0.5, accuracy: 0.25 });
    expect(progress.sequencesPerSecond).toBeGreaterThan(0);
    await trainer.run();
    expect(log.map(({ step }) => step)).toEqual([1, 2, 3, 10, 20, 30, 40]);
    // After the last report there are no newer steps.
    expect(trainer.progress).toMatchObject({ step: 40, loss: 0.5 });
    expect(trainer.progress.sequencesPerSecond).toBeGreaterThan(0);
  });

  test('a report of steps that were all bad says so, and does not repeat the previous one', async () => {
    const { trainer, log } = await started(reverse('reportEvery=5'), {
      finite: step => step <= 10 || step > 15,
    });
    await trainer.run();
    expect(log.map(({ badSteps }) => badSteps)).toEqual([0, 0, 5, 0, 0, 0, 0, 0]);
    expect(log[2].loss).toBeNaN();
  });

  test('stops when two evaluations in a row reach stopAt', async () => {
    const coarse = (step: number) => [0, 1, 0, 1, 1, 1][step / 5] ?? 0;
    const config = reverse('evaluateEvery=5', 'stopAt=0.9');
    const { trainer, evaluated } = await started(config, { coarse });
    expect(await trainer.run()).toBe('solved');
    expect(evaluated).toEqual([5, 10, 15, 20]);
  });

  test('a stuck run restarts with new weights; whether it is stuck is decided once for each set of weights', async () => {
    // The fake's loss is always 0.5 per target.
    const stuck = reverse('steps=50', 'restartAfter=15', 'restartAbove=0.4');
    const at: number[] = [];
    const trainer = await Trainer.start(fakeEngine(), stuck, { onRestart: ({ step }) => at.push(step) });
    await trainer.run();
    expect(at).toEqual([20, 40]);
    expect((await trainer.snapshot()).run).toMatchObject({ initialisedAt: 40, restarts: 2 });

    const notStuck = await Trainer.start(fakeEngine(), assign(stuck, ['restartAbove=0.6']), {
      onRestart: ({ step }) => at.push(step),
    });
    await notStuck.run();
    expect(at).toHaveLength(2);
  });

  describe('patience', () => {
    const patient = reverse('steps=100', 'evaluateEvery=5', 'patience=3');
    /** The loss in each window of five steps, in order; 9 in later ones. */
    const windows = (losses: number[]) => (step: number) => losses[Math.ceil(step / 5) - 1] ?? 9;

    test('stops after `patience` evaluations without a new minimum of the mean loss between them', async () => {
      const { trainer } = await started(patient, { loss: windows([3, 2, 2.5, 1, 1, 1.5, 1.2, 0]) });
      expect(await trainer.run()).toBe('stalled');
      expect(trainer.step).toBe(35);
      expect(await trainer.run()).toBe('stalled');
    });

    test('compares means: one good step does not make a better window', async () => {
      const { trainer } = await started(patient, { loss: step => (step === 8 ? 0.6 : step < 6 ? 1 : 1.2) });
      expect(await trainer.run()).toBe('stalled');
      expect(trainer.step).toBe(20);
    });

    test('0 is unlimited; a run that improves continues to its end', async () => {
      const endless = await started(assign(patient, ['patience=0']), { loss: () => 1 });
      expect(await endless.trainer.run()).toBe('done');
      const better = await started(patient, { loss: step => 1 / step });
      expect(await better.trainer.run()).toBe('done');
    });

    test('solved has priority over stalled; more patience makes the run continue', async () => {
      const solved = await started(assign(patient, ['stopAt=0.9']), {
        loss: () => 1,
        coarse: step => (step >= 15 ? 1 : 0),
      });
      expect(await solved.trainer.run()).toBe('solved');
      const { trainer } = await started(patient, { loss: () => 1 });
      await trainer.run();
      const snapshot = await trainer.snapshot();
      const config = assign(patient, ['patience=5']);
      const more = await Trainer.resume(fakeEngine({ loss: () => 1 }), { ...snapshot, config });
      expect(await more.run()).toBe('stalled');
      expect(more.step).toBe(30);
    });

    test('starts from zero with new weights, and with longer sequences', async () => {
      const restarting = assign(patient, ['restartAfter=10', 'restartAbove=0.1', 'steps=40']);
      const { trainer } = await started(restarting, { loss: () => 1 });
      expect(await trainer.run()).toBe('done');
      const { trainer: grown } = await started(assign(growing, ['evaluateEvery=5', 'patience=3']), {
        error: () => 0,
        loss: () => 1,
      });
      expect(await grown.run()).toBe('done');
    });

    test('a window without a finite step is no improvement', async () => {
      const { trainer } = await started(patient, { finite: step => step > 5 && step <= 10, loss: () => 1 });
      await expect(trainer.run()).rejects.toThrow(DeviceError);
      // The run ended at step 20, before the evaluation of that step.
      expect((await trainer.snapshot()).run.patience).toMatchObject({ best: 1, stale: 1 });
    });
  });

  test('gives up after ten bad steps in a row, and keeps the state', async () => {
    const { trainer, log } = await started(reverse(), { finite: step => step < 12 || step === 22 });
    await expect(trainer.run()).rejects.toThrow(DeviceError);
    expect(trainer.step).toBe(30);
    expect(log.map(({ badSteps }) => badSteps)).toEqual([0, 9, 9]);
    expect((await trainer.snapshot()).state.step).toBe(30);
  });

  test('the curriculum takes effect at report steps', async () => {
    const { trainer, log, model } = await started(growing, { error: () => 0 });
    await trainer.run();
    expect(log.map(({ length }) => length)).toEqual([1, 2, 3, 4]);
    const longest = model.batches.map(({ sourceLengths }) => Math.max(...sourceLengths));
    expect(Math.max(...longest.slice(0, 10))).toBe(1);
    expect(Math.max(...longest.slice(10, 20))).toBe(2);
  });
});

describe('a run that is resumed from a snapshot continues as if never interrupted', () => {
  const behaviour: Behaviour = {
    error: step => step % 3,
    loss: step => 1 + Math.sin(step) / 3,
    finite: step => step % 7 !== 0,
    coarse: step => (step < 30 ? 1 : 0),
  };
  const config = assign(growing, [
    'restartAfter=15',
    'growBelow=101',
    'evaluateEvery=15',
    'stopAt=0.9',
    'noise=1',
    'patience=4',
  ]);

  test.each([0, 1, 7, 10, 14, 15, 19, 20, 33, 40])('at step %i', async at => {
    const unbroken = await started(config, behaviour);
    await unbroken.trainer.run();
    const expected = await unbroken.trainer.snapshot();

    const first = await started(config, behaviour);
    for (let step = 0; step < at; step++) await first.trainer.singleStep();
    const bytes = encodeCheckpoint(await first.trainer.snapshot());
    const log: Progress[] = [];
    const onProgress = (progress: Progress) => log.push(progress);
    const second = await Trainer.resume(fakeEngine(behaviour), decodeCheckpoint(bytes), { onProgress });
    expect(second.step).toBe(at);
    await second.run();
    expect(comparable(await second.snapshot())).toEqual(comparable(expected));
    const metrics = ({ sequencesPerSecond, timeStepsPerSecond, eta, elapsed, ...rest }: Progress) => rest;
    expect(log.map(metrics)).toEqual(unbroken.log.slice(4 - log.length).map(metrics));
  });

  test('a snapshot during the run changes nothing, and can be resumed', async () => {
    const unbroken = await started(config, behaviour);
    await unbroken.trainer.run();
    // Requested during step 6, with reports still unread.
    let snapshots: Promise<Checkpoint[]> | undefined;
    const error = (step: number) => {
      if (step === 6) snapshots = Promise.all([observed.trainer.snapshot(), observed.trainer.snapshot()]);
      return step % 3;
    };
    const observed = await started(config, { ...behaviour, error });
    await observed.trainer.run();
    const [first, second] = await snapshots!;
    expect(first.state.step).toBe(6);
    expect(second).toEqual(first);
    const resumed = await Trainer.resume(fakeEngine(behaviour), second);
    await resumed.run();
    expect(comparable(await resumed.snapshot())).toEqual(comparable(await unbroken.trainer.snapshot()));
    expect(comparable(await observed.trainer.snapshot())).toEqual(
      comparable(await unbroken.trainer.snapshot()),
    );
  });

  test('a run of 23 steps extended to 40 ends like a run of 40 steps', async () => {
    const long = await started(config, behaviour);
    await long.trainer.run();
    const short = await started(assign(config, ['steps=23']), behaviour);
    await short.trainer.run();
    const snapshot = await short.trainer.snapshot();
    const second = await Trainer.resume(fakeEngine(behaviour), { ...snapshot, config });
    await second.run();
    expect(comparable(await second.snapshot())).toEqual(comparable(await long.trainer.snapshot()));
  });

  test('is refused if its model has other sizes', async () => {
    const { trainer } = await started(reverse());
    const snapshot = await trainer.snapshot();
    const other = { ...snapshot, config: assign(snapshot.config, ['hidden=5']) };
    await expect(Trainer.resume(fakeEngine(), other)).rejects.toThrow(/"W_xh" must have shape \[18, 5\]/);
  });
});

test('a divergence is reported with its step, its batch and the first tensor that is not finite', async () => {
  const config = assign(preset('reverse'), [
    'batch=2',
    'hidden=3',
    'width=2',
    'minLength=1',
    'maxLength=2',
    'reportEvery=5',
    'steps=60',
    'noise=0',
  ]);
  const engine = createReferenceEngine();
  const model = engine.model.bind(engine);
  // From step 8 on, loss weights of 1e308 (infinite in a Float32Array) make gradients infinite or NaN.
  engine.model = async (spec, training, state) => {
    const created = await model(spec, training, state);
    let { step } = state;
    const enqueue = created.step.bind(created);
    created.step = batch =>
      enqueue(++step >= 8 ? { ...batch, weight: batch.weight.map(() => 1e308) } : batch);
    return created;
  };
  const trainer = await Trainer.start(engine, config);
  await expect(trainer.run()).rejects.toThrow(
    /10 steps in a row by step 20 .* The first of them was step 8, with batch 8 of seed 0; not finite: the gradient of \w+\. Lower train.rate/,
  );
  // The state is the one before the bad steps, and it can be saved.
  const { state } = await trainer.snapshot();
  for (const values of state.parameters.values()) expect(values.every(Number.isFinite)).toBe(true);
});
