import { batchOf } from '../../shaders/lib/batch.wgsl.ts';
import type { TrainConfig } from '../base/config.ts';
import type { DeviceProfile, MemoryForm, StepTiles } from '../gpu/profile.ts';
import type { Layout } from '../layout/layout.ts';
import type { WorkUnit } from './launch.ts';
import type { PlanName } from './plan-names.ts';
import { blockForm, blockPasses, fitsBlock } from './plans/block.ts';
import { TILE_PARTS } from './plans/gradients.ts';
import { canUnroll, fitsLane, fitsPrivate, LANE_SPLITS, lanePasses } from './plans/lane.ts';
import type { PlanContext } from './plans/passes.ts';
import { stepwisePasses } from './plans/stepwise.ts';
import { embeddingProducts, metricsLaunch, update } from './plans/update.ts';

/**
 * `fused` runs all time steps in one dispatch per pass. `stepwise` runs dispatches for every time step: one per layer,
 * and those of the projection, heads and memory.
 */
export interface PlanChoice {
  kind: 'fused' | 'stepwise';
  /** Form of the fused kernels, or of the memory kernels of the stepwise plan. */
  form: MemoryForm;
}

/**
 * How a model is computed: the dispatches of a training step (`step`) and of an evaluation (`forward`), in order. Plain
 * data.
 */
export interface Plan extends PlanChoice {
  step: WorkUnit[];
  forward: WorkUnit[];
  /** Number of parts that the B·T rows of activations are split into, to compute the weight gradients. */
  rowSplits(B: number, T: number): number;
}

/**
 * Chooses the plan for a device and a model.
 *
 * Software adapters run the invocations of a workgroup one after another, so barriers are slow on them. They use the
 * fused lane form if the products can be unrolled and the private variables fit, and the stepwise plan otherwise. GPUs
 * use the fused block form if the state of a sequence fits into workgroup memory, and the stepwise plan otherwise.
 *
 * @param requested a plan other than `auto` is used even if it is slower
 * @param form forces a form, for tests: a form of the fused plan, unless `requested` is `stepwise`
 */
export function choosePlan(
  profile: DeviceProfile,
  layout: Layout,
  requested: PlanName = 'auto',
  form?: MemoryForm,
): PlanChoice {
  const lane: MemoryForm = { form: 'lane', size: 4, subgroups: false };
  const unrolled = profile.unrolls && canUnroll(layout) && fitsPrivate(profile, layout);
  const fused: PlanChoice = {
    kind: 'fused',
    form: form ?? (unrolled ? lane : blockForm(profile, layout)),
  };
  const stepwise: PlanChoice = { kind: 'stepwise', form: form ?? profile.memory };
  if (requested !== 'auto') return requested === 'fused' ? fused : stepwise;
  const fits = profile.fusesBlocks && fitsBlock(profile, layout);
  return form || unrolled || fits ? fused : stepwise;
}

/**
 * Builds the launches of a chosen plan.
 * @param tiles tiles of the products of a time step (default: the profile's)
 * @throws InputError if the model does not fit the form
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
  const { forward, backward, rowSplits } = build(context);
  const forwardWork = [...embeddingProducts(context), ...forward];
  return {
    kind,
    form,
    rowSplits,
    step: [...forwardWork, ...backward, ...update(context, training)],
    forward: [...forwardWork, metricsLaunch(context)],
  };
}

/** The maximum of rowSplits over all plans of this model. The buffer `partial` has room for this number of parts. */
export const maxRowSplits = (layout: Layout): number =>
  fitsLane(layout) ? Math.max(LANE_SPLITS, TILE_PARTS) : TILE_PARTS;
