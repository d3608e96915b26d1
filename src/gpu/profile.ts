import { DeviceError } from '../base/errors.ts';

/**
 * Everything about the kernels that depends on the kind of device. The profile is chosen when a device is opened and is
 * plain data everywhere else. Profiles change results only by rounding: forms and numbers of partial sums change the
 * order of additions, and compilers may round differently for other tiles.
 *
 * A software adapter runs the invocations of a workgroup one after another on a few cores. Barriers and prefix sums
 * are expensive there, a load from a buffer costs as much as ten multiplications (bench/lab/matmul.ts), and registers
 * are cheap. A GPU needs many concurrent invocations. Its values come from measurements on an NVIDIA H200
 * (bench/lab/profiles.ts), the only GPU that was available.
 */
export interface DeviceProfile {
  readonly name: ProfileName;
  readonly limits: DeviceLimits;
  /**
   * Fused plan: whether models that are small enough are unrolled, with one invocation per sequence (the lane form).
   */
  readonly unrolls: boolean;
  /** Fused plan: whether the block form is used for models whose state fits into workgroup memory. */
  readonly fusesBlocks: boolean;
  /** Whether workgroup scans use subgroups. */
  readonly subgroups: boolean;
  /** Form of a memory layer, and of the memory kernels of the stepwise plan. */
  readonly memory: MemoryForm;
  readonly prefixSum: MemoryForm;
  readonly overTime: OverTimeProfile;
  readonly tuning: Tuning;
}

/** How kernels map sequences: one per invocation (`lane`) or one per workgroup (`block`). */
export interface MemoryForm {
  readonly form: 'lane' | 'block';
  /**
   * Invocations per workgroup. In the block form a scan processes a memory in blocks of this many rows, and the numbers
   * of a prefix sum in blocks of four times as many.
   */
  readonly size: number;
  readonly subgroups: boolean;
}

/** Device limits in bytes. */
export interface DeviceLimits {
  readonly workgroup: number;
  readonly uniform: number;
  /** Private variables per invocation. A test on the device may raise it (src/kernels/private-memory.ts). */
  readonly private: number;
}

/** WGSL's guaranteed minimum for the private address space. */
const PRIVATE_BYTES = 8192;

/** Settings of the memory kernels that are parallel over time. */
export interface OverTimeProfile {
  /** These kernels are the default for at most `sequences` sequences of at least `steps` steps. 0 sequences: never. */
  readonly chosen: { readonly sequences: number; readonly steps: number };
  /** Invocations per workgroup. */
  readonly size: number;
  /** Maximum number of chunks of time steps, over all sequences. */
  readonly chunks: number;
  /** Maximum number of elements of a row (numbers or vec4s) that one invocation reads. */
  readonly elements: number;
  /**
   * Limits of a walk over rows, in elements of rows: for one invocation, and for all invocations of a submission
   * together. A pass that would exceed a limit runs step by step, in slices.
   */
  readonly walk: { readonly perInvocation: number; readonly perSubmission: number };
}

/** Tile sizes, and numbers of partial sums. `size`: invocations per workgroup. */
export interface Tuning {
  /** Products of one time step. `rows` is a maximum. */
  readonly step: StepTiles;
  /** Candidates for src/kernels/autotune.ts, which tries them where the product of a step is large. */
  readonly stepsToTry: readonly StepTiles[];
  /** Products over all steps: rows and vec4s of columns per invocation. */
  readonly linear: { readonly rows: number; readonly columns: number; readonly size: number };
  /**
   * Weight gradients: vec4s of the left (`down`) and the right factor (`across`) per invocation, and the number of
   * invocations that fills the device. If the tiles need fewer, the rows are split into several partial sums.
   */
  readonly gradients: {
    readonly down: number;
    readonly across: number;
    readonly size: number;
    readonly invocations: number;
  };
  /**
   * Products in the block form of the fused plan: maximum number of rows of a matrix that an invocation loads before it
   * uses them, a multiple of 4. More code takes longer to compile.
   */
  readonly rowsAtOnce: number;
  /** Sums over all parameters: maximum number of partial sums. */
  readonly sums: { readonly max: number; readonly size: number };
}

/** Tile of the product of one time step: sequences per invocation, and invocations per workgroup. */
export interface StepTiles {
  readonly rows: number;
  readonly size: number;
}

/** Kind of device, as reported in AdapterDescription. */
export type AdapterKind = 'gpu' | 'software' | 'cpu';

