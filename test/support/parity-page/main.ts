import { createCpuEngine } from '../../../src/engine/cpu.ts';
import { createGpuEngine } from '../../../src/engine/gpu.ts';
import { Gpu, requestDevice } from '../../../src/gpu/device.ts';
import { compareMemory, FORMS, KINDS, memoryTruth, nameOf, RANGES } from '../memory-parity.ts';
import { losses } from '../training-losses.ts';

/** Runs parity in a page and leaves the largest differences, named, in window.parity for puppeteer to fetch. */
async function run(): Promise<Record<string, number>> {
  // An adapter gives one device.
  const openDevice = async (): Promise<GPUDevice> => {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error('no WebGPU adapter in this browser');
    return requestDevice(adapter);
  };
  const gpu = new Gpu(await openDevice(), true);
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
        for (const form of FORMS.filter(({ subgroups }) => !subgroups || gpu.subgroups)) {
          const differences = await compareMemory(gpu, truth, B, form);
          for (const [tensor, difference] of Object.entries(differences)) {
            found[`${kind}, ${nameOf(form)}, ${range}, B=${B}, T=${T}, M=${M}: ${tensor}`] = difference;
          }
        }
      }
    }
  }
  const engine = await createGpuEngine(await openDevice(), {
    name: 'browser',
    kind: 'software',
    reason: 'test',
  });
  for (const preset of ['reverse', 'tutorial-part5', 'tutorial-part6']) {
    const ours = await losses(engine, preset, 20);
    const truth = await losses(createCpuEngine(), preset, 20);
    found[`twenty losses of ${preset}`] = Math.max(
      ...truth.map(({ objective }, k) => Math.abs(ours[k].objective / objective - 1)),
    );
  }
  return found;
}

Object.assign(window, { parity: run() });
