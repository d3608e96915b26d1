import { describe, expect, test } from 'vitest';
import { assign, type Config } from '../../src/base/config.ts';
import { DeviceLost } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import { preset } from '../../src/train/presets.ts';
import type { Recovered } from '../../src/train/recovery.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { comparable } from '../support/comparable.ts';
import { ITSELF, RUN_PROFILES } from '../support/engines.ts';
import { type Losing, losing, losingGpus } from '../support/losing.ts';

/**
 * Engines, including devices of this machine's adapter, are lost during training: the numbers equal those of an uninterrupted
 * run, to the last bit. PUSHDOWN_LOSSES=200 sets the number of losses; the default is small.
 */
const LOSSES = Number(process.env['PUSHDOWN_LOSSES'] ?? 2);
const configOf = (steps: number) =>
  assign(preset('tutorial-part6'), [
    `steps=${steps}`,
    'reportEvery=20',
    'evaluateEvery=200',
    'stopAt=0',
    'restartAfter=0',
  ]);
const config = configOf(800);
const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

async function run(engines: Losing, config: Config, losses: number, seed = 0) {
  const rng = new Rng(seed, 1);
  const log: unknown[] = [];
  const recovered: Recovered[] = [];
  let planned = 0;
  const trainer = await Trainer.start(await engines.open(), config, {
    onProgress: ({ step, loss, gradientNorm }) => log.push({ step, loss, gradientNorm }),
    onEvaluation: ({ loss, coarse }, step) => log.push({ step, loss, coarse }),
    onRecovered: one => recovered.push(one),
    reopen: engines.open,
    snapshotMs: 20,
  });
  // Between two steps, or in the middle of submitted work: a timer does not distinguish them.
  let over = false;
  const next = (): void => {
    if (over || planned >= losses) return;
    setTimeout(
      () => {
        if (over) return;
        if (recovered.length === planned) {
          planned++;
          engines.lose();
        }
        next();
      },
      50 + 400 * rng.uniform(),
    );
  };
  next();
  const ending = await trainer.run();
  over = true;
  const checkpoint = comparable(await trainer.snapshot());
  trainer.engine.destroy();
  return { ending, checkpoint, log, recovered, opened: engines.opened };
}

describe.each([...RUN_PROFILES, ITSELF])('$name', profile => {
  test('losing an engine loses no work', async () => {
    // The reference is slow, but is lost after the same number of seconds.
    const own = profile === ITSELF ? configOf(150) : config;
    const alone = await run(losing(profile), own, 0);
    expect(alone.checkpoint.state.step).toBe(own.train.steps);
    let all = 0;
    for (let seed = 1; all < LOSSES; seed++) {
      const disturbed = await run(losing(profile), own, Math.min(8, LOSSES - all), seed);
      all += disturbed.recovered.length;
      expect(disturbed.checkpoint).toEqual(alone.checkpoint);
      expect(disturbed.log).toEqual(alone.log);
      expect(disturbed.opened).toBe(1 + disturbed.recovered.length);
      for (const { step, from } of disturbed.recovered) expect(from).toBeLessThanOrEqual(step);
    }
    if (LOSSES > 10) console.log(`${all} devices lost, nothing with them`);
  }, 3_600_000);

  test('a run whose device is lost while it starts runs on another one from the start', async () => {
    const short = assign(config, ['steps=40']);
    const trained = async (lose: boolean) => {
      const engines = losing(profile);
      const first = await engines.open();
      if (lose) engines.lose();
      const trainer = await Trainer.start(first, short, { reopen: engines.open });
      expect(trainer.engine === first).toBe(!lose);
      await trainer.run();
      const checkpoint = comparable(await trainer.snapshot());
      trainer.engine.destroy();
      return { checkpoint, opened: engines.opened };
    };
    const alone = await trained(false);
    expect(await trained(true)).toEqual({ ...alone, opened: 2 });
    const engines = losing(profile);
    const only = await engines.open();
    engines.lose();
    await expect(Trainer.start(only, short)).rejects.toThrow(DeviceLost);
  }, 60_000);

  test('a run that is destroyed while it recovers leaves no engine behind', async () => {
    const engines = losing(profile);
    const opened: Engine[] = [];
    let trainer: Trainer | undefined;
    trainer = await Trainer.start(await engines.open(), config, {
      async reopen() {
        const engine = await engines.open();
        opened.push(engine);
        trainer?.destroy();
        return engine;
      },
    });
    const running = trainer.run();
    await wait(300);
    engines.lose();
    await expect(running).rejects.toThrow(DeviceLost);
    expect(opened).toHaveLength(1);
    await expect(opened[0].memory({ kind: 'stack', B: 1, T: 1, M: 1 })).rejects.toThrow('was destroyed');
  }, 60_000);
});

test('losing a device while kernels compile throws DeviceLost, and nothing else', async () => {
  const plans: GpuOptions[] = [
    {},
    { plan: 'stepwise' },
    { form: { form: 'block', size: 32, subgroups: false } },
  ];
  // Small, because a compilation that has started is waited for.
  const small = assign(config, ['hidden=6', 'width=3']);
  for (const options of plans) {
    for (const ms of [0, 20, 60]) {
      const engines = losingGpus(options);
      const engine = await engines.open();
      const { spec } = setup(small);
      const opening = engine.model(spec, small.train, initialState(spec, small.train));
      // The model may be ready before the device is lost; then the loss appears at the first wait.
      const asked = opening.then(async model => {
        await wait(ms + 200);
        return model.state();
      });
      setTimeout(() => engines.lose(), ms);
      await expect(asked).rejects.toThrow(DeviceLost);
      // Unhandled rejections are reported a moment later.
      await wait(50);
      engine.destroy();
    }
  }
}, 120_000);
