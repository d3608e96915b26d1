import { describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { CompileTimeout, InputError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createGpuEngine } from '../../src/engine/gpu.ts';
import type { PlanName } from '../../src/kernels/plan-names.ts';
import { NoAdapter, openingOn, type Platform } from '../../src/platform/engines.ts';
import { engineLine } from '../../src/platform/names.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { type FakeFailures, fakeDevice } from '../support/fake-device.ts';

/**
 * Adapters that never finish compiling: the next plan is tried, then the
 * next engine. The devices are fake, and behave as the test demands.
 */

// Small enough for the 8,192 bytes of private variables that WGSL guarantees to an invocation.
const config = assign(preset('reverse'), ['hidden=8', 'width=4']);
const { spec } = setup(config);
const open = (engine: Engine) => engine.model(spec, config.train, initialState(spec, config.train));

/** A platform with a GPU whose devices behave as given, together with the plans requested and the devices opened. */
function platformOf(behave: (plan: PlanName) => FakeFailures) {
  const plans: PlanName[] = [];
  const fakes: ReturnType<typeof fakeDevice>[] = [];
  const platform: Platform = {
    advice: '',
    threads: () => ({ cores: 1 }),
    async openGpu(plan, _software, _unsafe, compileSeconds) {
      plans.push(plan);
      const fake = fakeDevice(behave(plan));
      fakes.push(fake);
      const adapter = { name: 'a slow driver', kind: 'software' as const, reason: 'a test' };
      return createGpuEngine(fake.device, adapter, { plan, compileSeconds });
    },
  };
  return { ...openingOn(() => platform), plans, fakes };
}

const SECONDS = 0.1;
const options = { compileSeconds: SECONDS };

describe.each([
  ['whose pipelines are never built', { pipelines: 'never' }],
  ['whose first dispatch never ends', { work: 'never' }],
] as const)('a device %s', (_, behaviour) => {
  test('auto takes the next plan, then the next engine, and gives the reason in one line', async () => {
    const slow = platformOf(() => behaviour);
    const { engine, result } = await slow.openEngineWith('auto', options, open);
    expect(slow.plans).toEqual(['auto', 'stepwise']);
    expect(engine.name).toBe('cpu');
    expect(engineLine(engine)).toMatch(
      /^engine cpu · .* · the kernels of the fused plan did not compile and run once within 0.1 s; then with plan stepwise: a slow driver failed: the kernels of the stepwise plan did not compile and run once within 0.1 s/,
    );
    result.destroy();
    engine.destroy();
    // The devices are not destroyed, because destroying them would wait for work that never ends.
    expect(slow.fakes.map(({ destroyed }) => destroyed)).toEqual([false, false]);
  });

  test('the next plan is used if it compiles, and again when a lost device is replaced', async () => {
    const slow = platformOf(plan => (plan === 'stepwise' ? {} : behaviour));
    const { engine, result } = await slow.openEngineWith('gpu', options, open);
    expect(result.plan).toMatch(/^stepwise/);
    expect(engineLine(engine)).toBe(
      'engine gpu · a slow driver (software) · a test; plan stepwise, because the kernels of the fused plan did not compile and run once within 0.1 s',
    );
    const again = await slow.reopening(options)(engine);
    expect(again.plan).toBe('stepwise');
    expect(slow.plans).toEqual(['auto', 'stepwise', 'stepwise']);
  });

  test('if there is no second device, the error says why one was requested', async () => {
    const slow = platformOf(plan => {
      if (plan === 'stepwise') throw new NoAdapter('no adapter: the browser did not answer');
      return behaviour;
    });
    await expect(slow.openEngineWith('gpu', options, open)).rejects.toThrow(
      'the kernels of the fused plan did not compile and run once within 0.1 s; then with plan stepwise: no adapter: the browser did not answer',
    );
  });

  test('a plan requested by name is not replaced', async () => {
    const slow = platformOf(() => behaviour);
    await expect(slow.openEngineWith('gpu', { ...options, plan: 'fused' }, open)).rejects.toThrow(
      CompileTimeout,
    );
    expect(slow.plans).toEqual(['fused']);
  });

  test('a memory by itself moves to the next engine too', async () => {
    const slow = platformOf(() => behaviour);
    const shape = { kind: 'stack', B: 2, T: 3, M: 4 } as const;
    const { engine, result } = await slow.openEngineWith('auto', options, on => on.memory(shape));
    expect(engine.name).toBe('cpu');
    result.destroy();
    engine.destroy();
  });
});

test('a device that compiles in time is used, and destroyed with its engine', async () => {
  const quick = platformOf(() => ({}));
  const { engine, result } = await quick.openEngineWith('auto', {}, open);
  expect([engine.name, result.plan, quick.plans]).toEqual(['gpu', 'fused, lane', ['auto']]);
  result.destroy();
  engine.destroy();
  expect(quick.fakes[0].destroyed).toBe(true);
});

test('a device whose waits never end while it is opened is not used', async () => {
  const slow = platformOf(() => ({ waits: 'never' }));
  const { engine } = await slow.openEngineWith('auto', options, open);
  expect(slow.plans).toEqual(['auto']);
  expect(engine.adapter.reason).toMatch(/^the kernels did not compile and run once within 0.1 s/);
  engine.destroy();
});

test.each([0, -1, Number.NaN, '60', 1e9])('compileSeconds %s is refused', async compileSeconds => {
  const { openEngine } = platformOf(() => ({}));
  const options = { compileSeconds: compileSeconds as number };
  await expect(openEngine('gpu', options)).rejects.toThrow(InputError);
  const adapter = { name: 'own', kind: 'gpu' as const, reason: '' };
  await expect(createGpuEngine(fakeDevice({}).device, adapter, options)).rejects.toThrow(InputError);
});
