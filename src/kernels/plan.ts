import {
  EMBED_SIZE,
  embed,
  embedBackward,
  embedBackwardItems,
  embedItems,
} from '../../shaders/embed.wgsl.ts';
import { fusedBackwardBlock, fusedForwardBlock, workgroupWords } from '../../shaders/fused-block.wgsl.ts';
import { fusedBackwardLane, fusedForwardLane } from '../../shaders/fused-lane.wgsl.ts';
import { batchOf } from '../../shaders/lib/batch.wgsl.ts';
import type { FusedOptions } from '../../shaders/lib/model.wgsl.ts';
import { linear, linearBackward, linearTiles } from '../../shaders/linear.wgsl.ts';
import { LOSS_SIZE, loss } from '../../shaders/loss.wgsl.ts';
import { OPTIM_SIZE, optim, reduceGradients, squaredNorms } from '../../shaders/optim.wgsl.ts';
import { score } from '../../shaders/score.wgsl.ts';
import type { TrainConfig } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import { type Binding, type Gpu, split } from '../gpu/device.ts';
import type { Layout } from '../layout/layout.ts';
import { pushBiasesAt } from '../layout/pack.ts';
import { type Operand, operand } from '../layout/tensors.ts';
import { type TuningStore, tunedStep } from './autotune.ts';
import { partsFor, weightGradients } from './gradients.ts';
import { type BufferName, type Launch, Launcher, read, type Size, type Work, write } from './launch.ts';
import type { MemoryForm } from './memory.ts';
import type { PlanName } from './plans.ts';
import { stepwiseLaunches } from './stepwise.ts';
import { tuningFor } from './tuning.ts';

/** How a model is computed: what a training step and an evaluation dispatch, in order. */
export interface Plan {
  /** fused: all time steps in one dispatch each way; stepwise: dispatches per layer and time step. */
  kind: 'fused' | 'stepwise';
  /** Of the fused kernels, or of the memory's steps. */
  form: MemoryForm;
  /** Parts that the rows are divided into for the weight gradients: enough to fill a device, few enough to add. */
  parts(B: number, T: number): number;
  /** What was chosen by measuring, for PlanOptions.choices; absent where nothing was. */
  choices?: Record<string, string>;
  step: Work[];
  forward: Work[];
}

/**
 * Parameters, in vec4s, whose products may be written out in a kernel. Compilation grows faster than they do: 3 s at
 * 640, 9 s at 1,250, 20 s at 2,000, on 2 busy cores with SwiftShader.
 */
const WRITTEN_OUT_LIMIT = 1300;

/** Numbers of a controller's state that a workgroup per sequence still loops over fast enough on a GPU. */
const FUSED_BLOCK_LIMIT = 128;

/** Whether the model can be written out, one sequence per invocation: small, and without what is hoisted out. */
const canBeWrittenOut = ({ size4, spec }: Layout): boolean =>
  size4 <= WRITTEN_OUT_LIMIT && spec.embedding === 0 && spec.readout === 0;

const blockForm = (gpu: Gpu, spec: Layout['spec']): MemoryForm => {
  const widest = Math.max(spec.hidden, spec.deeper, spec.memory === 'none' ? 0 : spec.width + 2);
  const size = widest <= 32 ? 32 : widest <= 64 ? 64 : 128;
  return { form: 'block', size, subgroups: gpu.subgroups };
};

/**
 * The plan for this device and model. On software adapters: in registers while the products can be written out, else
 * stepwise, for they run a workgroup's barriers one invocation after the other. On GPUs: a workgroup per sequence up
 * to a width, stepwise beyond, where every step's weights should serve many sequences.
 */
