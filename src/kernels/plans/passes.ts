import { linearTiles } from '../../../shaders/linear.wgsl.ts';
import { LOSS_SIZE } from '../../../shaders/loss.wgsl.ts';
import { split } from '../../gpu/device.ts';
import type { DeviceProfile, MemoryForm, StepTiles } from '../../gpu/profile.ts';
import type { Layout } from '../../layout/layout.ts';
import { type Operand, operand } from '../../layout/tensors.ts';
import type { Launch, Work } from '../launch.ts';

/** What a plan is made for. */
export interface PlanContext {
  profile: DeviceProfile;
  layout: Layout;
  /** Of the fused kernels, or of the memory's steps. */
  form: MemoryForm;
  /** Declares the batch (batchOf). */
  batch: string;
  /** Of the products of a time step: the stepwise plan's. */
  tiles: StepTiles;
  /** Sequences of the batches trained with, which tiles are made to divide well; others are right, too. */
  sequences: number;
}

/** What each of the plans builds, in its own way. */
export interface Passes {
  /** From the uploaded batch to its outputs and losses. */
  forward: Work[];
  /** From the losses to the gradients of all weights in `partial`. */
  backward: Work[];
  /** Parts that the rows are divided into for the weight gradients: enough to fill a device, few enough to add. */
  parts(B: number, T: number): number;
}

/** o', from which all outputs and heads read: of the projection layer, or h of the last one. */
export const headsFrom = (layout: Layout): Operand =>
  layout.spec.projection ? operand(layout, 'op') : topOf(layout);

/** h of the last layer, after every step. */
export const topOf = (layout: Layout): Operand => operand(layout, `h${layout.spec.layers - 1}`, { skip: 1 });

/** Workgroups of a kernel that takes its sequences in this form. */
export const perSequence =
  ({ form, size }: MemoryForm): Launch['groups'] =>
  ({ B }) =>
    split(form === 'lane' ? Math.ceil(B / size) : B);

/** Workgroups of a product over all rows, whose outcome has columns4 vec4s. */
export const perTile =
  ({ tuning: { linear } }: DeviceProfile, columns4: number): Launch['groups'] =>
  ({ B, T }) =>
    split(Math.ceil(linearTiles(linear, B * T, columns4) / linear.size));

export const perRow: Launch['groups'] = ({ B, T }) => split(Math.ceil((B * T) / LOSS_SIZE));
