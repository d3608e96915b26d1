/**
 * Compares two ways to compute a memory layer, step by step and parallel over time,
 * to find the B and T at which the latter is faster. Prints ms of a forward and backward
 * pass, the minimum of several samples. The software profile's
 * `overTime.chosen` (src/gpu/profile.ts) is based on it.
 *
 *   node bench/run.mjs bench/lab/over-time.ts
 */

import { Gpu, requestDevice } from '../../src/gpu/device.ts';
import { type SequenceMemory, sequenceMemory } from '../../src/kernels/memory.ts';
import { timeMemory } from '../../src/kernels/time-memory.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';
import { memoryInputs } from '../problems.ts';

export async function main(args: string[]): Promise<number> {
  const { found } = await findAdapter();
  if (!found) throw new Error('no WebGPU adapter');
  const gpu = Gpu.of(await requestDevice(found.adapter), found.description.kind);
  console.log(found.description.name);
  const ms = async (memory: SequenceMemory, inputs: ReturnType<typeof memoryInputs>): Promise<number> => {
    const { queue } = gpu.device;
    for (const name of ['push', 'pop', 'value', 'dRead'] as const) {
      const { buffer, offset } = memory.io[name];
      queue.writeBuffer(buffer, offset, inputs[name] as Float32Array<ArrayBuffer>);
    }
    let best = Infinity;
    for (let k = 0; k < 4; k++) {
      await queue.onSubmittedWorkDone();
      const start = performance.now();
      gpu.submit('lab', encoder => {
        for (const record of [...memory.forward(), ...memory.backward()]) record(encoder);
      });
      await gpu.read([{ ...memory.io.dPush, bytes: 4 }]);
      best = Math.min(best, performance.now() - start);
    }
    memory.destroy();
    return best;
  };
  const kinds = args.length ? (args as ('stack' | 'queue')[]) : (['stack', 'queue'] as const);
  for (const kind of kinds) {
    for (const strengths of ['near 1', 'near 0'] as const) {
      for (const M of [8, 32]) {
        for (const B of [1, 4, 16, 128]) {
          for (const T of [256, 4096, 65_536]) {
            if (B * T * M > 2 ** 24) continue;
            const inputs = memoryInputs({ kind, B, T, M, strengths });
            const stepByStep = await ms(
              await sequenceMemory(gpu, { kind, B, T, M }, gpu.profile.memory),
              inputs,
            );
            const overTime = await ms(await timeMemory(gpu, kind, B, T, M), inputs);
            console.log(
              `${kind}, ${strengths}, M=${M}, B=${B}, T=${T}: step by step ${stepByStep.toFixed(1)}, over time ${overTime.toFixed(1)}, ratio ${(stepByStep / overTime).toFixed(2)}`,
            );
          }
        }
      }
    }
  }
  return 0;
}
