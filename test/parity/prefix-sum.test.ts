import { beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { MemoryForm } from '../../src/gpu/profile.ts';
import { prefixSum } from '../../src/kernels/prefix-sum.ts';
import { openGpu } from '../support/device.ts';

/** Compares batched prefix sums and their gradients with sums in float64, in every form. */

/**
 * Relative to the largest sum: thousands of float32 roundings of
 * 6e-8 each, whose error grows with the square root of their number.
 */
const TOLERANCE = 1e-5;

const FORMS: [string, MemoryForm][] = [
  ['lane', { form: 'lane', size: 8, subgroups: false }],
  ['block', { form: 'block', size: 32, subgroups: false }],
  ['block with subgroups', { form: 'block', size: 32, subgroups: true }],
];

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});

describe.each(FORMS)('%s', (_, form) => {
  // Lengths on both sides of a vec4 and of a workgroup's part of a row. R = 9 needs more than one workgroup.
  test.each([1, 3, 4, 64, 127, 128, 132, 4096])('rows of %i', async L => {
    const rng = new Rng(1, 0, L);
    for (const R of [1, 9]) {
      const x = Float32Array.from({ length: R * L }, () => rng.uniform() - 0.25);
      for (const pass of ['forward', 'gradient'] as const) {
        const sums = await prefixSum(gpu, R, L, pass, { form });
        gpu.device.queue.writeBuffer(sums.x, 0, x);
        gpu.submit('prefix sum', encoder => sums.record(encoder));
        const [bytes] = await gpu.read([{ buffer: sums.y, bytes: R * L * 4 }]);
        sums.destroy();
        const y = new Float32Array(bytes);
        let worst = 0;
        let largest = 0;
        for (let r = 0; r < R; r++) {
          let sum = 0;
          for (let k = 0; k < L; k++) {
            const at = r * L + (pass === 'forward' ? k : L - 1 - k);
            sum += x[at];
            worst = Math.max(worst, Math.abs(y[at] - sum));
            largest = Math.max(largest, Math.abs(sum));
          }
        }
        expect(worst / largest, `${pass}, R = ${R}`).toBeLessThan(TOLERANCE);
      }
    }
  });
});
