/** Runs in Deno, whose WebGPU is wgpu, like Firefox's. Prints lines of JSON: the adapter, then one per comparison. */
import { gpuEngineOn } from '../../../src/engine/gpu.ts';
import { createReferenceEngine } from '../../../src/engine/reference.ts';
import { requestDevice } from '../../../src/gpu/device.ts';
import type { ProfileName } from '../../../src/gpu/profile.ts';
import { openGpu } from '../../../src/kernels/open.ts';
import { describe } from '../../../src/platform/adapter.ts';
import { makeSpec } from '../batches.ts';
import { compareMemory, KINDS, memoryTruth, RANGES, TOLERANCE } from '../memory-parity.ts';
import { expectSameForward, expectSameGradients, SPECS } from '../model-parity.ts';
import { expect } from './expect.ts';

/** The result of a comparison; `failed` is absent if it succeeded. */
export interface Compared {
  name: string;
  failed?: string;
}

const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) throw new Error('wgpu finds no adapter');
console.log(JSON.stringify({ adapter: describe(adapter).name }));
const reference = createReferenceEngine();

const compare = async (name: string, body: () => Promise<void>): Promise<void> => {
  const compared: Compared = { name };
  try {
    await body();
  } catch (error) {
    compared.failed = String(error);
  }
  console.log(JSON.stringify(compared));
};

// Deno 2.9 offers no subgroups, so the third profile cannot run.
for (const profile of ['software', 'gpu'] satisfies ProfileName[]) {
  // WebGPU creates only one device per adapter object, so every profile needs a new one.
  const newAdapter = await navigator.gpu.requestAdapter();
  const { gpu } = await openGpu(await requestDevice(newAdapter!), 'software', profile);
  const engine = gpuEngineOn(gpu, { name: 'wgpu', kind: 'software', reason: 'for tests' });
  for (const kind of KINDS) {
    for (const range of Object.keys(RANGES)) {
      for (const [B, T, M] of [
        [1, 1, 1],
        [7, 65, 2],
        [2, 200, 4],
      ]) {
        await compare(`${profile}: ${kind}, ${range}, B=${B}, T=${T}, M=${M}`, async () => {
          const differences = await compareMemory(engine, memoryTruth(kind, T, M, range), B);
          for (const [tensor, difference] of Object.entries(differences))
            expect(difference, tensor).toBeLessThanOrEqual(TOLERANCE);
        });
      }
    }
  }
  for (const name of Object.keys(SPECS)) {
    const pair = [engine, reference];
    await compare(`${profile}: ${name}, forward`, () => expectSameForward(pair, makeSpec(SPECS[name])));
    await compare(`${profile}: ${name}, gradients`, () => expectSameGradients(pair, makeSpec(SPECS[name])));
  }
  engine.destroy();
}
process.exit(0);
