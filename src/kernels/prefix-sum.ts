import { type PrefixSumOptions, prefixSumCode } from '../../shaders/prefix-sum.wgsl.ts';
import { bind, dispatch, type Gpu, split, UNIFORM } from '../gpu/device.ts';

/** Prefix sums of the rows of x [R,L] into y [R,L], recorded as one dispatch. */
export interface PrefixSum {
  readonly x: GPUBuffer;
  readonly y: GPUBuffer;
  /** Of both buffers. */
  readonly bytes: number;
  record(encoder: GPUCommandEncoder): void;
  destroy(): void;
}

export interface PrefixSumSettings {
  /** Buffers of R·L float32 to work on, instead of new ones; x and y may not be the same. */
  given?: { x: GPUBuffer; y: GPUBuffer };
  /** Forces a form, for tests. */
  form?: PrefixSumForm;
}
export type PrefixSumForm = Pick<PrefixSumOptions, 'form' | 'size' | 'subgroups'>;

const prefixSumForm = (gpu: Gpu): PrefixSumForm =>
  gpu.software
    ? { form: 'lane', size: 8, subgroups: false }
    : { form: 'block', size: 128, subgroups: gpu.subgroups };

/**
 * Batched inclusive prefix sums, or their gradient: dx[r][i] = Σ_{j ≥ i} dy[r][j], with dy in x and dx in y.
 * @param R rows @param L numbers of a row
 */
export async function prefixSum(
  gpu: Gpu,
  R: number,
  L: number,
  pass: 'forward' | 'gradient',
  { given, form = prefixSumForm(gpu) }: PrefixSumSettings = {},
): Promise<PrefixSum> {
  const code = prefixSumCode({
    ...form,
    way: pass === 'forward' ? 'forward' : 'back',
    wide: L % 4 === 0,
  });
  const kernel = await gpu.kernel(`prefix sum, ${pass}`, code, ['uniform', 'read-only-storage', 'storage']);
  const name = `prefix sum ${R}×${L}`;
  const x = given?.x ?? gpu.buffer(`${name}: numbers`, R * L * 4);
  const y = given?.y ?? gpu.buffer(`${name}: sums`, R * L * 4);
  const dims = gpu.buffer(`${name}: sizes`, 16, UNIFORM);
  gpu.device.queue.writeBuffer(dims, 0, new Uint32Array([R, L]));
  const bound = bind(gpu, kernel, [dims, x, y]);
  const groups = split(form.form === 'lane' ? Math.ceil(R / form.size) : R);
  return {
    x,
    y,
    bytes: x.size + y.size,
    record(encoder: GPUCommandEncoder): void {
      const pass = encoder.beginComputePass({ label: name });
      dispatch(pass, bound, groups);
      pass.end();
    },
    destroy(): void {
      for (const buffer of given ? [dims] : [dims, x, y]) buffer.destroy();
    },
  };
}