export const PROFILE_NAMES = ['software', 'gpu', 'gpu with subgroups'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** A fraction of a second on a slow device: one that takes up to 1 µs per load, with a thousand loads in parallel. */
const WALK = { perInvocation: 2 ** 17, perSubmission: 2 ** 27 };

const lane: MemoryForm = { form: 'lane', size: 8, subgroups: false };

/**
 * The largest tiles that compile in reasonable time. Workgroups are small, because each core runs four invocations as
 * one vector.
 */
const SOFTWARE: Omit<DeviceProfile, 'limits'> = {
  name: 'software',
  unrolls: true,
  fusesBlocks: false,
  subgroups: false,
  memory: lane,
  prefixSum: lane,
  // Never chosen: a software adapter has no idle invocations to use (measured: bench/lab/over-time.ts).
  overTime: { chosen: { sequences: 0, steps: Infinity }, size: 8, chunks: 32, elements: 128, walk: WALK },
  tuning: {
    step: { rows: 10, size: 8 },
    stepsToTry: [
      { rows: 10, size: 8 },
      { rows: 8, size: 8 },
      { rows: 5, size: 8 },
      { rows: 4, size: 16 },
    ],
    linear: { rows: 8, columns: 2, size: 8 },
    gradients: { down: 4, across: 4, size: 8, invocations: 64 },
    rowsAtOnce: 4,
    sums: { max: 64, size: 8 },
  },
};

const gpu = (subgroups: boolean): Omit<DeviceProfile, 'limits'> => ({
  name: subgroups ? 'gpu with subgroups' : 'gpu',
  unrolls: false,
  // On an H200 the fused plan is 1.5 to 12 times as fast as the stepwise plan, with LSTMs from one layer of 32 units to
  // eight layers of 256, and batches from 10 to 1024. Models that do not fit use the stepwise plan.
  fusesBlocks: true,
  subgroups,
  memory: { form: 'block', size: 32, subgroups },
  prefixSum: { form: 'block', size: 128, subgroups },
  // The kernels that are parallel over time do about thirty times the work of the block form, but do not process time
  // steps one after another. On an H200 they are faster at all sizes measured: 1.8 times as fast at B=128, T=64, and
  // 3.6 times at B=1024, T=1024. With more than 256 sequences they are probably slower on smaller GPUs.
  overTime: { chosen: { sequences: 256, steps: 64 }, size: 64, chunks: 16_384, elements: 4, walk: WALK },
  tuning: {
    step: { rows: 1, size: 64 },
    stepsToTry: [
      { rows: 1, size: 64 },
      { rows: 2, size: 64 },
      { rows: 4, size: 64 },
      { rows: 4, size: 128 },
      { rows: 8, size: 32 },
    ],
    linear: { rows: 4, columns: 1, size: 64 },
    // On an H200 a training step of the paper's model takes 29% less time than with down 1, across 1 (B=128).
    gradients: { down: 4, across: 2, size: 64, invocations: 65_536 },
    rowsAtOnce: 16,
    sums: { max: 4096, size: 64 },
  },
});

/** The largest `sums.max` of any profile. */
export const MAX_SUMS = 4096;

const PROFILES: Record<ProfileName, Omit<DeviceProfile, 'limits'>> = {
  software: SOFTWARE,
  gpu: gpu(false),
  'gpu with subgroups': gpu(true),
};

/** A profile with the given device limits (default: WebGPU's default limits). */
export const profileOf = (
  name: ProfileName,
  limits: DeviceLimits = { workgroup: 16_384, uniform: 65_536, private: PRIVATE_BYTES },
): DeviceProfile => ({ ...PROFILES[name], limits });

/**
 * The profile of an open device.
 * @param kind of its adapter
 * @param forced a profile other than the kind's, for tests. A device can run every profile whose features it has.
 * @throws DeviceError if `forced` needs subgroups and the device has none
 */
export function profileFor(
  { features, limits }: Pick<GPUDevice, 'features' | 'limits'>,
  kind: AdapterKind,
  forced?: ProfileName,
): DeviceProfile {
  const subgroups = features.has('subgroups' as GPUFeatureName);
  const usual: ProfileName = kind === 'software' ? 'software' : subgroups ? 'gpu with subgroups' : 'gpu';
  if (forced === 'gpu with subgroups' && !subgroups)
    throw new DeviceError('this device has no subgroups: the profile "gpu with subgroups" needs them.');
  const { maxComputeWorkgroupStorageSize: workgroup, maxUniformBufferBindingSize: uniform } = limits;
  return profileOf(forced ?? usual, { workgroup, uniform, private: PRIVATE_BYTES });
}
