import type { Engine } from '../../../src/engine/engine.ts';
import { gpuEngineOn } from '../../../src/engine/gpu.ts';
import { createReferenceEngine } from '../../../src/engine/reference.ts';
import { requestDevice } from '../../../src/gpu/device.ts';
import { PROFILE_NAMES } from '../../../src/gpu/profile.ts';
import { openGpu } from '../../../src/kernels/open.ts';
import { openEngine } from '../../../src/platform/browser/engine.ts';
import { findAdapter } from '../../../src/platform/browser/platform.ts';
import { ENGINES, REFERENCE } from '../../../src/platform/names.ts';
import { compareMemory, KINDS, memoryTruth, RANGES } from '../memory-parity.ts';
import { losses } from '../training-losses.ts';

/** Engines of this browser, with the kernels for each kind of device. */
async function open(): Promise<Record<string, Engine>> {
  const { adapter, description } = await findAdapter();
  const device = await requestDevice(adapter);
  const kernels: (readonly [string, Engine])[] = [];
  for (const name of PROFILE_NAMES) {
    const { gpu } = await openGpu(device, description.kind, name);
    kernels.push([`gpu, as on ${name}`, gpuEngineOn(gpu, description)]);
  }
  const others = ENGINES.map(({ name }) => name).filter(name => name !== 'gpu' && name !== REFERENCE);
  const opened = await Promise.all(others.map(async name => [name, await openEngine(name)] as const));
  return Object.fromEntries([...kernels, ...opened]);
}

/**
 * Sizes as [B, T, M]: all of them with uniform strengths, the first two with every range. The tests in Node cover more.
 */
const SIZES = [
  [7, 64, 2],
  [7, 65, 32],
  [1, 1, 2],
  [30, 100, 32],
];

/** Runs parity in a page and stores the largest differences by name in window.parity, for puppeteer. */
async function run(): Promise<Record<string, number>> {
  const engines = await open();
  const found: Record<string, number> = {};
  for (const kind of KINDS) {
    for (const range of Object.keys(RANGES)) {
      for (const [B, T, M] of range === 'uniform' ? SIZES : SIZES.slice(0, 2)) {
        const truth = memoryTruth(kind, T, M, range);
        for (const [name, engine] of Object.entries(engines)) {
          for (const [tensor, difference] of Object.entries(await compareMemory(engine, truth, B))) {
            found[`${name}, ${kind}, ${range}, B=${B}, T=${T}, M=${M}: ${tensor}`] = difference;
          }
        }
      }
    }
  }
  for (const [name, engine] of Object.entries(engines)) {
    for (const preset of ['tutorial-part5', 'tutorial-part6']) {
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
