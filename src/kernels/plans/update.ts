import {
  EMBED_SIZE,
  embed,
  embedBackward,
  embedBackwardItems,
  embedItems,
} from '../../../shaders/embed.wgsl.ts';
import { metrics } from '../../../shaders/metrics.wgsl.ts';
import { OPTIM_SIZE, optim, reduceGradients, squaredNorms } from '../../../shaders/optim.wgsl.ts';
import type { TrainConfig } from '../../base/config.ts';
import { split } from '../../gpu/device.ts';
import { pushBiasesAt } from '../../layout/pack.ts';
import { type Launch, read, write } from '../launch.ts';
import type { PlanContext } from './passes.ts';

/** The launches common to all plans: embeddings before the forward pass, and the update after the weight gradients. */

/** Embeddings -> Wx of each layer (We · Wxe). No launch without embeddings. */
export const embeddingProducts = ({ layout }: PlanContext): Launch[] =>
  layout.We
    ? [
        {
          label: 'embeddings',
          code: embed(layout),
          buffers: [write('params')],
          groups: () => split(Math.ceil(embedItems(layout) / EMBED_SIZE)),
        },
      ]
    : [];

/** Losses of the rows -> the report. For a training step it includes the scale that clips the gradients. */
export function metricsLaunch({ profile, layout, batch }: PlanContext, training?: TrainConfig): Launch {
  const { sums } = profile.tuning;
  const clipNorm = training?.clip === 'norm' ? training.clipAt : 0;
  const options = {
    size: sums.size,
    autoencoder: layout.spec.autoencoder,
    training: training && { norms: normCount({ profile, layout }), clipNorm },
  };
  return {
    label: training ? 'metrics' : 'metrics of an evaluation',
    code: metrics(batch, options),
    buffers: [read('batch'), read('rowMetrics'), read('autoencoderLoss'), read('norms'), write('reports')],
    groups: () => [1, 1],
  };
}

/** `partial` -> gradients -> new parameters. */
export function update(context: PlanContext, training: TrainConfig): Launch[] {
  const { profile, layout, batch } = context;
  const { size4, trained4, weights4 } = layout;
  const { size } = profile.tuning.sums;
  const norms = normCount(context);
  const perNorm: Launch['groups'] = () => [Math.ceil(norms / size), 1];
  return [
    {
      label: 'reduce gradients',
      code: reduceGradients(batch, size4, norms, size),
      buffers: [read('batch'), read('partial'), write('gradient'), write('norms')],
      groups: perNorm,
    },
    ...(layout.We
      ? [
          {
            label: 'embeddings backward',
            code: embedBackward(layout),
            buffers: [read('params'), write('gradient')],
            groups: () => split(Math.ceil(embedBackwardItems(layout) / EMBED_SIZE)),
          } satisfies Launch,
          {
            label: 'norms',
            code: squaredNorms(trained4, norms, size),
            buffers: [read('gradient'), write('norms')],
            groups: perNorm,
          } satisfies Launch,
        ]
      : []),
    metricsLaunch(context, training),
    {
      label: `optimiser ${training.optimiser}`,
      code: optim(batch, {
        ...training,
        clipValue: training.clip === 'value' ? training.clipAt : 0,
        pushBiasesAt: pushBiasesAt(layout),
        weights4,
        size4: trained4,
      }),
      buffers: [
        read('batch'),
        read('gradient'),
        read('reports'),
        write('params'),
        write('firstMoment'),
        write('secondMoment'),
      ],
      groups: () => split(Math.ceil(trained4 / OPTIM_SIZE)),
    },
  ];
}

/**
 * Number of invocations that add up gradients. Each also writes its sum of squares; the kernel `metrics` adds them up.
 */
const normCount = ({ profile, layout }: Pick<PlanContext, 'profile' | 'layout'>): number =>
  Math.min(layout.size4, profile.tuning.sums.max);
