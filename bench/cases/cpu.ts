/** The peak performance of the CPU engine's own matrix product. Other cases of that engine are compared with it. */
import { Arena, compile } from '../../src/simd/module.ts';
import { runWorkCase } from '../compare.ts';
import { MAX_PASSES, type Workload } from '../work.ts';
import type { Case } from './case.ts';

/**
 * [rows, columns of x, columns of W]: steps of the two small
 * models, a step of the paper's LSTM (h and r), and one product for all
 * its steps together (1,300 rows; embedding 64 + h 256 + r 256).
 */
const SIZES = [
  [128, 16, 16],
  [32, 32, 32],
  [10, 512, 1024],
  [1300, 576, 1024],
] as const;

/** The names start with `adapter: `, so that the cases always run (see index.ts). */
export const cpuCases = (): Case[] =>
  SIZES.map(([rows, k, n]) => ({
    name: `adapter: product ${rows} x ${k} x ${n}`,
    run: bench =>
      runWorkCase(
        {
          open: () => openProduct(rows, k, n),
          floor: () => ({ flops: 2 * rows * k * n, bytes: 4 * (rows * k + k * n + 2 * rows * n) }),
          done: ({ rate }, { peak }) => {
            peak.matmul = Math.max(peak.matmul ?? 0, rate!.gflops);
          },
        },
        bench,
      ),
  }));

async function openProduct(rows: number, k: number, n: number): Promise<Workload> {
  const arena = new Arena(await compile());
  const [x, w, y, panels] = [rows * k, k * n, rows * n, k * n].map(count => arena.take(4 * count));
  arena.floats(x, rows * k).fill(1 / 2);
  arena.floats(w, k * n).fill(1 / 4);
  const { pack, product } = arena.kernels;
  pack(w, 4 * n, k, n / 4, panels);
  return {
    how: '',
    maxPasses: MAX_PASSES,
    bytes: arena.bytes,
    enqueue(passes): undefined {
      for (let p = 0; p < passes; p++) product(x, 4 * k, rows, k, panels, y, 4 * n, n / 4);
    },
    settle: async () => undefined,
    outputs: async () => new Map(),
    destroy: () => undefined,
  };
}
