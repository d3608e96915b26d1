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
import { REFERENCE_VARIANT, RUN_VARIANTS } from '../support/engines.ts';
import { type LosableEngines, losableEngines, losableGpus } from '../support/losable-engines.ts';

/**
 * Engines, including devices of this machine's adapter, are lost during training: the numbers are exactly those of an
 * uninterrupted run. PUSHDOWN_LOSSES=200 sets the number of losses; the default is small.
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

/** Trains a run to its end, with this number of losses at random times. */
async function run(engines: LosableEngines, config: Config, losses: number, seed = 0) {
  const rng = new Rng(seed, 1);
  const log: unknown[] = [];
  const recovered: Recovered[] = [];
  let planned = 0;
  const trainer = await Trainer.start(await engines.open(), config, {
    onProgress: ({ step, loss, gradientNorm }) => log.push({ step, loss, gradientNorm }),
    onEvaluation: ({ loss, coarse }, step) => log.push({ step, loss, coarse }),
    onRecovered: recovery => recovered.push(recovery),
    reopen: engines.open,
    snapshotMs: 20,
  });
  // The timer may fire between two steps or while work is in flight: both are tested.
  let ended = false;
  const scheduleLoss = (): void => {
    if (ended || planned >= losses) return;
    setTimeout(
      () => {
        if (ended) return;
        if (recovered.length === planned) {
          planned++;
          engines.lose();
        }
        scheduleLoss();
      },
      50 + 400 * rng.uniform(),
    );
  };
  scheduleLoss();
  const ending = await trainer.run();
  ended = true;
  const checkpoint = comparable(await trainer.snapshot());
  trainer.engine.destroy();
  return { ending, checkpoint, log, recovered, opened: engines.opened };
}

describe.each([...RUN_VARIANTS, REFERENCE_VARIANT])('$name', variant => {
  test('a run that loses its engine ends with the numbers of an uninterrupted run', async () => {
    // The reference is slow, and losses come at the same times on every engine, so its run has fewer steps.
    const variantConfig = variant === REFERENCE_VARIANT ? configOf(150) : config;
    const undisturbed = await run(losableEngines(variant), variantConfig, 0);
    expect(undisturbed.checkpoint.state.step).toBe(variantConfig.train.steps);
    let total = 0;
    for (let seed = 1; total < LOSSES; seed++) {
      const losses = Math.min(8, LOSSES - total);
      const disturbed = await run(losableEngines(variant), variantConfig, losses, seed);
      total += disturbed.recovered.length;
      expect(disturbed.checkpoint).toEqual(undisturbed.checkpoint);
      expect(disturbed.log).toEqual(undisturbed.log);
      expect(disturbed.opened).toBe(1 + disturbed.recovered.length);
      for (const { step, from } of disturbed.recovered) expect(from).toBeLessThanOrEqual(step);
    }
    if (LOSSES > 10) console.log(`${total} engines lost, all numbers equal`);
  }, 3_600_000);

  test('if the device is lost while a run starts, the run opens another device and continues on it', async () => {
    const short = assign(config, ['steps=40']);
    const trained = async (lose: boolean) => {
      const engines = losableEngines(variant);
      const first = await engines.open();
      if (lose) engines.lose();
      const trainer = await Trainer.start(first, short, { reopen: engines.open });
      expect(trainer.engine === first).toBe(!lose);
      await trainer.run();
      const checkpoint = comparable(await trainer.snapshot());
      trainer.engine.destroy();
      return { checkpoint, opened: engines.opened };
    };
    const undisturbed = await trained(false);
    expect(await trained(true)).toEqual({ ...undisturbed, opened: 2 });
    const engines = losableEngines(variant);
    const only = await engines.open();
    engines.lose();
    await expect(Trainer.start(only, short)).rejects.toThrow(DeviceLost);
  }, 60_000);

  test('a run that is destroyed while it recovers leaves no engine behind', async () => {
    const engines = losableEngines(variant);
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

test('losing a device while kernels compile throws DeviceLost, and causes no unhandled rejection', async () => {
  const plans: GpuOptions[] = [
    {},
    { plan: 'stepwise' },
    { form: { form: 'block', size: 32, subgroups: false } },
  ];
  // Small, because the test waits for compilations that have started.
  const small = assign(config, ['hidden=6', 'width=3']);
  for (const options of plans) {
    for (const ms of [0, 40]) {
      const engines = losableGpus(options);
      const engine = await engines.open();
      const { spec } = setup(small);
      const opening = engine.model(spec, small.train, initialState(spec, small.train));
      // The model may be ready before the device is lost; then the loss appears at the first wait.
      const state = opening.then(async model => {
        await wait(ms + 200);
        return model.state();
      });
      setTimeout(() => engines.lose(), ms);
      await expect(state).rejects.toThrow(DeviceLost);
      // Unhandled rejections are reported a moment later.
      await wait(50);
      engine.destroy();
    }
  }
}, 120_000);
