import { DeviceError } from '../base/errors.ts';

/**
 * What the kernels are made of on a kind of device: chosen where a device is opened, and data everywhere else. Nothing in
 * it changes a number but by rounding: forms and tiles change who adds up a sum.
 *
 * A software adapter runs a workgroup's invocations one after the other on a few cores: barriers and prefix sums cost it,
 * a load from a buffer as much as ten multiplications (bench/lab/matmul.ts), while registers are cheap. A GPU wants many
 * invocations at once; its numbers are not measured.
 */
export interface DeviceProfile {
  readonly name: ProfileName;
  readonly limits: DeviceLimits;
  /** Fused plan: whether models that are small enough are written out, one sequence per invocation. */
  readonly writesOut: boolean;
  /** Fused plan, one sequence per workgroup: taken up to so many numbers of a controller's state; never, where 0. */
  readonly fusedWidth: number;
  /** Whether workgroups scan by subgroups. */
  readonly subgroups: boolean;
  /** Of a memory on its own, and of those between the steps of the stepwise plan. */
  readonly memory: MemoryForm;
  readonly prefixSum: MemoryForm;
  readonly overTime: OverTimeProfile;
  readonly tuning: Tuning;
}

/** How a kernel takes its sequences: one an invocation (`lane`), or one a workgroup (`block`). */
export interface MemoryForm {
  readonly form: 'lane' | 'block';
  /** Invocations of a workgroup; in the block form also rows per prefix sum. */
  readonly size: number;
  readonly subgroups: boolean;
}

/** What bounds a kernel, in bytes. */
export interface DeviceLimits {
  readonly workgroup: number;
  readonly uniform: number;
  /** Private variables of an invocation; more where a trial was right (src/kernels/private-memory.ts). */
  readonly private: number;
}

/** What WGSL promises of variables in the private address space. */
const PRIVATE_BYTES = 8192;

/** The memory parallel over time. */
export interface OverTimeProfile {
  /** Taken by choice for at most so many sequences of at least so many steps; never, where there are none. */
  readonly chosen: { readonly sequences: number; readonly steps: number };
  readonly size: number;
  /** Chunks of time steps that all sequences together are cut into, at most. */
  readonly chunks: number;
  /** Cells of a row that one invocation reads, at most. */
  readonly cells: number;
  /** Cells of rows that an invocation, and that all of a submission, walk over at most: else step after step, in slices. */
  readonly walk: { readonly one: number; readonly all: number };
}

/** Tiles and numbers of parts. */
export interface Tuning {
  /** Products of one time step: sequences of an invocation, at most, and invocations of a workgroup. */
  readonly step: StepTiles;
  /** Those that src/kernels/autotune.ts chooses among where a step is large. */
  readonly stepsToTry: readonly StepTiles[];
  /** Products over all steps: rows and vec4s of columns of an invocation. */
  readonly linear: { readonly rows: number; readonly columns: number; readonly size: number };
  /** Weight gradients: vec4s of the left and of the right side of an invocation. */
  readonly gradients: {
    readonly down: number;
    readonly across: number;
    readonly size: number;
    readonly invocations: number;
  };
  /** Sums over all parameters: partial sums at most, and invocations of a workgroup. */
  readonly sums: { readonly most: number; readonly size: number };
}

export interface StepTiles {
  readonly rows: number;
  readonly size: number;
}

/** Of what computes, as its description says. */
export type AdapterKind = 'gpu' | 'software' | 'cpu';

export const PROFILE_NAMES = ['software', 'gpu', 'gpu with subgroups'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** A fraction of a second on a slow device: it loads a cell in a microsecond at most, and a thousand of them at once. */
const WALK = { one: 2 ** 17, all: 2 ** 27 };

const lane: MemoryForm = { form: 'lane', size: 8, subgroups: false };

/** Tiles are as large as compile in reasonable time, workgroups small: four invocations run as one on every core. */
const SOFTWARE: Omit<DeviceProfile, 'limits'> = {
  name: 'software',
  writesOut: true,
  fusedWidth: 0,
  subgroups: false,
  memory: lane,
  prefixSum: lane,
  // It never has that many invocations at once to spare (measured: bench/lab/over-time.ts).
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
  // Wider ones go step by step: there, every step's weights serve many sequences.
  fusedWidth: 128,
  subgroups,
  memory: { form: 'block', size: 32, subgroups },
  prefixSum: { form: 'block', size: 128, subgroups },
  // A guess: a workgroup per sequence would leave most of the device idle, though this does thirty times the work.
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

/** The most partial sums of any profile. */
export const MOST_SUMS = 4096;

const PROFILES: Record<ProfileName, Omit<DeviceProfile, 'limits'>> = {
  software: SOFTWARE,
  gpu: gpu(false),
  'gpu with subgroups': gpu(true),
};

/** A profile within limits: WebGPU's defaults, unless a device has others. */
export const profileOf = (
  name: ProfileName,
  limits: DeviceLimits = { workgroup: 16_384, uniform: 65_536, private: PRIVATE_BYTES },
): DeviceProfile => ({ ...PROFILES[name], limits });

/**
 * The profile of an open device.
 * @param kind of its adapter
 * @param forced another one than that of its kind, for tests: every device can compute by each that it has the features for
 * @throws DeviceError where it lacks subgroups and `forced` wants them
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
