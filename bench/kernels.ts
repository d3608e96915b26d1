import { parseArgs } from 'node:util';
import { assign } from '../src/base/config.ts';
import { requestDevice } from '../src/gpu/device.ts';
import { batchBuffers, modelBuffers } from '../src/kernels/arena.ts';
import type { WorkUnit } from '../src/kernels/launch.ts';
import { openGpu } from '../src/kernels/open.ts';
import { whole } from '../src/kernels/pieces.ts';
import { prepare } from '../src/kernels/prepare.ts';
import { layoutOf } from '../src/layout/layout.ts';
import { pack } from '../src/layout/pack.ts';
import { planName } from '../src/platform/engines.ts';
import { preset } from '../src/train/all-presets.ts';
import { trainingBatch } from '../src/train/model.ts';
import { initialState, setup } from '../src/train/setup.ts';
import { spread } from './measure.ts';
import { countOption, needAdapter } from './node.ts';

/**
 * Shows where the time of a training step goes: measures every dispatch of a preset's step by itself,
 * and all of them together. A dispatch inside the loop over time steps is measured over all steps.
 *
 *   node bench/run.mjs bench/kernels.ts --preset reverse --set hidden=48 --plan stepwise
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', default: 'reverse' },
      set: { type: 'string', multiple: true, default: [] },
      plan: { type: 'string', default: 'auto' },
      samples: { type: 'string', default: '9' },
    },
  });
  const count = countOption('samples', values.samples, 1);
  const { adapter, description } = await needAdapter();
  const { gpu } = await openGpu(await requestDevice(adapter), description.kind);
  const config = assign(preset(values.preset), values.set);
  const { task, spec } = setup(config);
  const layout = layoutOf(spec);
  const start = performance.now();
  const { plan, program } = await prepare(gpu, layout, config.train, { plan: planName(values.plan) });
  const compiled = performance.now() - start;
  const batch = trainingBatch(task, config, 0, config.task.maxLength);
  const sized = batchBuffers(gpu, layout, batch.B, batch.T, batch.K);
  const buffers = new Map([...modelBuffers(gpu, layout).buffers, ...sized.buffers]);
  const { queue } = gpu.device;
  queue.writeBuffer(buffers.get('params')!, 0, pack(layout, initialState(spec, config.train).parameters));
  const size = { B: batch.B, T: batch.T, rowSplits: plan.rowSplits(batch.B, batch.T) };
  const written = sized.write(batch, 0, size.rowSplits, {
    rate: 0,
    firstMomentScale: 1,
    secondMomentScale: 1,
  });
  queue.writeBuffer(buffers.get('batch')!, 0, sized.words, 0, written);
  program.bind(name => buffers.get(name)!);

  const time = async (work: readonly WorkUnit[], repeats: number): Promise<number> => {
    const pieces = Array.from({ length: repeats }, () => whole(work)).flat();
    const begin = performance.now();
    gpu.submit('bench', program.recording('bench', pieces, size));
    await queue.onSubmittedWorkDone();
    return (performance.now() - begin) / repeats;
  };
  const measure = async (label: string, all: readonly WorkUnit[]): Promise<void> => {
    const once = await time(all, 1);
    const repeats = Math.max(1, Math.min(20, Math.round(50 / once)));
    const samples: number[] = [];
    for (let k = 0; k < count; k++) samples.push(await time(all, repeats));
    const { median, low, high } = spread(samples);
    console.log(`${label.padEnd(28)} ${median.toFixed(3)} ms (${low.toFixed(3)}–${high.toFixed(3)})`);
  };

  const real = batch.lengths.reduce((sum, length) => sum + length, 0);
  console.log(`${description.name} (${description.kind}), preset ${values.preset} ${values.set.join(' ')}`);
  console.log(
    `${plan.kind}, form ${plan.form.form}, ${real} time steps, compiled in ${(compiled / 1000).toFixed(1)} s`,
  );
  // From here on the buffers contain the numbers of a real step.
  await time(plan.step, 1);
  for (const work of plan.step) {
    if (!('loop' in work)) await measure(work.label, [work]);
    else for (const launch of work.launches) await measure(launch.label, [{ ...work, launches: [launch] }]);
  }
  await measure('all', plan.step);
  return 0;
}
