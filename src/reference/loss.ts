import type { ModelConfig } from '../base/config.ts';
import { MASKED, ZERO_TARGET } from '../base/dims.ts';
import { InputError } from '../base/errors.ts';
import { sigmoid } from './linear.ts';

/** The output of one step, and its loss. */
export interface Output {
  /** [V] probabilities (softmax), or tanh or σ of the logits. */
  output: Float64Array;
  loss: number;
}

/**
 * p = softmax(a), loss = −log p[target] in nats.
 *
 * a [V], target < V → p [V], loss. The largest logit is subtracted first, so that no exponential overflows and the loss
 * stays finite even if p[target] underflows.
 */
function softmaxCrossEntropy(a: Float64Array, target: number): Output {
  const largest = a.reduce((max, x) => Math.max(max, x), -Infinity);
  const output = a.map(x => Math.exp(x - largest));
  const sum = output.reduce((s, x) => s + x, 0);
  for (let i = 0; i < output.length; i++) output[i] /= sum;
  return { output, loss: largest + Math.log(sum) - a[target] };
}

/** da = p − e_target. p [V], target < V → da [V] */
function softmaxCrossEntropyBackward(p: Float64Array, target: number): Float64Array {
  const da = p.slice();
  da[target] -= 1;
  return da;
}

/** o = f(a), loss = ½ Σ (o − y)², f = tanh or σ. a [N], y [N] → o [N], loss */
export function squaredError(f: 'tanh' | 'sigmoid', a: Float64Array, y: Float64Array): Output {
  const output = a.map(f === 'tanh' ? Math.tanh : sigmoid);
  let loss = 0;
  for (let n = 0; n < y.length; n++) loss += 0.5 * (output[n] - y[n]) ** 2;
  return { output, loss };
}

/** da = (o − y)·f'(a), with f' = 1 − o² (tanh) or o·(1 − o) (σ). o [N], y [N] → da [N] */
export function squaredErrorBackward(f: 'tanh' | 'sigmoid', o: Float64Array, y: Float64Array): Float64Array {
  return o.map((on, n) => (on - y[n]) * (f === 'tanh' ? 1 - on * on : on * (1 - on)));
}

/** The target vector of squared error: e_target, or zeros for ZERO_TARGET. target → y [V] */
export function targetVector(target: number, V: number): Float64Array {
  const y = new Float64Array(V);
  if (target !== ZERO_TARGET) y[target] = 1;
  return y;
}

/**
 * Output and loss of one step from its logits a [V]. For MASKED: the output as usual, and loss 0.
 * @throws InputError for ZERO_TARGET with softmax
 */
export function outputLoss(kind: ModelConfig['output'], a: Float64Array, target: number): Output {
  if (kind === 'softmax' && target === ZERO_TARGET) {
    throw new InputError(
      'ZERO_TARGET needs squared error: set model.output to tanh or sigmoid, not softmax.',
    );
  }
  // A masked step may use any symbol: its loss is discarded.
  const symbol = target === MASKED ? 0 : target;
  const result =
    kind === 'softmax'
      ? softmaxCrossEntropy(a, symbol)
      : squaredError(kind, a, targetVector(symbol, a.length));
  return target === MASKED ? { output: result.output, loss: 0 } : result;
}

/** da [V] of a step whose target is not MASKED, from its output [V]. */
export function outputLossBackward(
  kind: ModelConfig['output'],
  output: Float64Array,
  target: number,
): Float64Array {
  return kind === 'softmax'
    ? softmaxCrossEntropyBackward(output, target)
    : squaredErrorBackward(kind, output, targetVector(target, output.length));
}
