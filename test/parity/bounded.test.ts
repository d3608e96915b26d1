import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { createGpuEngine } from '../../src/engine/gpu.ts';
import { preset } from '../../src/train/presets.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { openDevice } from '../support/device.ts';

/** Runs the garbage collector, so that only referenced objects remain. */
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** A device whose live buffers and their bytes are counted. */
async function countingDevice() {
  const { device, description } = await openDevice();
  const alive = new Map<GPUBuffer, number>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = descriptor => {
    const buffer = create(descriptor);
    alive.set(buffer, descriptor.size);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  const bytes = () => [...alive.values()].reduce((sum, size) => sum + size, 0);
  return { device, description, bytes, count: () => alive.size };
}

/** PUSHDOWN_STEPS=10000 for a longer test. */
const STEPS = Number(process.env.PUSHDOWN_STEPS ?? 1000);

/** Memory held by JavaScript, including typed arrays, which are outside its heap. */
const held = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

test(`${STEPS} steps after the first hundred, device memory is the same, and host memory nearly the same`, {
  timeout: 120_000 + 60 * STEPS,
}, async () => {
  const { device, description, bytes, count } = await countingDevice();
  const engine = await createGpuEngine(device, description);
  const config = assign(preset('tutorial-part6'), [
    `steps=${STEPS + 200}`,
    'stopAt=0',
    'restartAfter=0',
    'growEvery=0',
    'evaluateEvery=100',
  ]);
  const trainer = await Trainer.start(engine, config, { snapshotMs: 50 });
  const train = async (steps: number) => {
    const until = trainer.step + steps;
    const running = trainer.run();
    while (trainer.step < until && !trainer.ending) await new Promise(resolve => setTimeout(resolve, 1));
    trainer.pause();
    await running;
    await trainer.snapshot();
    collect();
  };
  await train(100);
  const before = { count: count(), bytes: bytes(), held: held() };
  await train(STEPS);
  expect(trainer.step).toBeGreaterThanOrEqual(STEPS + 100);
  expect({ count: count(), bytes: bytes() }).toEqual({ count: before.count, bytes: before.bytes });
  // The JIT compiler takes some memory. If each step leaked its batch, 1000 steps would leak 5 MiB.
  expect(held() - before.held).toBeLessThan(2 ** 21);
  trainer.destroy();
  expect(trainer.model.bytes).toBeGreaterThan(0);
  engine.destroy();
});

test('destroyed models leave nothing on the device', async () => {
  const { device, description, bytes, count } = await countingDevice();
  const engine = await createGpuEngine(device, description);
  const config = assign(preset('tutorial-part6'), ['steps=3', 'stopAt=0', 'restartAfter=0']);
  const once = async () => {
    const trainer = await Trainer.start(engine, config);
    await trainer.run();
    trainer.destroy();
  };
  await once();
  const before = { count: count(), bytes: bytes() };
  for (let i = 0; i < 5; i++) await once();
  expect({ count: count(), bytes: bytes() }).toEqual(before);
  engine.destroy();
});

test('an out-of-memory error names the allocation that was too large', async () => {
  const { device, description } = await openDevice();
  const create = device.createBuffer.bind(device);
  const pop = device.popErrorScope.bind(device);
  let full = false;
  let denied = false;
  device.createBuffer = descriptor => {
    denied = full && descriptor.label?.startsWith('acts') === true;
    return create(descriptor);
  };
  device.popErrorScope = async () => {
    const out = denied;
    denied = false;
    const error = await pop();
    return out ? ({ message: 'out of memory' } as GPUError) : error;
  };
  const engine = await createGpuEngine(device, description);
  const config = assign(preset('tutorial-part6'), ['steps=3']);
  const trainer = await Trainer.start(engine, config);
  await trainer.singleStep();
  full = true;
  trainer.model.reserve(512, 40, 2);
  await new Promise(resolve => setTimeout(resolve, 50));
  await expect(trainer.singleStep()).rejects.toThrow(
    /acts \(B=512, T=40\) needs .* and the device is out of memory: use a smaller batch/,
  );
  engine.destroy();
});
