import {
  type GradientJob,
  gradientLanes,
  gradientTiles,
  LANE_SIZE,
  sideBySide,
  tileGroups,
} from '../../shaders/gradients.wgsl.ts';
import type { HeaderField } from '../../shaders/lib/batch.wgsl.ts';
import { LINEAR_SIZE, linear, linearBackward, type Operand } from '../../shaders/linear.wgsl.ts';
import { LOSS_SIZE, loss } from '../../shaders/loss.wgsl.ts';
import { OPTIM_SIZE, optim, reduceGradients } from '../../shaders/optim.wgsl.ts';
import { type RnnOptions, rnnBackwardLane, rnnForwardLane } from '../../shaders/rnn.wgsl.ts';
import { rnnBackwardBlock, rnnForwardBlock } from '../../shaders/rnn-block.wgsl.ts';
import { score } from '../../shaders/score.wgsl.ts';
import type { TrainConfig } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import { type Binding, type Gpu, type Kernel, split } from '../gpu/device.ts';
import { type Layout, pushBiasAt } from './layout.ts';
import type { MemoryForm } from './memory.ts';

/** The buffers of a model that kernels bind, by name. */
export const BUFFERS = [
  'batch',
  'params',
  'acts',
  'grads',
  'slots',
  'undo',
  'dStrength',
  'outcomes',
  'extra',
  'partial',
  'gradient',
  'norms',
  'reports',
  'mean',
  'square',
] as const;
export type BufferName = (typeof BUFFERS)[number];

/** One dispatch of a plan, as data: what runs, on which buffers, in how many workgroups. */
export interface Launch {
  kernel: Kernel;
  buffers: BufferName[];
  groups: (size: { B: number; T: number; parts: number }) => [x: number, y: number];
}

/**
 * The fused plan: what a training step and an evaluation dispatch, in order. A step is about ten dispatches
 * whatever T is.
 */
export interface Plan {
  form: MemoryForm;
  /** Parts that the rows are divided into for the weight gradients: enough to fill a device, few enough to add. */
  parts(B: number, T: number): number;
  step: Launch[];
  forward: Launch[];
}

/**
 * Parameters, in vec4s, whose products may be written out in a kernel. Compilation grows faster than they do: 3 s at
 * 640, 9 s at 1,250, 20 s at 2,000, on 2 busy cores with SwiftShader.
 */
const WRITTEN_OUT_LIMIT = 1300;

/**
 * The form of the fused kernels for this device and model: in registers, one sequence per invocation, on software
 * adapters while the products can be written out; a workgroup per sequence otherwise.
 */
export function chooseFusedForm(gpu: Gpu, { size4, spec }: Layout): MemoryForm {
  if (gpu.software && size4 <= WRITTEN_OUT_LIMIT) {
    return { form: 'lane', size: 4, subgroups: false };
  }
  const widest = Math.max(spec.hidden, spec.deeper, spec.width + 2);
  const size = widest <= 32 ? 32 : widest <= 64 ? 64 : 128;
  return { form: 'block', size, subgroups: gpu.subgroups };
}

/** Most parts that the rows are divided into for the weight gradients. */
export const MOST_PARTS = 8;
/** Most partial sums of squared gradients. */
export const MOST_NORMS = 4096;

/** @throws InputError where a sequence's state does not fit into workgroup memory */
function checkWorkgroup(gpu: Gpu, { spec, S4 }: Layout): void {
  const { hidden: H, deeper: P, width: M } = spec;
  // Forward: h twice, o', r. Backward: dh, da, do', ds, dr. The memory's scan and rows take a few hundred numbers.
  const numbers = Math.max(2 * H + P + M, 2 * H + (P || H) + 4 * S4 + M) + 512;
  const limit = gpu.device.limits.maxComputeWorkgroupStorageSize;
  if (numbers * 4 > limit) {
    throw new InputError(
      `model.hidden ${H}, model.deeper ${P} and model.width ${M} need ${numbers * 4} bytes of workgroup memory, but ` +
        `this device has ${limit}: make them smaller, or use --engine cpu.`,
    );
  }
}

