import type { TrainConfig } from '../base/config.ts';
import type { Gpu } from '../gpu/device.ts';
import type { DeviceProfile, MemoryForm } from '../gpu/profile.ts';
import type { Layout } from '../layout/layout.ts';
import type { BufferName } from './launch.ts';
import { choosePlan, type Plan, planOf } from './plan.ts';
import type { PlanName } from './plan-names.ts';
import { canUnroll, laneBytes } from './plans/lane.ts';
import { Program } from './program.ts';
import type { TuningStore } from './tuning-store.ts';

/** Options of a model's plan. Users set `plan` (--plan) and `tunings`; `form` and `sliceSteps` are for tests. */
export interface PlanOptions {
  plan?: PlanName;
  form?: MemoryForm;
  /** Keeps measurements across runs. */
  tunings?: TuningStore;
  /** Choices recorded by an earlier model of the same run. */
  choices?: Readonly<Record<string, string>>;
  /** Fixed number of time steps per slice, for tests. By default it is derived from measured times. */
  sliceSteps?: number;
  /** Receives the plan that was chosen, before its kernels are compiled. */
  onPlan?(kind: Plan['kind']): void;
}

/** A model's plan, compiled for a device. */
export interface Prepared {
  plan: Plan;
  program: Program<BufferName>;
  /** Choices made by measuring, to pass back as PlanOptions.choices. Absent if nothing was measured. */
  choices?: Record<string, string>;
}

/** The device's profile. If the limit of private memory decides the plan, a trial on the device may raise it. */
async function withPrivateLimit(
  gpu: Gpu,
  layout: Layout,
  requested: PlanName | undefined,
  form: MemoryForm | undefined,
): Promise<DeviceProfile> {
  const { profile } = gpu;
  if (!profile.unrolls || !canUnroll(layout) || requested === 'stepwise' || form) return profile;
  const bytes = laneBytes(layout);
  if (bytes <= profile.limits.private) return profile;
  // Loaded only for such a model on a software adapter.
  const { privateBytes } = await import('./private-memory.ts');
  return { ...profile, limits: { ...profile.limits, private: await privateBytes(gpu, bytes) } };
}

/**
 * Chooses a plan, tunes its tiles by measurement and compiles its kernels.
 * @throws DeviceError if a kernel does not compile
 * @throws InputError if the model does not fit the plan
 */
export async function prepare(
  gpu: Gpu,
  layout: Layout,
  training: TrainConfig,
  { plan: requested, form, tunings: store, choices: given, onPlan }: PlanOptions = {},
): Promise<Prepared> {
  const profile = await withPrivateLimit(gpu, layout, requested, form);
  const chosen = choosePlan(profile, layout, requested, form);
  onPlan?.(chosen.kind);
  const { H4, R4, gates } = layout;
  // A typical product of a time step: the gates of the first layer's cell from h_{t-1} and the reads. The tiles chosen
  // for it are used for all products.
  const product = { B: training.batch, inner4: H4 + R4, columns4: H4, gates: gates.all };
  const { tiles, choices } =
    chosen.kind === 'stepwise'
      ? // Loaded only for this plan.
        await (await import('./autotune.ts')).tunedStep(gpu, product, profile.tuning, {
          choices: given,
          store,
        })
      : { tiles: undefined, choices: undefined };
  const plan = planOf(profile, layout, training, chosen, tiles);
  const program = await Program.compile(gpu, [...plan.step, ...plan.forward]);
  return { plan, program, choices };
}
