import { batchOf } from '../../shaders/lib/batch.wgsl.ts';
import type { TrainConfig } from '../base/config.ts';
import type { DeviceProfile, MemoryForm, StepTiles } from '../gpu/profile.ts';
import type { Layout } from '../layout/layout.ts';
import type { Work } from './launch.ts';
import type { PlanName } from './plan-names.ts';
import { blockForm, blockPasses, fitsBlock } from './plans/block.ts';
import { TILE_PARTS } from './plans/gradients.ts';
import { canBeWrittenOut, fitsLane, fitsPrivate, LANE_PARTS, lanePasses } from './plans/lane.ts';
import type { PlanContext } from './plans/passes.ts';
import { stepwisePasses } from './plans/stepwise.ts';
import { derived, scoring, update } from './plans/update.ts';

/** Which of the plans: fused, all time steps in one dispatch each way; stepwise, dispatches per layer and time step. */
export interface PlanChoice {
  kind: 'fused' | 'stepwise';
  /** Of the fused kernels, or of the memory's steps. */
  form: MemoryForm;
}

/** How a model is computed: what a training step and an evaluation dispatch, in order. Plain data. */
export interface Plan extends PlanChoice {
  step: Work[];
  forward: Work[];
  /** Parts that the rows are divided into for the weight gradients. */
  parts(B: number, T: number): number;
}

/**
 * The plan for a device and a model. On software adapters: in registers while the products can be written out and the device
 * has the private memory, else stepwise, for they run a workgroup's barriers one invocation after the other. On GPUs: a workgroup per sequence up
 * to a width, stepwise beyond, where every step's weights should serve many sequences.
 *
 * @param asked `fused` or `stepwise`: that one, whether or not it is the better
 * @param form forced, for tests; of the fused plan, unless `asked` says stepwise
 */
export function choosePlan(
  profile: DeviceProfile,
  layout: Layout,
  asked: PlanName = 'auto',
  form?: MemoryForm,
): PlanChoice {
  const { spec } = layout;
  const lane: MemoryForm = { form: 'lane', size: 4, subgroups: false };
  const writtenOut = profile.writesOut && canBeWrittenOut(layout) && fitsPrivate(profile, layout);
  const fused: PlanChoice = {
    kind: 'fused',
    form: form ?? (writtenOut ? lane : blockForm(profile, layout)),
  };
  const stepwise: PlanChoice = { kind: 'stepwise', form: form ?? profile.memory };
  if (asked !== 'auto') return asked === 'fused' ? fused : stepwise;
  const narrow = spec.hidden * spec.layers <= profile.fusedWidth && fitsBlock(profile, layout);
  return form || writtenOut || narrow ? fused : stepwise;
}

/**
 * The launches of a chosen plan.
 * @param tiles of the products of a time step, where not those of the profile
 * @throws InputError where the model does not fit the form
 */
export function planOf(
  profile: DeviceProfile,
  layout: Layout,
  training: TrainConfig,
  { kind, form }: PlanChoice,
  tiles: StepTiles = profile.tuning.step,
): Plan {
  const sequences = training.batch;
  const context: PlanContext = { profile, layout, form, batch: batchOf(layout), tiles, sequences };
  const build = kind === 'stepwise' ? stepwisePasses : form.form === 'lane' ? lanePasses : blockPasses;
  const { forward, backward, parts } = build(context);
  const all = [...derived(context), ...forward];
  return {
    kind,
    form,
    parts,
    step: [...all, ...backward, ...update(context, training)],
    forward: [...all, scoring(context)],
  };
}

/** Room for the sums of all parts in any plan of a model. */
export const mostParts = (layout: Layout): number =>
  fitsLane(layout) ? Math.max(LANE_PARTS, TILE_PARTS) : TILE_PARTS;
