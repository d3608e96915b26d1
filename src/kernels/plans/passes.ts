import { linearTiles } from '../../../shaders/linear.wgsl.ts';
import { LOSS_SIZE } from '../../../shaders/loss.wgsl.ts';
import { split } from '../../gpu/device.ts';
import type { DeviceProfile, MemoryForm, StepTiles } from '../../gpu/profile.ts';
import type { Layout } from '../../layout/layout.ts';
import { type Operand, operand } from '../../layout/tensors.ts';
import type { Launch, WorkUnit } from '../launch.ts';

/** Inputs for building a plan. */
export interface PlanContext {
  profile: DeviceProfile;
  layout: Layout;
  /** Form of the fused kernels, or of the memory kernels of the stepwise plan. */
  form: MemoryForm;
  /** WGSL that declares the batch (batchOf). */
  batch: string;
  /** Tiles of the products of a time step, for the stepwise plan. */
  tiles: StepTiles;
  /** Sequences per training batch. Tiles are sized to divide it evenly; other batch sizes also work. */
  sequences: number;
}

/** The passes that each plan builds. */
export interface Passes {
  /** From the uploaded batch to outputs and losses. */
  forward: WorkUnit[];
  /** From the losses to the gradients of all weights, in `partial`. */
  backward: WorkUnit[];
  /** Number of parts into which the rows are split for the weight gradients. */
  rowSplits(B: number, T: number): number;
}

/** o', the input of all outputs and heads: from the projection layer, or else h of the last layer. */
export const headInput = (layout: Layout): Operand =>
  layout.spec.projection ? operand(layout, 'op') : topOf(layout);

/** h of the last layer after every step. */
export const topOf = (layout: Layout): Operand => operand(layout, `h${layout.spec.layers - 1}`, { skip: 1 });

/** Workgroups of a kernel over sequences in this form. */
export const perSequence =
  ({ form, size }: MemoryForm): Launch['groups'] =>
  ({ B }) =>
    split(form === 'lane' ? Math.ceil(B / size) : B);

/** Workgroups of a product over all rows with columns4 vec4s of output columns. */
export const perTile =
  ({ tuning: { linear } }: DeviceProfile, columns4: number): Launch['groups'] =>
  ({ B, T }) =>
    split(Math.ceil(linearTiles(linear, B * T, columns4) / linear.size));

/** Workgroups of a kernel with one invocation per row (LOSS_SIZE per workgroup). */
export const perRow: Launch['groups'] = ({ B, T }) => split(Math.ceil((B * T) / LOSS_SIZE));
