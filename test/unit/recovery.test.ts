import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { DeviceLost } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine, Model } from '../../src/engine/engine.ts';
import { preset } from '../../src/train/presets.ts';
import { openWithRetries } from '../../src/train/recovery.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { comparable } from '../support/comparable.ts';
import { fakeEngine } from '../support/fake-engine.ts';

const config = assign(preset('tutorial-part5'), [
  'steps=300',
  'batch=4',
  'reportEvery=10',
  'evaluateEvery=50',
  'growEvery=12',
  'stopAt=0',
]);

/** An engine that loses its device at a call for which dice() returns true. */
function brittle(dice: () => boolean): Engine {
  const engine = fakeEngine();
  let lost = false;
  const check = (): void => {
    lost ||= dice();
    if (lost) throw new DeviceLost('the device was lost (unknown): test.');
  };
  return {
    ...engine,
    async model(...args) {
      const model: Model = await engine.model(...args);
      for (const name of ['reports', 'state', 'forward'] as const) {
        const method = model[name].bind(model) as (...args: unknown[]) => Promise<unknown>;
        Object.assign(model, {
          [name]: async (...args: unknown[]) => {
            check();
            const result = await method(...args);
            check();
            return result;
          },
        });
      }
      return model;
    },
  };
}

/** Trains to the end. Returns how the run ended, the last checkpoint, the reports, and the number of lost devices. */
async function trainToEnd(engine: Engine, reopen?: () => Promise<Engine>) {
  const log: unknown[] = [];
  let lost = 0;
  const trainer = await Trainer.start(engine, config, {
    onProgress: ({ step, loss, length }) => log.push({ step, loss, length }),
    onEvaluation: ({ coarse, length }, step) => log.push({ step, coarse, length }),
    onRestart: restart => log.push(restart),
    onRecovered: () => {
      lost++;
    },
    reopen,
    snapshotMs: 0,
  });
  const ending = await trainer.run();
  return { ending, checkpoint: comparable(await trainer.snapshot()), log, lost: () => lost };
}

describe('a lost device', () => {
  test('at any point, any number of times, changes neither the state nor the reports, and repeats none', async () => {
    const undisturbed = await trainToEnd(fakeEngine());
    const rng = new Rng(1, 1);
    let total = 0;
    for (let n = 0; n < 40; n++) {
      const dice = () => rng.uniform() < 0.02;
      const disturbed = await trainToEnd(brittle(dice), async () => brittle(dice));
      total += disturbed.lost();
      expect(disturbed.checkpoint).toEqual(undisturbed.checkpoint);
      expect(disturbed.log).toEqual(undisturbed.log);
      expect(disturbed.ending).toBe('done');
    }
    expect(total).toBeGreaterThanOrEqual(40);
  });

  test('without a replacement the run ends, and its last snapshot is available', async () => {
    let calls = 0;
    const trainer = await Trainer.start(
      brittle(() => ++calls > 30),
      config,
    );
    await expect(trainer.run()).rejects.toThrow(DeviceLost);
    expect(trainer.lastSnapshot.state.step).toBe(0);
  });

  test('a run that loses every device gives up with a message', async () => {
    const trainer = await Trainer.start(
      brittle(() => true),
      config,
      { reopen: async () => brittle(() => true) },
    );
    await expect(trainer.run()).rejects.toThrow(/lost 6 times since the last snapshot/);
  });

  test('the old model is never used again', async () => {
    let calls = 0;
    const first = brittle(() => ++calls > 10);
    const trainer = await Trainer.start(first, config, { reopen: async () => fakeEngine() });
    const old = trainer.model;
    let after = 0;
    // A training step before the calls are watched.
    await trainer.singleStep();
    for (const name of ['step', 'reports', 'state', 'forward', 'load', 'reserve'] as const) {
      const method = old[name].bind(old) as (...args: unknown[]) => unknown;
      Object.assign(old, {
        [name]: (...args: unknown[]) => {
          if (trainer.model !== old) after++;
          return method(...args);
        },
      });
    }
    expect(await trainer.run()).toBe('done');
    expect(trainer.model).not.toBe(old);
    expect(trainer.engine).not.toBe(first);
    expect(after).toBe(0);
  });

  test('opening is retried after each of the given waits', async () => {
    let tries = 0;
    const open = async () => {
      if (++tries < 3) throw new Error('busy');
      return 'open';
    };
    const lost = new DeviceLost('gone.');
    expect(await openWithRetries(open, lost, [0, 1, 2])).toBe('open');
    tries = -10;
    await expect(openWithRetries(open, lost, [0, 1])).rejects.toThrow(
      /gone. It could not be reopened in 2 attempts: busy/,
    );
  });
});
