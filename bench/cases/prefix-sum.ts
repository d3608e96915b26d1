/** Batched prefix sums by themselves; a memory computes its strengths with them. */
import type { Gpu } from '../../src/gpu/device.ts';
import { prefixSum } from '../../src/kernels/prefix-sum.ts';
import { runWorkCase } from '../compare.ts';
import { prefixSumInputs } from '../problems.ts';
import { MAX_PASSES, type Workload } from '../work.ts';
import type { Case } from './case.ts';

const ROWS = 1024;
const LENGTHS = [64, 512, 4096];
/** Longer rows are measured in jax-js only with --full: its time grows like L², to minutes. */
const MAX_LENGTH_IN_JAX = 512;
export type Pass = 'forward' | 'gradient';

export const prefixSumCases = (): Case[] =>
  LENGTHS.flatMap(L =>
    (['forward', 'gradient'] as const).flatMap(pass => [
      prefixSumCase(ROWS, L, pass, L > MAX_LENGTH_IN_JAX ? ['jax-js'] : []),
      ...(L > MAX_LENGTH_IN_JAX ? [prefixSumCase(ROWS, L, pass, [], true)] : []),
    ]),
  );

/** @param without peers that are not measured */
function prefixSumCase(R: number, L: number, pass: Pass, without: string[], full = false): Case {
  return {
    name: `prefix sum: ${R} x ${L}, ${pass}${full ? ', all peers' : ''}`,
    full,
    run: bench =>
      runWorkCase(
        {
          open: ({ gpu }) => openPrefixSum(gpu, R, L, pass),
          // Each number is read once and written once, with one addition.
          floor: () => ({ bytes: 8 * R * L, flops: R * L }),
          peer: peer =>
            without.includes(peer.name)
              ? 'minutes per pass: run with --full'
              : peer.prefixSum(R, L, pass, inputOf(R, L, pass)),
        },
        bench,
      ),
  };
}

const inputOf = (R: number, L: number, pass: Pass): Float32Array =>
  prefixSumInputs(R, L)[pass === 'forward' ? 'x' : 'dy'];

/** Prefix sums whose input is on the device. */
export async function openPrefixSum(gpu: Gpu, R: number, L: number, pass: Pass): Promise<Workload> {
  const sums = await prefixSum(gpu, R, L, pass);
  gpu.device.queue.writeBuffer(sums.x, 0, inputOf(R, L, pass) as Float32Array<ArrayBuffer>);
  const enqueue = (count: number): undefined => {
    gpu.submit('prefix sum', encoder => {
      for (let k = 0; k < count; k++) sums.record(encoder);
    });
  };
  return {
    how: '',
    maxPasses: MAX_PASSES,
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
