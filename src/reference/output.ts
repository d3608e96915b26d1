import type { ModelSpec } from '../base/parameters.ts';
import {
  addLinear,
  addLinearBackward,
  linear,
  linearBackward,
  multiHot,
  tanhBackward,
  type Weights,
} from './linear.ts';
import { type Output, outputLoss, outputLossBackward, squaredError, squaredErrorBackward } from './loss.ts';

/** The output of one step. */
export interface StepOutput extends Output {
  /** [O] the hidden layer below the output, if the model has a readout. */
  o?: Float64Array;
}

/**
 * Output and loss: f(o'·W_o + b_o), f = softmax, tanh or σ. With a readout: o = tanh(o'·W_o + b_o), and the output is
 * f(o·W_s + b_s) (section 3.4 of the paper).
 *
 * o' [P], target → output [V], loss
 */
export function output(spec: ModelSpec, w: Weights, op: Float64Array, target: number): StepOutput {
  const a = linear(op, w.W_o, w.b_o);
  if (!spec.readout) return outputLoss(spec.output, a, target);
  const o = a.map(Math.tanh);
  return { o, ...outputLoss(spec.output, linear(o, w.W_s, w.b_s), target) };
}

/** Gradient of `weight` times the loss: do' [P] and the gradients of the output's parameters; adds to all of them. */
export function outputBackward(
  spec: ModelSpec,
  w: Weights,
  op: Float64Array,
  step: StepOutput,
  target: number,
  weight: number,
  dop: Float64Array,
  dw: Weights,
): void {
  const dLogits = outputLossBackward(spec.output, step.output, target).map(dy => weight * dy);
  const { o } = step;
  if (!o) {
    linearBackward(op, w.W_o, dLogits, dop, dw.W_o, dw.b_o);
    return;
  }
  const dO = new Float64Array(o.length);
  linearBackward(o, w.W_s, dLogits, dO, dw.W_s, dw.b_s);
  linearBackward(op, w.W_o, tanhBackward(o, dO), dop, dw.W_o, dw.b_o);
}

/** Outputs of the auto-encoder heads at one step: reconstructions of x_{t-1} from h_t and from o'_t. */
export interface Reconstruction {
  fromH: Output;
  fromP: Output;
}

/** σ(h_t·W_hx) and σ(o'_t·W_px), and their squared errors against x_{t-1}. h [H], o' [P], ids [K] of x_{t-1} */
export function reconstruct(
  spec: ModelSpec,
  w: Weights,
  h: Float64Array,
  op: Float64Array,
  ids: Uint32Array,
): Reconstruction {
  const x = multiHot(ids, spec.inputs);
  const from = (a: Float64Array, W: Float64Array): Output => {
    const logits = new Float64Array(x.length);
    addLinear(a, W, logits);
    return squaredError('sigmoid', logits, x);
  };
  return { fromH: from(h, w.W_hx), fromP: from(op, w.W_px) };
}

/** Gradient of `weight` times the losses: dh [H], do' [P], dW_hx and dW_px; adds to all of them. */
export function reconstructBackward(
  spec: ModelSpec,
  w: Weights,
  h: Float64Array,
  op: Float64Array,
  ids: Uint32Array,
  { fromH, fromP }: Reconstruction,
  weight: number,
  dh: Float64Array,
  dop: Float64Array,
  dw: Weights,
): void {
  const x = multiHot(ids, spec.inputs);
  const dLogits = ({ output }: Output): Float64Array =>
    squaredErrorBackward('sigmoid', output, x).map(dx => weight * dx);
  addLinearBackward(h, w.W_hx, dLogits(fromH), dh, dw.W_hx);
  addLinearBackward(op, w.W_px, dLogits(fromP), dop, dw.W_px);
}
