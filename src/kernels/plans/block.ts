import { type BlockOptions, widestSum4, workgroupWords } from '../../../shaders/fused/block.wgsl.ts';
import { fusedBackwardBlock } from '../../../shaders/fused/block-backward.wgsl.ts';
import { fusedForwardBlock } from '../../../shaders/fused/block-forward.wgsl.ts';
import { TRANSPOSE_SIZE, transpose, transposeItems } from '../../../shaders/transpose.wgsl.ts';
import { InputError } from '../../base/errors.ts';
import { split } from '../../gpu/device.ts';
import type { DeviceProfile, MemoryForm } from '../../gpu/profile.ts';
import type { Layout } from '../../layout/layout.ts';

import { type Launch, read, write } from '../launch.ts';
import { rowSplitsOf, weightGradients } from './gradients.ts';
import { outputsBackward, outputsForward } from './outputs.ts';
import { type Passes, type PlanContext, perSequence } from './passes.ts';

/** The fused plan in the block form: all time steps in one dispatch per pass, one sequence per workgroup. */

/**
 * Number of words of workgroup memory that the memory functions need: four for each invocation (scan and rows), and a
 * few others.
 */
const memoryWords = (size: number): number => 4 * size + 32;

/** Bytes of workgroup memory for the state of a sequence and for the memory functions. */
export const workgroupBytes = (layout: Layout, { size }: Pick<MemoryForm, 'size'>): number =>
  (workgroupWords(layout, size) + memoryWords(size)) * 4;

/** Whether the state of a sequence fits into workgroup memory, in this form. */
export const fitsBlock = (
  profile: DeviceProfile,
  layout: Layout,
  form = blockForm(profile, layout),
): boolean => workgroupBytes(layout, form) <= profile.limits.workgroup;

/**
 * Four invocations per vec4 of the widest product, at least 32 and at most 256, WebGPU's guaranteed maximum; fewer if the
 * state fits into workgroup memory only then. On an H200 a training step of an LSTM of 32 units with a stack takes 13%
 * less time with 128 invocations than with 32; with 256 units it takes 20% less with 256 invocations than with 128
 * (bench/lab/profiles.ts).
 */
export function blockForm({ subgroups, limits }: DeviceProfile, layout: Layout): MemoryForm {
  const wanted = 4 * widestSum4(layout);
  const sizes = [256, 128, 64, 32].filter(size => size === 32 || size < 2 * wanted);
  const size = sizes.find(size => workgroupBytes(layout, { size }) <= limits.workgroup) ?? sizes[0];
  return { form: 'block', size, subgroups };
}

/** Builds the passes. @throws InputError if the state of a sequence does not fit into workgroup memory */
export function blockPasses(context: PlanContext): Passes {
  const { profile, layout, form, batch } = context;
  if (!fitsBlock(profile, layout, form)) {
    const { hidden: H, projection: P, width: M } = layout.spec;
    throw new InputError(
      `model.hidden ${H}, model.projection ${P} and model.width ${M} need ${workgroupBytes(layout, form)} bytes of workgroup memory ` +
        `in the fused plan, but this device has ${profile.limits.workgroup}: use --plan stepwise, or make them smaller.`,
    );
  }
  const { rowsAtOnce } = profile.tuning;
  const options: BlockOptions = { layout, batch, memory: form, rowsAtOnce };
  const groups = perSequence(form);
  return {
    forward: [
      {
        label: 'fused forward block',
        code: fusedForwardBlock(options),
        buffers: [read('batch'), read('params'), write('acts'), write('slots'), write('undoLog')],
        groups,
        over: { pass: 'forward' },
      },
      ...outputsForward(context),
    ],
    backward: [
      ...outputsBackward(context),
      ...transposes(layout),
      {
        label: 'fused backward block',
        code: fusedBackwardBlock(options),
        buffers: [
          read('batch'),
          read('transposed'),
          read('acts'),
          write('grads'),
          write('slots'),
          write('undoLog'),
          write('dStrength'),
        ],
        groups,
        over: { pass: 'backward' },
      },
      weightGradients(context),
    ],
    rowSplits: rowSplitsOf(context),
  };
}

/** Makes the transposed copies of the matrices. No launch for a model that needs none. */
function transposes(layout: Layout): Launch[] {
  const items = transposeItems(layout);
  if (items === 0) return [];
  return [
    {
      label: 'transpose',
      code: transpose(layout),
      buffers: [read('params'), write('transposed')],
      groups: () => split(Math.ceil(items / TRANSPOSE_SIZE)),
    },
  ];
}
