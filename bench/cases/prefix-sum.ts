/** Batched prefix sums: what the strengths of a memory are made of, without the memory. */
import type { Gpu } from '../../src/gpu/device.ts';
import { prefixSum } from '../../src/kernels/prefix-sum.ts';
import { runWorkCase } from '../compare.ts';
import { prefixSumInputs } from '../problems.ts';
import { MOST_PASSES, type Work } from '../work.ts';
import type { Case } from './case.ts';

const ROWS = 1024;
const LENGTHS = [64, 512, 4096];
export type Pass = 'forward' | 'gradient';

export const prefixSumCases = (): Case[] =>
  LENGTHS.flatMap(L => (['forward', 'gradient'] as const).map(pass => prefixSumCase(ROWS, L, pass)));

function prefixSumCase(R: number, L: number, pass: Pass): Case {
  return {
    name: `prefix sum: ${R} x ${L}, ${pass}`,
    run: bench =>
      runWorkCase(
        {
          open: ({ gpu }) => openPrefixSum(gpu, R, L, pass),
          // Every number in once and out once, and one addition each.
          floor: () => ({ bytes: 8 * R * L, flops: R * L }),
          peer: peer => peer.prefixSum(R, L, pass, given(R, L, pass)),
        },
        bench,
      ),
  };
}

const given = (R: number, L: number, pass: Pass): Float32Array =>
  prefixSumInputs(R, L)[pass === 'forward' ? 'x' : 'dy'];

/** Prefix sums with their input on the device. */
export async function openPrefixSum(gpu: Gpu, R: number, L: number, pass: Pass): Promise<Work> {
  const sums = await prefixSum(gpu, R, L, pass);
  gpu.device.queue.writeBuffer(sums.x, 0, given(R, L, pass) as Float32Array<ArrayBuffer>);
  const enqueue = (count: number): void =>
    gpu.submit('prefix sum', encoder => {
      for (let k = 0; k < count; k++) sums.record(encoder);
    });
  return {
    how: '',
    most: MOST_PASSES,
    bytes: sums.bytes,
    enqueue,
    settle: async () => void (await gpu.read([{ buffer: sums.y, bytes: 4 }])),
    outputs: async () => {
      enqueue(1);
      const [y] = await gpu.read([{ buffer: sums.y, bytes: 4 * R * L }]);
      return new Map([[pass === 'forward' ? 'y' : 'dx', new Float32Array(y)]]);
    },
    destroy: () => sums.destroy(),
  };
}
