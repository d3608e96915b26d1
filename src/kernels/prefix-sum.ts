import { prefixSumCode } from '../../shaders/prefix-sum.wgsl.ts';
import { type Gpu, split, UNIFORM } from '../gpu/device.ts';
import type { MemoryForm } from '../gpu/profile.ts';
import { type Launch, read, write } from './launch.ts';
import { whole } from './pieces.ts';
import { Program, type Recording } from './program.ts';

/** Prefix sums of the rows of x [R,L] into y [R,L], recorded as one dispatch. */
export interface PrefixSum {
  readonly x: GPUBuffer;
  readonly y: GPUBuffer;
  /** Size of both buffers together. */
  readonly bytes: number;
  readonly record: Recording;
  destroy(): void;
}

export interface PrefixSumSettings {
  /** Forces a form, for tests. */
  form?: MemoryForm;
}

/** Contents of the kernel's uniform `sizes`: R rows of L numbers. */
export const sumSizes = (R: number, L: number): Uint32Array<ArrayBuffer> => new Uint32Array([R, L]);

/**
 * Batched inclusive prefix sums, or their gradient, as one launch.
 * @param R rows @param L numbers per row
 * @param pass `gradient` sums from the end of each row
 */
export function prefixSumLaunch<Name extends string>(
  form: MemoryForm,
  R: number,
  L: number,
  pass: 'forward' | 'gradient',
  [sizes, x, y]: readonly [sizes: Name, x: Name, y: Name],
): Launch<Name> {
  const direction = pass === 'forward' ? 'forward' : 'reverse';
  return {
    label: `prefix sum, ${pass}`,
    code: prefixSumCode({ ...form, direction, wide: L % 4 === 0 }),
    buffers: [[sizes, 'uniform'], read(x), write(y)],
    groups: () => split(form.form === 'lane' ? Math.ceil(R / form.size) : R),
  };
}

/**
 * Batched inclusive prefix sums y[r][i] = Σ_{j ≤ i} x[r][j], or their gradient dx[r][i] = Σ_{j ≥ i} dy[r][j], which
 * takes dy in the buffer x and leaves dx in y. Both buffers are [R,L] float32.
 * @param R rows @param L numbers per row
 * @throws DeviceError if the kernel does not compile
 * @throws InputError if a buffer is too large for the device
 */
export async function prefixSum(
  gpu: Gpu,
  R: number,
  L: number,
  pass: 'forward' | 'gradient',
  { form = gpu.profile.prefixSum }: PrefixSumSettings = {},
): Promise<PrefixSum> {
  const work = [prefixSumLaunch(form, R, L, pass, ['sizes', 'x', 'y'])];
  const program = await Program.compile(gpu, work);
  const name = `prefix sum ${R}×${L}`;
  const x = gpu.buffer(`${name}: numbers`, R * L * 4);
  const y = gpu.buffer(`${name}: sums`, R * L * 4);
  const sizes = gpu.buffer(`${name}: sizes`, 16, UNIFORM);
  gpu.device.queue.writeBuffer(sizes, 0, sumSizes(R, L));
  const all = { sizes, x, y };
  program.bind(name => all[name]);
  return {
    x,
    y,
    bytes: x.size + y.size,
    record: program.recording(name, whole(work), { B: R, T: L, rowSplits: 1 }),
    destroy(): void {
      for (const buffer of Object.values(all)) buffer.destroy();
    },
  };
}