export function choosePlan(
  gpu: Gpu,
  layout: Layout,
  asked: PlanName = 'auto',
): { kind: Plan['kind']; form: MemoryForm } {
  const { spec } = layout;
  const lane: MemoryForm = { form: 'lane', size: 4, subgroups: false };
  const block = blockForm(gpu, spec);
  const fused = gpu.software && canBeWrittenOut(layout) ? lane : block;
  const stepwise: MemoryForm = gpu.software ? { ...lane, size: 8 } : { ...block, size: 32 };
  if (asked === 'fused') return { kind: 'fused', form: fused };
  if (asked === 'stepwise') return { kind: 'stepwise', form: stepwise };
  const fits = workgroupBytes(layout) <= gpu.device.limits.maxComputeWorkgroupStorageSize;
  const good = gpu.software ? fused.form === 'lane' : fits && spec.hidden * spec.layers <= FUSED_BLOCK_LIMIT;
  return good ? { kind: 'fused', form: fused } : { kind: 'stepwise', form: stepwise };
}

/** Parts of the sequences, in the lane form: invocations that each go back over theirs. */
const LANE_PARTS = 32;
/** Parts that the rows are divided into elsewhere. */
const TILE_PARTS = 8;
/** Room for the sums of all parts: the lane form is for small models only. */
export const mostParts = ({ size4 }: Layout): number =>
  size4 <= WRITTEN_OUT_LIMIT ? Math.max(LANE_PARTS, TILE_PARTS) : TILE_PARTS;

/** Most partial sums of squared gradients. */
export const MOST_NORMS = 4096;

/** The state of a sequence; the memory's scan and rows take a few hundred numbers more. */
const workgroupBytes = (layout: Layout): number => (workgroupWords(layout) + 512) * 4;

/** @throws InputError where a sequence's state does not fit into workgroup memory */
function checkWorkgroup(gpu: Gpu, layout: Layout): void {
  const { hidden: H, deeper: P, width: M } = layout.spec;
  const bytes = workgroupBytes(layout);
  const limit = gpu.device.limits.maxComputeWorkgroupStorageSize;
  if (bytes > limit) {
    throw new InputError(
      `model.hidden ${H}, model.deeper ${P} and model.width ${M} need ${bytes} bytes of workgroup memory in the ` +
        `fused plan, but this device has ${limit}: use --plan stepwise, or make them smaller.`,
    );
  }
}

/** What is forced, for tests and benchmarks, and by --plan. */
export interface PlanOptions {
  plan?: PlanName;
  form?: MemoryForm;
  /** Keeps what was measured. */
  tunings?: TuningStore;
  /** What was chosen for an earlier model of the same run. */
  choices?: Readonly<Record<string, string>>;
  /** Cuts the work over time into slices of this many steps, for tests; otherwise their number follows the time they take. */
  sliceSteps?: number;
}

