import type { Engine } from '../../../src/engine/engine.ts';
import { gpuEngineOn } from '../../../src/engine/gpu.ts';
import { createReferenceEngine } from '../../../src/engine/reference.ts';
import { requestDevice } from '../../../src/gpu/device.ts';
import { PROFILE_NAMES } from '../../../src/gpu/profile.ts';
import { openGpu } from '../../../src/kernels/open.ts';
import { openEngine } from '../../../src/platform/browser/engine.ts';
import { findAdapter } from '../../../src/platform/browser/platform.ts';
import { ENGINES, REFERENCE } from '../../../src/platform/names.ts';
import { firstReports } from '../first-reports.ts';
import { compareMemory, KINDS, memoryTruth, RANGES } from '../memory-parity.ts';

/** The engines of this browser; the GPU engine once with the kernels of each profile. */
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

/** Compares the engines with the reference. Returns the largest relative differences by name. */
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
      const ours = await firstReports(engine, preset, 20);
      const truth = await firstReports(createReferenceEngine(), preset, 20);
      found[`${name}: twenty losses of ${preset}`] = Math.max(
        ...truth.map(({ objective }, k) => Math.abs(ours[k].objective / objective - 1)),
      );
    }
  }
  return found;
}

// For puppeteer.
Object.assign(window, { parity: run() });
