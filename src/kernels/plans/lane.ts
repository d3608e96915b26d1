import type { LaneOptions } from '../../../shaders/fused/lane.wgsl.ts';
import { fusedBackwardLane } from '../../../shaders/fused/lane-backward.wgsl.ts';
import { fusedForwardLane } from '../../../shaders/fused/lane-forward.wgsl.ts';
import { batchOf, HEADER } from '../../../shaders/lib/batch.wgsl.ts';
import { InputError } from '../../base/errors.ts';
import type { Binding } from '../../gpu/device.ts';
import { split } from '../../gpu/device.ts';
import type { DeviceProfile } from '../../gpu/profile.ts';
import type { Layout } from '../../layout/layout.ts';
import { type BufferName, read, write } from '../launch.ts';
import { type Passes, type PlanContext, perSequence } from './passes.ts';

/**
 * The fused plan in the lane form: all time steps in one dispatch per pass, one invocation per sequence, every product
 * unrolled. The kernels also compute losses and weight gradients.
 */

/**
 * Maximum number of parameters, in vec4s, whose products are unrolled in a kernel. Compile time grows faster than
 * linearly: 3 s at 640, 9 s at 1,250, 20 s at 2,000, on 2 busy cores with SwiftShader.
 */
const UNROLL_LIMIT = 1300;

/**
 * Maximum number of invocations of the backward kernel. Each processes its part of the batch, one sequence at a time.
 */
export const LANE_SPLITS = 32;

/** Whether the model is small enough for the lane form. */
export const fitsLane = ({ size4 }: Layout): boolean => size4 <= UNROLL_LIMIT;

/**
 * Bytes of private variables in the backward kernel, which has more than the forward kernel: parameters, sums of their
 * gradients, dr, the header of the batch and a few other numbers.
 */
export const laneBytes = ({ size4, R4, tensors }: Pick<Layout, 'size4' | 'R4' | 'tensors'>): number =>
  16 * (2 * size4 + R4) + 4 * (HEADER.length + tensors.length) + 64;

/** Whether the private variables of a model fit the device. */
export const fitsPrivate = ({ limits }: DeviceProfile, layout: Layout): boolean =>
  laneBytes(layout) <= limits.private;

/**
 * Whether the lane form can compute a model: small enough, and without an embedding or a readout, whose products run
 * outside the loop over time.
 */
export const canUnroll = (layout: Layout): boolean =>
  fitsLane(layout) && layout.spec.embedding === 0 && layout.spec.readout === 0;

/** Builds the passes. @throws InputError if the model has an embedding or a readout */
export function lanePasses({ profile, layout, form }: PlanContext): Passes {
  const { spec, size4 } = layout;
  if (spec.embedding || spec.readout)
    throw new InputError('the lane form does not support an embedding or a readout: use --plan stepwise.');
  const uniform = size4 * 16 <= profile.limits.uniform;
  const options: LaneOptions = { layout, batch: batchOf(layout, true), uniform, memory: form };
  const weights: readonly [BufferName, Binding] = ['params', uniform ? 'uniform' : 'read-only-storage'];
  return {
    forward: [
      {
        label: 'fused forward lane',
        code: fusedForwardLane(options),
        buffers: [
          read('batch'),
          weights,
          write('acts'),
          write('slots'),
          write('undoLog'),
          write('grads'),
          write('rowMetrics'),
          write('autoencoderLoss'),
        ],
        groups: perSequence(form),
        over: { pass: 'forward' },
      },
    ],
    backward: [
      {
        label: 'fused backward lane',
        code: fusedBackwardLane(options),
        buffers: [
          read('batch'),
          weights,
          read('acts'),
          write('grads'),
          write('slots'),
          write('undoLog'),
          write('dStrength'),
          write('partial'),
        ],
        groups: ({ rowSplits }) => split(Math.ceil(rowSplits / form.size)),
        // An invocation adds up the gradients of its sequences one after another. Rounds keep that order when the work
        // is cut into slices.
        over: { pass: 'backward', rounds: ({ B, rowSplits }) => Math.ceil(B / rowSplits) },
      },
    ],
    rowSplits: B => Math.min(LANE_SPLITS, B),
  };
}