export async function compilePlan(
  gpu: Gpu,
  layout: Layout,
  training: TrainConfig,
  { plan, form: forced, tunings, choices = {} }: PlanOptions = {},
): Promise<Plan> {
  const chosen = choosePlan(gpu, layout, plan ?? (forced ? 'fused' : 'auto'));
  const kind = chosen.kind;
  const form = forced ?? chosen.form;
  const { spec, blocks, size4, trained4, weights4, H4, R4 } = layout;
  // The losses and the weight gradients are part of the fused kernels where these are written out.
  const lane = kind === 'fused' && form.form === 'lane';
  if (kind === 'fused' && !lane) checkWorkgroup(gpu, layout);
  if (lane && (spec.embedding || spec.readout)) {
    throw new InputError('the lane form takes no embedding and no readout: use --plan stepwise.');
  }
  const batch = batchOf(layout);
  const tuning = tuningFor(gpu);
  const launcher = new Launcher(gpu);
  // The largest product of a time step: a cell's, of what it was and of what it read.
  const step = () =>
    tunedStep(gpu, { B: training.batch, inner4: H4 + R4, columns4: H4, gates: layout.gates.all }, tuning, {
      choices,
      store: tunings,
    });
  const launch = launcher.launch.bind(launcher);
  const of = (field: string): Operand => operand(layout, field);
  const h = operand(layout, `h${spec.layers - 1}`, { skip: 1 });
  const op = spec.deeper ? of('op') : h;

  // ---- launches --------------------------------------------------------------------------------------------
  const perSequence: Launch['groups'] = ({ B }) => split(lane ? Math.ceil(B / form.size) : B);
  const perTile = (columns4: number): Launch['groups'] => {
    return ({ B, T }) => split(Math.ceil(linearTiles(tuning.linear, B * T, columns4) / tuning.linear.size));
  };
  const perRow: Launch['groups'] = ({ B, T }) => split(Math.ceil((B * T) / LOSS_SIZE));
  const uniform = lane && size4 * 16 <= gpu.device.limits.maxUniformBufferBindingSize;
  const copied = lane ? batchOf(layout, true) : batch;
  const fused: FusedOptions = { layout, batch: copied, uniform, memory: form };
  const weights: [BufferName, Binding] = ['params', uniform ? 'uniform' : 'read-only-storage'];
  // Invocations that add up gradients, each with a sum of squares of its own, which `score` adds up.
  const norms = Math.min(size4, gpu.software ? 64 : MOST_NORMS);
  const small = gpu.software ? 8 : 64;

  const head = (x: Operand, W: 'Wo' | 'Ws' | 'Whx' | 'Wpx', out: Operand, tanh = false) =>
    launch(
      `linear ${W}`,
      linear(
        batch,
        tuning.linear,
        x,
        blocks[W],
        { Wo: blocks.bo, Ws: blocks.bs, Whx: undefined, Wpx: undefined }[W],
        out,
        tanh,
      ),
      [read('batch'), read('params'), write('acts')],
      perTile(out.width4),
    );
  const headBackward = (
    dy: Operand,
    W: 'Wo' | 'Ws' | 'Whx' | 'Wpx',
    dx: Operand,
    accumulate = false,
    tanh?: Operand,
  ) =>
    launch(
      `linear backward ${W}`,
      linearBackward(batch, tuning.linear, dy, blocks[W], dx, accumulate, tanh),
      [read('batch'), read('params'), write('grads'), ...(tanh ? [read('acts')] : [])],
      perTile(dx.width4),
    );
  const recall = (field: 'xh' | 'xp', dField: 'dXh' | 'dXp', component: 0 | 1) =>
    launch(
      `loss ${field}`,
      loss(
        batch,
        { kind: 'sigmoid', width: spec.inputs, y: of(field), dY: of(dField), target: 'previous input' },
        component,
      ),
      [read('batch'), write('acts'), write('grads'), write('extra')],
      perRow,
    );
  const scoring = (training?: { norms: number; clipNorm: number }) =>
    launch(
      training ? 'score' : 'score evaluation',
      score(batch, { size: small, autoencoder: spec.autoencoder, training }),
      [read('batch'), read('outcomes'), read('extra'), read('norms'), write('reports')],
      () => [1, 1],
    );

  const derived = layout.We
    ? [
        launch('embeddings', embed(layout), [write('params')], () =>
          split(Math.ceil(embedItems(layout) / EMBED_SIZE)),
        ),
      ]
    : [];
  const fusedForward = () =>
    launch(
      `fused forward ${form.form}`,
      lane ? fusedForwardLane(fused) : fusedForwardBlock(fused),
      [
        read('batch'),
        weights,
        ...(
          ['acts', 'slots', 'undo', ...(lane ? (['grads', 'outcomes', 'extra'] as const) : [])] as const
        ).map(write),
      ],
      perSequence,
    ).then(launch => ({ ...launch, over: { way: 'forward', rounds: () => 1 } as const }));
  const fusedBackward = () =>
    launch(
      `fused backward ${form.form}`,
      lane ? fusedBackwardLane(fused) : fusedBackwardBlock(fused),
      [
        read('batch'),
        weights,
        read('acts'),
        write('grads'),
        write('slots'),
        write('undo'),
        write('dStrength'),
        ...(lane ? [write('partial')] : []),
      ],
      lane ? ({ parts }) => split(Math.ceil(parts / form.size)) : perSequence,
    ).then(launch => ({
      ...launch,
      // An invocation of the lane form has sums over its sequences, one after the other: slices must not change the order.
      over: { way: 'backward', rounds: ({ B, parts }: Size) => (lane ? Math.ceil(B / parts) : 1) } as const,
    }));
  const tuned = kind === 'stepwise' ? await step() : undefined;
  const stepwise =
    tuned && (await stepwiseLaunches(launcher, tuned.tiles, training.batch, layout, batch, form));

  // In the lane form the losses and their way back to o' are part of the fused kernels.
  const outputs = lane
    ? []
    : [
        ...(spec.readout
          ? [head(op, 'Wo', of('o'), true), head(of('o'), 'Ws', of('y'))]
          : [head(op, 'Wo', of('y'))]),
        launch(
          `loss ${spec.output}`,
          loss(batch, {
            kind: spec.output,
            width: spec.outputs,
            y: of('y'),
            dY: of('dY'),
            target: 'class',
          }),
          [read('batch'), write('acts'), write('grads'), write('outcomes')],
          perRow,
        ),
      ];
  const recalls =
    spec.autoencoder && !lane
      ? [head(h, 'Whx', of('xh')), head(op, 'Wpx', of('xp')), recall('xh', 'dXh', 0), recall('xp', 'dXp', 1)]
      : [];
  const heads = lane
    ? []
    : [
        ...(spec.readout
          ? [headBackward(of('dY'), 'Ws', of('dQ'), false, of('o')), headBackward(of('dQ'), 'Wo', of('dOp'))]
          : [headBackward(of('dY'), 'Wo', of('dOp'))]),
        ...(spec.autoencoder
          ? [headBackward(of('dXp'), 'Wpx', of('dOp'), true), headBackward(of('dXh'), 'Whx', of('dHx'))]
          : []),
      ];

  const gradients = [
    ...(lane ? [] : [weightGradients(launcher, layout, batch, tuning.gradients)]),
    launch(
      'reduce gradients',
      reduceGradients(batch, size4, norms, small),
      [read('batch'), read('partial'), write('gradient'), write('norms')],
      () => [Math.ceil(norms / small), 1],
    ),
    ...(layout.We
      ? [
          launch('embeddings backward', embedBackward(layout), [read('params'), write('gradient')], () =>
            split(Math.ceil(embedBackwardItems(layout) / EMBED_SIZE)),
          ),
          launch('norms', squaredNorms(trained4, norms, small), [read('gradient'), write('norms')], () => [
            Math.ceil(norms / small),
            1,
          ]),
        ]
      : []),
  ];
  const update = launch(
    `optimiser ${training.optimiser}`,
    optim(batch, {
      ...training,
      clipValue: training.clip === 'value' ? training.clipAt : 0,
      pushBiasesAt: pushBiasesAt(layout),
      weights4,
      size4: trained4,
    }),
    [read('batch'), read('gradient'), read('reports'), write('params'), write('mean'), write('square')],
    () => split(Math.ceil(trained4 / OPTIM_SIZE)),
  );
  const trainingScore = scoring({
    norms,
    clipNorm: training.clip === 'norm' ? training.clipAt : 0,
  });

  const forward: Work[] = [
    ...(await Promise.all(derived)),
    ...(stepwise ? stepwise.forward : [await fusedForward()]),
    ...(await Promise.all([...outputs, ...recalls])),
  ];
  const parts = partsFor(layout, tuning.gradients);
  return {
    kind,
    form,
    choices: tuned?.choices,
    parts: (B, T) => (lane ? Math.min(LANE_PARTS, B) : Math.min(TILE_PARTS, parts, Math.ceil((B * T) / 64))),
    step: [
      ...forward,
      ...(await Promise.all(heads)),
      ...(stepwise ? stepwise.backward : [await fusedBackward()]),
      ...(await Promise.all([...gradients, trainingScore, update])),
    ],
    forward: [...forward, await scoring()],
  };
}
