/** Batched prefix sums: what the strengths of a memory are made of, without the memory. */
import type { Gpu } from '../../src/gpu/device.ts';
import { prefixSum } from '../../src/kernels/prefix-sum.ts';
import { runWorkCase } from '../compare.ts';
import { prefixSumInputs } from '../problems.ts';
import { MOST_PASSES, type Work } from '../work.ts';
import type { Case } from './case.ts';

const ROWS = 1024;
const LENGTHS = [64, 512, 4096];
/** jax-js sums a row's first 512 numbers in a time like their square: what is longer takes minutes, for --full only. */
const LONG = 512;
export type Pass = 'forward' | 'gradient';

export const prefixSumCases = (): Case[] =>
  LENGTHS.flatMap(L =>
    (['forward', 'gradient'] as const).flatMap(pass => [
      prefixSumCase(ROWS, L, pass, L > LONG ? ['jax-js'] : []),
      ...(L > LONG ? [prefixSumCase(ROWS, L, pass, [], true)] : []),
    ]),
  );

/** @param without peers that are not asked */
function prefixSumCase(R: number, L: number, pass: Pass, without: string[], full = false): Case {
  return {
    name: `prefix sum: ${R} x ${L}, ${pass}${full ? ', all peers' : ''}`,
    full,
    run: bench =>
      runWorkCase(
        {
          open: ({ gpu }) => openPrefixSum(gpu, R, L, pass),
          // Every number in once and out once, and one addition each.
          floor: () => ({ bytes: 8 * R * L, flops: R * L }),
          peer: peer =>
            without.includes(peer.name)
              ? 'minutes a pass; with --full it is'
              : peer.prefixSum(R, L, pass, given(R, L, pass)),
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
  const enqueue = (count: number): undefined => {
    gpu.submit('prefix sum', encoder => {
      for (let k = 0; k < count; k++) sums.record(encoder);
    });
  };
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
