import { linear, linearBackward } from '../../../shaders/linear.wgsl.ts';
import { loss } from '../../../shaders/loss.wgsl.ts';
import { type Operand, operand } from '../../layout/tensors.ts';
import { type Launch, read, write } from '../launch.ts';
import { headInput, type PlanContext, perRow, perTile, topOf } from './passes.ts';

/**
 * Outputs, losses and the backward pass to o', outside the loop over time: for the rows of all time steps together.
 */

type Matrix = 'Wo' | 'Ws' | 'Whx' | 'Wpx';

/** o' (and h) -> y, its loss and dY; with an auto-encoder also xh and xp, their losses and gradients. */
export function outputsForward(context: PlanContext): Launch[] {
  const { layout, profile, batch } = context;
  const { spec, blocks } = layout;
  const tensor = (field: string): Operand => operand(layout, field);
  const [h, op] = [topOf(layout), headInput(layout)];
  const biases = { Wo: blocks.bo, Ws: blocks.bs, Whx: undefined, Wpx: undefined };
  const product = (x: Operand, W: Matrix, out: Operand, tanh = false): Launch => ({
    label: `linear ${W}`,
    code: linear(batch, profile.tuning.linear, x, blocks[W], biases[W], out, tanh),
    buffers: [read('batch'), read('params'), write('acts')],
    groups: perTile(profile, out.width4),
  });
  const reconstruction = (field: 'xh' | 'xp', dField: 'dXh' | 'dXp', component: 0 | 1): Launch => {
    const kind = {
      kind: 'sigmoid',
      width: spec.inputs,
      y: tensor(field),
      dY: tensor(dField),
      target: 'previous input',
    } as const;
    return {
      label: `loss ${field}`,
      code: loss(batch, kind, component),
      buffers: [read('batch'), write('acts'), write('grads'), write('autoencoderLoss')],
      groups: perRow,
    };
  };
  const { output, outputs } = spec;
  return [
    ...(spec.readout
      ? [product(op, 'Wo', tensor('o'), true), product(tensor('o'), 'Ws', tensor('y'))]
      : [product(op, 'Wo', tensor('y'))]),
    {
      label: `loss ${output}`,
      code: loss(batch, { kind: output, width: outputs, y: tensor('y'), dY: tensor('dY'), target: 'class' }),
      buffers: [read('batch'), write('acts'), write('grads'), write('rowMetrics')],
      groups: perRow,
    },
    ...(spec.autoencoder
      ? [
          product(h, 'Whx', tensor('xh')),
          product(op, 'Wpx', tensor('xp')),
          reconstruction('xh', 'dXh', 0),
          reconstruction('xp', 'dXp', 1),
        ]
      : []),
  ];
}

/** dY, dXh, dXp -> dOp, dHx. */
export function outputsBackward({ layout, profile, batch }: PlanContext): Launch[] {
  const { spec, blocks } = layout;
  const tensor = (field: string): Operand => operand(layout, field);
  const back = (
    dy: Operand,
    W: Matrix,
    dx: Operand,
    { accumulate = false, tanh }: { accumulate?: boolean; tanh?: Operand } = {},
  ): Launch => ({
    label: `linear backward ${W}`,
    code: linearBackward(batch, profile.tuning.linear, dy, blocks[W], dx, accumulate, tanh),
    buffers: [read('batch'), read('params'), write('grads'), ...(tanh ? [read('acts')] : [])],
    groups: perTile(profile, dx.width4),
  });
  return [
    ...(spec.readout
      ? [
          back(tensor('dY'), 'Ws', tensor('dQ'), { tanh: tensor('o') }),
          back(tensor('dQ'), 'Wo', tensor('dOp')),
        ]
      : [back(tensor('dY'), 'Wo', tensor('dOp'))]),
    ...(spec.autoencoder
      ? [
          back(tensor('dXp'), 'Wpx', tensor('dOp'), { accumulate: true }),
          back(tensor('dXh'), 'Whx', tensor('dHx')),
        ]
      : []),
  ];
}
