/**
 * Measures how long single submissions keep the device busy if the work is long:
 *   node bench/run.mjs bench/lab/slices.ts
 * It runs training steps of `reverse` with sources of up to 1,000 symbols, and passes of a memory over
 * 65,536 time steps. It prints the total time, the number of submissions, and the time of the longest one.
 */
import { assign } from '../../src/base/config.ts';
import { createGpuEngine } from '../../src/engine/gpu.ts';
import { requestDevice } from '../../src/gpu/device.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';
import { trainingBatch } from '../../src/train/model.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { memoryInputs } from '../problems.ts';

export async function main(): Promise<number> {
  const { found } = await findAdapter();
  if (!found) throw new Error('no WebGPU adapter.');
  const device = await requestDevice(found.adapter);
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let times: number[] = [];
  let last = 0;
  queue.submit = buffers => {
    const submitted = performance.now();
    submit(buffers);
    queue.onSubmittedWorkDone().then(() => {
      const now = performance.now();
      // A submission starts when the previous one is done.
      times.push(now - Math.max(submitted, last));
      last = now;
    });
    return undefined;
  };
  const engine = await createGpuEngine(device, found.description);
  const config = assign(preset('reverse'), ['maxLength=1000', 'batch=64']);
  const { task, spec } = setup(config);
  const model = await engine.model(spec, config.train, initialState(spec, config.train));
  console.log(`${found.description.name}, ${model.plan}`);
  const report = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    times = [];
    const start = performance.now();
    await work();
    const ms = performance.now() - start;
    await new Promise(resolve => setTimeout(resolve, 50));
    console.log(
      `${what}: ${ms.toFixed(0)} ms in ${times.length} submissions, the longest ${Math.max(...times).toFixed(0)} ms`,
    );
  };
  for (let step = 0; step < 5; step++) {
    const batch = trainingBatch(task, config, step, 1000);
    await report(`T = ${batch.T}, B = ${batch.B}`, async () => {
      await model.step(batch);
      await model.reports();
    });
  }
  const [kind, B, T, M] = ['stack', 8, 65_536, 16] as const;
  const memory = await engine.memory({ kind, B, T, M });
  const { push, pop, value, dRead } = memoryInputs({ kind, B, T, M, strengths: 'near 1' });
  for (let pass = 0; pass < 6; pass++) {
    await report(`${kind}, T = ${T}, B = ${B}: forward`, () => memory.forward(push, pop, value));
    await report('backward', () => memory.backward(dRead));
  }
  engine.destroy();
  return 0;
}
