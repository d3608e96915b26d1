import { parseArgs } from 'node:util';
import { assign } from '../src/base/config.ts';
import { findAdapter } from '../src/cli/adapter.ts';
import { bind, dispatch, Gpu, requestDevice } from '../src/gpu/device.ts';
import { batchBuffers, modelBuffers } from '../src/kernels/arena.ts';
import type { Launch } from '../src/kernels/launch.ts';
import { layoutOf, pack } from '../src/kernels/layout.ts';
import { compilePlan } from '../src/kernels/plan.ts';
import { preset } from '../src/train/presets.ts';
import { initialState, setup } from '../src/train/setup.ts';
import { trainingBatch } from '../src/train/trainer.ts';
import { spread } from './harness.ts';

/**
 * Where the time of a training step goes: every dispatch of a preset's step alone, and all of them together.
 *
 *   node bench/run.mjs bench/kernels.ts --preset reverse --set hidden=48
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', default: 'reverse' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const { found } = await findAdapter();
  if (!found) throw new Error('no WebGPU adapter');
  const gpu = new Gpu(await requestDevice(found.adapter), found.description.kind === 'software');
  const config = assign(preset(values.preset), values.set);
  const { task, spec } = setup(config);
  const layout = layoutOf(spec);
  const start = performance.now();
  const plan = await compilePlan(gpu, layout, config.train, { plan: 'fused' });
  const compiled = performance.now() - start;
  const batch = trainingBatch(task, config, 0, config.task.maxLength);
  const sized = batchBuffers(gpu, layout, batch.B, batch.T, batch.K);
  const buffers = new Map([...modelBuffers(gpu, layout).buffers, ...sized.buffers]);
  const { queue } = gpu.device;
  queue.writeBuffer(buffers.get('params')!, 0, pack(layout, initialState(spec, config.train).parameters));
  const size = { B: batch.B, T: batch.T, parts: plan.parts(batch.B, batch.T) };
  queue.writeBuffer(buffers.get('batch')!, 0, sized.words, 0, sized.write(batch, 0, size.parts, [1, 1]));

  const time = async (launches: Launch[], repeats = 20): Promise<number> => {
    const bound = launches.map(({ kernel, buffers: names, groups }) => ({
      bound: bind(
        gpu,
        kernel,
        names.map(name => buffers.get(name)!),
      ),
      groups: groups(size),
    }));
    const begin = performance.now();
    gpu.submit('bench', encoder => {
      const pass = encoder.beginComputePass();
      for (let i = 0; i < repeats; i++) for (const one of bound) dispatch(pass, one.bound, one.groups);
      pass.end();
    });
    await queue.onSubmittedWorkDone();
    return (performance.now() - begin) / repeats;
  };
  const measure = async (label: string, launches: Launch[]): Promise<void> => {
    const samples: number[] = [];
    for (let k = 0; k < 9; k++) samples.push(await time(launches));
    const { median, low, high } = spread(samples);
    console.log(`${label.padEnd(28)} ${median.toFixed(3)} ms (${low.toFixed(3)}–${high.toFixed(3)})`);
  };

  // The fused plan has no loops.
  const launches = plan.step.filter((work): work is Launch => !('loop' in work));
  const steps = batch.lengths.reduce((sum, length) => sum + length, 0);
  console.log(
    `${found.description.name} (${found.description.kind}), preset ${values.preset} ${values.set.join(' ')}`,
  );
  console.log(`form ${plan.form.form}, ${steps} time steps, compiled in ${(compiled / 1000).toFixed(1)} s`);
  await time(launches, 3);
  for (const launch of launches) await measure(launch.kernel.label, [launch]);
  await measure('all', launches);
  return 0;
}
