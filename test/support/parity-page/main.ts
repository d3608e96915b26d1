import type { Engine } from '../../../src/engine/engine.ts';
import { type GpuOptions, gpuEngineOn } from '../../../src/engine/gpu.ts';
import { createReferenceEngine } from '../../../src/engine/reference.ts';
import { Gpu, requestDevice } from '../../../src/gpu/device.ts';
import { findAdapter, openEngine } from '../../../src/platform/browser/engine.ts';
import { ENGINES, REFERENCE } from '../../../src/platform/names.ts';
import { compareMemory, KINDS, memoryTruth, RANGES } from '../memory-parity.ts';
import { losses } from '../training-losses.ts';

/** Engines of this browser; of the kernels every form of the memory. */
async function open(): Promise<{ memories: Record<string, Engine>; models: Record<string, Engine> }> {
  const { adapter, description } = await findAdapter();
  const gpu = new Gpu(await requestDevice(adapter), description.kind === 'software');
  const on = (options: GpuOptions = {}): Engine => gpuEngineOn(gpu, description, options);
  const others = ENGINES.map(({ name }) => name).filter(name => name !== 'gpu' && name !== REFERENCE);
  const opened = await Promise.all(others.map(async name => [name, await openEngine(name)] as const));
  return {
    memories: {
      'gpu, lane': on({ memory: { form: 'lane', size: 8, subgroups: false } }),
      'gpu, block': on({ memory: { form: 'block', size: 32, subgroups: false } }),
      ...(gpu.subgroups && {
        'gpu, block with subgroups': on({ memory: { form: 'block', size: 32, subgroups: true } }),
      }),
      ...Object.fromEntries(opened),
    },
    models: { gpu: on(), ...Object.fromEntries(opened) },
  };
}

/** Runs parity in a page and leaves the largest differences, named, in window.parity for puppeteer to fetch. */
async function run(): Promise<Record<string, number>> {
  const { memories, models } = await open();
  const found: Record<string, number> = {};
  for (const kind of KINDS) {
    for (const range of Object.keys(RANGES)) {
      for (const [B, T, M] of [
        [1, 1, 1],
        [7, 64, 2],
        [7, 65, 32],
        [30, 100, 100],
      ]) {
        const truth = memoryTruth(kind, T, M, range);
        for (const [name, engine] of Object.entries(memories)) {
          for (const [tensor, difference] of Object.entries(await compareMemory(engine, truth, B))) {
            found[`${name}, ${kind}, ${range}, B=${B}, T=${T}, M=${M}: ${tensor}`] = difference;
          }
        }
      }
    }
  }
  for (const [name, engine] of Object.entries(models)) {
    for (const preset of ['reverse', 'tutorial-part5', 'tutorial-part6']) {
      const ours = await losses(engine, preset, 20);
      const truth = await losses(createReferenceEngine(), preset, 20);
      found[`${name}: twenty losses of ${preset}`] = Math.max(
        ...truth.map(({ objective }, k) => Math.abs(ours[k].objective / objective - 1)),
      );
    }
  }
  return found;
}

Object.assign(window, { parity: run() });
