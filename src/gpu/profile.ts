import { DeviceError } from '../base/errors.ts';

/**
 * Everything about the kernels that depends on the kind of device. The profile is chosen where a device is opened and
 * is plain data everywhere else. It changes results only by rounding: forms and tiles change how sums are split up.
 *
 * A software adapter runs the invocations of a workgroup one after the other on a few cores. Barriers and prefix sums
 * are expensive there, a load from a buffer costs as much as ten multiplications (bench/lab/matmul.ts), and registers
 * are cheap. A GPU needs many concurrent invocations. The GPU's sizes have not been tuned by measurement.
 */
export interface DeviceProfile {
  readonly name: ProfileName;
  readonly limits: DeviceLimits;
  /** Fused plan: whether small enough models are unrolled, with one invocation per sequence (the lane form). */
  readonly writesOut: boolean;
  /** Fused plan, block form: used up to this many numbers of controller state (hidden · layers); 0: never. */
  readonly fusedWidth: number;
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
  /** Invocations per workgroup. In the block form also the rows per prefix sum. */
  readonly size: number;
  readonly subgroups: boolean;
}

/** Device limits in bytes. */
export interface DeviceLimits {
  readonly workgroup: number;
  readonly uniform: number;
  /** Private variables per invocation. A trial may raise it (src/kernels/private-memory.ts). */
  readonly private: number;
}

/** WGSL's guaranteed minimum for the private address space. */
const PRIVATE_BYTES = 8192;

/** Settings of the memory parallel over time. */
export interface OverTimeProfile {
  /** Chosen by default for at most `sequences` sequences of at least `steps` steps. 0 sequences: never. */
  readonly chosen: { readonly sequences: number; readonly steps: number };
  readonly size: number;
  /** The most chunks of time steps, over all sequences. */
  readonly chunks: number;
  /** The most cells of a row that one invocation reads. */
  readonly cells: number;
  /**
   * The most cells of rows that one invocation, and all of a submission, may walk over. Beyond that: step by step,
   * in slices.
   */
  readonly walk: { readonly one: number; readonly all: number };
}

/** Tile sizes, and numbers of parts. */
export interface Tuning {
  /** Products of one time step: the most sequences per invocation, and invocations per workgroup. */
  readonly step: StepTiles;
  /** Candidates for src/kernels/autotune.ts where the product of a step is large. */
  readonly stepsToTry: readonly StepTiles[];
  /** Products over all steps: rows and vec4s of columns per invocation. */
  readonly linear: { readonly rows: number; readonly columns: number; readonly size: number };
  /** Weight gradients: vec4s of the left and of the right factor per invocation. */
  readonly gradients: {
    readonly down: number;
    readonly across: number;
    readonly size: number;
    readonly invocations: number;
  };
  /** Sums over all parameters: the most partial sums, and invocations per workgroup. */
  readonly sums: { readonly most: number; readonly size: number };
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

/** A fraction of a second on a slow device that loads a cell in at most a microsecond, a thousand at once. */
const WALK = { one: 2 ** 17, all: 2 ** 27 };

const lane: MemoryForm = { form: 'lane', size: 8, subgroups: false };

/** Tiles are as large as compile in reasonable time. Workgroups are small: each core runs four invocations as one vector. */
const SOFTWARE: Omit<DeviceProfile, 'limits'> = {
  name: 'software',
  writesOut: true,
  fusedWidth: 0,
  subgroups: false,
  memory: lane,
  prefixSum: lane,
  // A software adapter never has that many idle invocations (measured: bench/lab/over-time.ts).
  overTime: { chosen: { sequences: 0, steps: Infinity }, size: 8, chunks: 32, cells: 128, walk: WALK },
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
    sums: { most: 64, size: 8 },
  },
};

const gpu = (subgroups: boolean): Omit<DeviceProfile, 'limits'> => ({
  name: subgroups ? 'gpu with subgroups' : 'gpu',
  writesOut: false,
  // Wider models go stepwise, where the weights loaded for a step serve many sequences.
  fusedWidth: 128,
  subgroups,
  memory: { form: 'block', size: 32, subgroups },
  prefixSum: { form: 'block', size: 128, subgroups },
  // An estimate: a workgroup per sequence would leave most of the device idle, but this form does thirty times the
  // work.
  overTime: { chosen: { sequences: 16, steps: 256 }, size: 64, chunks: 16_384, cells: 4, walk: WALK },
  tuning: {
    step: { rows: 2, size: 64 },
    stepsToTry: [
      { rows: 1, size: 64 },
      { rows: 2, size: 64 },
      { rows: 4, size: 64 },
      { rows: 4, size: 128 },
      { rows: 8, size: 32 },
    ],
    linear: { rows: 4, columns: 1, size: 64 },
    gradients: { down: 1, across: 1, size: 64, invocations: 65_536 },
    sums: { most: 4096, size: 64 },
  },
});

/** The largest `sums.most` of any profile. */
export const MOST_SUMS = 4096;

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
 * @param forced a profile other than the kind's own, for tests. Every device can run every profile whose features it
 * has.
 * @throws DeviceError where `forced` needs subgroups and the device has none
 */
export function profileFor(
  { features, limits }: Pick<GPUDevice, 'features' | 'limits'>,
  kind: AdapterKind,
  forced?: ProfileName,
): DeviceProfile {
  const subgroups = features.has('subgroups' as GPUFeatureName);
  const own: ProfileName = kind === 'software' ? 'software' : subgroups ? 'gpu with subgroups' : 'gpu';
  if (forced === 'gpu with subgroups' && !subgroups)
    throw new DeviceError('this device has no subgroups: the profile "gpu with subgroups" needs them.');
  const { maxComputeWorkgroupStorageSize: workgroup, maxUniformBufferBindingSize: uniform } = limits;
  return profileOf(forced ?? own, { workgroup, uniform, private: PRIVATE_BYTES });
}