export async function compilePlan(
  gpu: Gpu,
  layout: Layout,
  training: TrainConfig,
  form: MemoryForm = chooseFusedForm(gpu, layout),
): Promise<Plan> {
  const { spec, blocks, size4, H4, P4, M4, S4, V4, D4 } = layout;
  const lane = form.form === 'lane';
  if (!lane) checkWorkgroup(gpu, layout);
  const deeper = spec.deeper > 0;
  const operand = (field: HeaderField, width4: number, skip: 0 | 1 = 0): Operand => ({ field, width4, skip });
  const h = operand('h', H4, 1);
  const op = deeper ? operand('op', P4) : h;
  const dO = operand('dO', P4);
  const y = operand('y', V4);
  const dY = operand('dY', V4);

  // ---- launches --------------------------------------------------------------------------------------------
  const launch = async (
    label: string,
    code: string,
    buffers: [BufferName, Binding][],
    groups: Launch['groups'],
  ): Promise<Launch> => ({
    kernel: await gpu.kernel(
      label,
      code,
      buffers.map(([, type]) => type),
    ),
    buffers: buffers.map(([name]) => name),
    groups,
  });
  const read = (name: BufferName): [BufferName, Binding] => [name, 'read-only-storage'];
  const write = (name: BufferName): [BufferName, Binding] => [name, 'storage'];
  const perSequence: Launch['groups'] = ({ B }) => (lane ? [Math.ceil(B / form.size), 1] : [B, 1]);
  const perTile = (columns4: number): Launch['groups'] => {
    return ({ B, T }) => split(Math.ceil((Math.ceil((B * T) / 4) * columns4) / LINEAR_SIZE));
  };
  const perRow: Launch['groups'] = ({ B, T }) => split(Math.ceil((B * T) / LOSS_SIZE));

  const uniform = lane && size4 * 16 <= gpu.device.limits.maxUniformBufferBindingSize;
  const rnn: RnnOptions = { layout, uniform, memory: form };
  const weights: [BufferName, Binding] = ['params', uniform ? 'uniform' : 'read-only-storage'];
  // Invocations that add up gradients, each with a sum of squares of its own, which `score` adds up.
  const norms = Math.min(size4, gpu.software ? 64 : MOST_NORMS);
  const small = gpu.software ? 8 : 64;

  const head = (x: Operand, W: 'Wo' | 'Whx' | 'Wpx', out: Operand) =>
    launch(
      `linear ${W}`,
      linear(x, blocks[W], W === 'Wo' ? blocks.bo : undefined, out),
      [read('batch'), read('params'), write('acts')],
      perTile(out.width4),
    );
  const headBackward = (dy: Operand, W: 'Wo' | 'Whx' | 'Wpx', dx: Operand, accumulate: boolean) =>
    launch(
      `linear backward ${W}`,
      linearBackward(dy, blocks[W], dx, accumulate),
      [read('batch'), read('params'), write('grads')],
      perTile(dx.width4),
    );
  const recall = (field: 'xh' | 'xp', dField: 'dXh' | 'dXp', component: 0 | 1) =>
    launch(
      `loss ${field}`,
      loss(
        { kind: 'sigmoid', width: spec.inputs, width4: D4, y: field, dY: dField, target: 'previous input' },
        component,
      ),
      [read('batch'), write('acts'), write('grads'), write('extra')],
      perRow,
    );
  const scoring = (training?: { norms: number; clipNorm: number }) =>
    launch(
      training ? 'score' : 'score evaluation',
      score({ size: small, autoencoder: spec.autoencoder, training }),
      [read('batch'), read('outcomes'), read('extra'), read('norms'), write('reports')],
      () => [1, 1],
    );

  const fusedForward = launch(
    `rnn forward ${form.form}`,
    lane ? rnnForwardLane(rnn) : rnnForwardBlock(rnn),
    [
      read('batch'),
      weights,
      ...(['acts', 'slots', 'undo', ...(lane ? (['grads', 'outcomes', 'extra'] as const) : [])] as const).map(
        write,
      ),
    ],
    perSequence,
  );
  // In the lane form the losses and their way back to o' are part of the fused kernels.
  const outputs = lane
    ? []
    : [
        head(op, 'Wo', y),
        launch(
          `loss ${spec.output}`,
          loss({ kind: spec.output, width: spec.outputs, width4: V4, y: 'y', dY: 'dY', target: 'class' }),
          [read('batch'), write('acts'), write('grads'), write('outcomes')],
          perRow,
        ),
      ];
  const recalls =
    spec.autoencoder && !lane
      ? [
          head(h, 'Whx', operand('xh', D4)),
          head(op, 'Wpx', operand('xp', D4)),
          recall('xh', 'dXh', 0),
          recall('xp', 'dXp', 1),
        ]
      : [];
  const heads = lane
    ? []
    : [
        headBackward(dY, 'Wo', dO, false),
        ...(spec.autoencoder
          ? [
              headBackward(operand('dXp', D4), 'Wpx', dO, true),
              headBackward(operand('dXh', D4), 'Whx', operand('dHx', H4), false),
            ]
          : []),
      ];
  const fusedBackward = launch(
    `rnn backward ${form.form}`,
    lane ? rnnBackwardLane(rnn) : rnnBackwardBlock(rnn),
    [read('batch'), weights, read('acts'), write('grads'), write('slots'), write('undo'), write('dStrength')],
    perSequence,
  );

  // ---- weight gradients ------------------------------------------------------------------------------------
  const job = (
    block: keyof Layout['blocks'],
    a: GradientJob['a'],
    b: Operand,
    perStep = true,
  ): GradientJob => ({
    block: blocks[block],
    a,
    b,
    perStep,
  });
  const dA = operand('dA', H4);
  const dS = operand('dS', S4);
  const jobs: GradientJob[] = [
    job('Wx', 'inputs', dA),
    job('Wh', operand('h', H4), dA),
    job('Wr', operand('r', M4), dA),
    job('bh', 'ones', dA),
    job('S', op, dS),
    job('bS', 'ones', dS),
    job('Wo', op, dY),
    job('bo', 'ones', dY),
  ];
  if (spec.start === 'trained') jobs.push(job('h0', 'ones', operand('dH0', H4), false));
  if (deeper) jobs.push(job('Whp', h, operand('dP', P4)), job('bp', 'ones', operand('dP', P4)));
  if (spec.autoencoder) jobs.push(job('Whx', h, operand('dXh', D4)), job('Wpx', op, operand('dXp', D4)));
  const gradients = [
    launch(
      `weight gradients ${lane ? 'lane' : 'tile'}`,
      lane ? gradientLanes(jobs, size4) : gradientTiles(jobs, size4),
      [read('batch'), read('acts'), read('grads'), write('partial')],
      ({ parts }) =>
        lane ? [Math.ceil(parts / LANE_SIZE), sideBySide(jobs).length] : [tileGroups(jobs), parts],
    ),
    launch(
      'reduce gradients',
      reduceGradients(size4, norms, small),
      [read('batch'), read('partial'), write('gradient'), write('norms')],
      () => [Math.ceil(norms / small), 1],
    ),
  ];
  const update = launch(
    `optimiser ${training.optimiser}`,
    optim({
      ...training,
      clipValue: training.clip === 'value' ? training.clipAt : 0,
      pushBiasAt: pushBiasAt(layout),
      size4,
    }),
    [read('batch'), read('gradient'), read('reports'), write('params'), write('mean'), write('square')],
    () => split(Math.ceil(size4 / OPTIM_SIZE)),
  );
  const trainingScore = scoring({
    norms,
    clipNorm: training.clip === 'norm' ? training.clipAt : 0,
  });

  const forward = [fusedForward, ...outputs, ...recalls];
  return {
    form,
    parts: (B, T) => Math.min(MOST_PARTS, lane ? B : Math.ceil((B * T) / 64)),
    step: await Promise.all([...forward, ...heads, fusedBackward, ...gradients, trainingScore, update]),
    forward: await Promise.all([...forward, scoring()]),
  };
}
