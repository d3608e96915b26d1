import { workgroupWords } from '../../../shaders/fused/block.wgsl.ts';
import { fusedBackwardBlock } from '../../../shaders/fused/block-backward.wgsl.ts';
import { fusedForwardBlock } from '../../../shaders/fused/block-forward.wgsl.ts';
import type { MemoryKernelOptions } from '../../../shaders/lib/model.wgsl.ts';
import { InputError } from '../../base/errors.ts';
import type { DeviceProfile, MemoryForm } from '../../gpu/profile.ts';
import type { Layout } from '../../layout/layout.ts';
import { read, write } from '../launch.ts';
import { rowSplitsOf, weightGradients } from './gradients.ts';
import { outputsBackward, outputsForward } from './outputs.ts';
import { type Passes, type PlanContext, perSequence } from './passes.ts';

/** The fused plan in the block form: all time steps in one dispatch per pass, one sequence per workgroup. */

/**
 * Maximum number of words of workgroup memory that the memory functions need: four for each of 128 invocations (scan
 * and rows), and a few others.
 */
const MEMORY_WORDS = 4 * 128 + 32;

/** Bytes of workgroup memory for the state of a sequence and for the memory functions. */
export const workgroupBytes = (layout: Layout): number => (workgroupWords(layout) + MEMORY_WORDS) * 4;

/** Whether the state of a sequence fits into workgroup memory. */
export const fitsBlock = ({ limits }: DeviceProfile, layout: Layout): boolean =>
  workgroupBytes(layout) <= limits.workgroup;

/** One invocation per number of the widest row, rounded up to 32, 64 or 128; wider rows take several rounds. */
export function blockForm({ subgroups }: DeviceProfile, { spec }: Layout): MemoryForm {
  const widest = Math.max(spec.hidden, spec.projection, spec.memory === 'none' ? 0 : spec.width + 2);
  const size = widest <= 32 ? 32 : widest <= 64 ? 64 : 128;
  return { form: 'block', size, subgroups };
}

/** Builds the passes. @throws InputError if the state of a sequence does not fit into workgroup memory */
export function blockPasses(context: PlanContext): Passes {
  const { profile, layout, form, batch } = context;
  if (!fitsBlock(profile, layout)) {
    const { hidden: H, projection: P, width: M } = layout.spec;
    throw new InputError(
      `model.hidden ${H}, model.projection ${P} and model.width ${M} need ${workgroupBytes(layout)} bytes of workgroup memory ` +
        `in the fused plan, but this device has ${profile.limits.workgroup}: use --plan stepwise, or make them smaller.`,
    );
  }
  const options: MemoryKernelOptions = { layout, batch, memory: form };
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
      {
        label: 'fused backward block',
        code: fusedBackwardBlock(options),
        buffers: [
          read('batch'),
          read('params'),
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
