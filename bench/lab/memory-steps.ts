/**
 * Compares the cost of single memory steps with whole sequences:
 *   node bench/run.mjs bench/lab/memory-steps.ts
 * Prints microseconds per time step, forward and backward: with whole sequences; with step() and
 * stepBackward(); with their synchronous versions on engine cpu; and with all steps recorded into
 * one encoder, on device buffers, on engine gpu. Median (minimum) of 7 samples, after 2 for warm-up.
 *
 * 2026-11-26, stack, two cores of an AMD EPYC under other load,
 * SwiftShader without bounds checks. Minimum of the samples, µs:
 *
 *                           cpu: sequences  steps  sync   gpu: sequences  steps  recorded   reference: sequences  steps
 *   B = 1,   T = 64,  M = 8            1.2     14   8.5              8.8    955        90                    8.5     11
 *   B = 32,  T = 64,  M = 16           9.7     20   9.9              100    480       118                    712    597
 *   B = 128, T = 128, M = 32            44     37    63              677    672       246                  5,846  9,925
 *
 * On engine cpu a single step costs up to 13 µs more than its share of a sequence (stepSync() up to 19).
 * On SwiftShader it costs up to a
 * millisecond more, mostly for two round trips to the device; a recorded step takes 90 to 246 µs.
 */
import { memoryKind } from '../../src/base/memories.ts';
import type { DeviceArray, Engine, MemoryShape } from '../../src/engine/engine.ts';
import { createGpuEngine } from '../../src/engine/gpu.ts';
import { requestDevice } from '../../src/gpu/device.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';
import { openEngine } from '../../src/platform/node/engine.ts';

const SIZES = [
  { B: 1, T: 64, M: 8 },
  { B: 32, T: 64, M: 16 },
  { B: 128, T: 128, M: 32 },
];

async function medianUs(T: number, work: () => Promise<unknown> | unknown): Promise<string> {
  const times: number[] = [];
  for (let n = 0; n < 9; n++) {
    const start = performance.now();
    await work();
    if (n >= 2) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return `${((1000 * times[3]) / T).toFixed(1)} (${((1000 * times[0]) / T).toFixed(1)})`;
}

async function measure(
  engine: Engine,
  shape: MemoryShape,
  device?: GPUDevice,
): Promise<Record<string, string>> {
  const { kind, B, T, M } = shape;
  const memory = await engine.memory(shape);
  const numbers = (length: number) => Float32Array.from({ length }, (_, k) => ((k * 7919) % 1000) / 1000);
  const count = memoryKind(kind).controls.length;
  const all = [...Array.from({ length: count }, () => numbers(B * T)), numbers(B * T * M)];
  const step = [...Array.from({ length: count }, () => numbers(B)), numbers(B * M)];
  const [dAll, dStep] = [numbers(B * T * M), numbers(B * M)];
  const times: Record<string, string> = {};
  times.sequences = await medianUs(T, async () => {
    await memory.forward(...all);
    await memory.backward(dAll);
  });
  await memory.reset();
  times.steps = await medianUs(T, async () => {
    await memory.reset();
    for (let t = 0; t < T; t++) await memory.step(...step);
    for (let t = 0; t < T; t++) await memory.stepBackward(dStep);
  });
  if (!device) {
    times['steps, sync'] = await medianUs(T, () => {
      memory.reset();
      for (let t = 0; t < T; t++) memory.stepSync(...step);
      for (let t = 0; t < T; t++) memory.stepBackwardSync(dStep);
    });
  } else {
    const buffer = (length: number) =>
      device.createBuffer({ size: 4 * length, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    const arrays: Record<string, DeviceArray> = { push: buffer(B), pop: buffer(B), value: buffer(B * M) };
    const gradients: Record<string, DeviceArray> = {
      dPush: buffer(B),
      dPop: buffer(B),
      dValue: buffer(B * M),
    };
    const [read, dRead] = [buffer(B * M), buffer(B * M)];
    const recorder = await memory.recordSteps();
    times['steps, recorded'] = await medianUs(T, async () => {
      recorder.reset();
      const encoder = device.createCommandEncoder();
      for (let t = 0; t < T; t++) recorder.step(encoder, { ...arrays, read });
      for (let t = 0; t < T; t++) recorder.stepBackward(encoder, { ...gradients, dRead });
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
    });
  }
  memory.destroy();
  return times;
}

export async function main(): Promise<number> {
  const { found } = await findAdapter();
  const device = found && (await requestDevice(found.adapter));
  const engines: [Engine, GPUDevice?][] = [[await openEngine('cpu')], [await openEngine('reference')]];
  if (device) engines.push([await createGpuEngine(device, found.description), device]);
  for (const [engine, engineDevice] of engines) {
    console.log(`${engine.name}: ${engine.adapter.name}, ${engine.adapter.threads ?? 1} threads`);
    for (const size of SIZES) {
      const shape = { kind: 'stack' as const, ...size };
      const times = await measure(engine, shape, engineDevice);
      const cells = Object.entries(times).map(([name, us]) => `${name} ${us}`);
      console.log(
        `  B=${size.B}, T=${size.T}, M=${size.M}: µs per step, median (minimum): ${cells.join('; ')}`,
      );
    }
  }
  return 0;
}
