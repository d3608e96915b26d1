import { assign } from '../../src/base/config.ts';
import { bind, dispatch } from '../../src/gpu/device.ts';
import { batchBuffers, modelBuffers } from '../../src/kernels/arena.ts';
import { layoutOf, pack } from '../../src/kernels/layout.ts';
import { type BufferName, compilePlan } from '../../src/kernels/plan.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';
import { trainingBatch } from '../../src/train/trainer.ts';
import { openGpu } from '../../test/support/device.ts';

const gpu = await openGpu();
const name = process.argv[2] ?? 'reverse';
const config = assign(preset(name), process.argv.slice(3));
const { task, spec } = setup(config);
const layout = layoutOf(spec);
const t0 = performance.now();
const plan = await compilePlan(gpu, layout, config.train);
console.log(name, plan.form, 'compile ms', (performance.now() - t0).toFixed(0), 'params vec4', layout.size4);
const batch = trainingBatch(task, config, 0, config.task.maxLength);
const own = modelBuffers(gpu, layout);
const bb = batchBuffers(gpu, layout, batch.B, batch.T, batch.K);
const all = new Map([...own.buffers, ...bb.buffers]);
gpu.device.queue.writeBuffer(
  all.get('params')!,
  0,
  pack(layout, initialState(spec, config.train).parameters),
);
const used = bb.write(batch, 0, plan.parts(batch.B, batch.T), [1, 1]);
gpu.device.queue.writeBuffer(all.get('batch')!, 0, bb.words, 0, used);
const size = { B: batch.B, T: batch.T, parts: plan.parts(batch.B, batch.T) };
const runAll = async (launches: typeof plan.step, n: number) => {
  const bound = launches.map(l => ({
    b: bind(
      gpu,
      l.kernel,
      l.buffers.map(x => all.get(x as BufferName)!),
    ),
    g: l.groups(size),
  }));
  const t = performance.now();
  gpu.submit('x', e => {
    const p = e.beginComputePass();
    for (let i = 0; i < n; i++) for (const { b, g } of bound) dispatch(p, b, g);
    p.end();
  });
  await gpu.device.queue.onSubmittedWorkDone();
  return (performance.now() - t) / n;
};
await runAll(plan.step, 3);
let total = 0;
const steps = batch.lengths.reduce((a, b) => a + b, 0);
for (const l of plan.step) {
  const ts = [];
  for (let k = 0; k < 5; k++) ts.push(await runAll([l], 20));
  ts.sort((a, b) => a - b);
  total += ts[0];
  console.log(l.kernel.label.padEnd(30), l.groups(size).join('x').padStart(8), ts[0].toFixed(3));
}
console.log(
  'sum',
  total.toFixed(2),
  'all',
  (await runAll(plan.step, 20)).toFixed(2),
  'time steps',
  steps,
  'T*B',
  batch.T * batch.B,
);

{
  const bound = plan.step.map(l => ({
    b: bind(
      gpu,
      l.kernel,
      l.buffers.map(x => all.get(x as BufferName)!),
    ),
    g: l.groups(size),
  }));
  const rec = (e: GPUCommandEncoder) => {
    const p = e.beginComputePass();
    for (const { b, g } of bound) dispatch(p, b, g);
    p.end();
  };
  const timeIt = async (name: string, f: (i: number) => void, n = 100) => {
    for (let rep = 0; rep < 3; rep++) {
      const t = performance.now();
      for (let i = 0; i < n; i++) f(i);
      const h = performance.now();
      await gpu.device.queue.onSubmittedWorkDone();
      console.log(
        name.padEnd(30),
        'host',
        ((h - t) / n).toFixed(3),
        'total',
        ((performance.now() - t) / n).toFixed(3),
      );
    }
  };
  await timeIt('submit each', () => gpu.submit('x', rec));
  await timeIt('write + submit each', () => {
    gpu.device.queue.writeBuffer(all.get('batch')!, 0, bb.words, 0, used);
    gpu.submit('x', rec);
  });
  await timeIt('one submit of 10', i => {
    if (i % 10 === 0)
      gpu.submit('x', e => {
        for (let k = 0; k < 10; k++) rec(e);
      });
  });
  const { createGpuEngine } = await import('../../src/engine/gpu.ts');
  const engine = await createGpuEngine(gpu.device, { name: 'x', kind: 'software', reason: '' });
  const model = await engine.model(spec, config.train, initialState(spec, config.train));
  await timeIt('model.step', () => model.step(batch));
  await model.reports();
  await timeIt('sample + model.step', i => model.step(trainingBatch(task, config, i, config.task.maxLength)));
  await model.reports();
  await timeIt('sample', i => {
    trainingBatch(task, config, i, config.task.maxLength);
  });
}
process.exit(0);
