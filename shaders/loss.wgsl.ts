import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Operand } from '../src/layout/tensors.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import { at } from './lib/rows.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';

/**
 * Losses of all T·B rows, one row per invocation, with their gradients.
 *
 *   softmax:  p = softmax(a), loss -log p[target], da = weight · (p - onehot(target))
 *   tanh, σ:  o = f(a), loss ½ Σ (o - target)², da = weight · (o - target) · f'(a)
 *
 * Masked rows and rows of padding have loss 0 and gradient 0.
 */
export interface LossOptions {
  kind: 'softmax' | 'tanh' | 'sigmoid';
  /** Number of outputs. */
  width: number;
  /** y: pre-activations in, outputs out. dY: gradients of the pre-activations. */
  y: Operand;
  dY: Operand;
  /** The target of the batch, or the multi-hot input of step t−1 (auto-encoder). */
  target: 'class' | 'previous input';
}

/** Invocations per workgroup. */
export const LOSS_SIZE = 64;

/**
 * batch, acts: y -> acts: y, grads: dY, rowMetrics [T·B] (loss, Σ|o - target| or 0 for softmax, argmax, and 1 if the
 * row has a target). For an auto-encoder head only the loss, in component `component` of autoencoderLoss [T·B].
 */
export function loss(batch: string, o: LossOptions, component: 0 | 1 = 0): string {
  const isOutput = o.target === 'class';
  return wgsl`
${batch}
${storage(1, '-> acts: f32, grads: f32')}
#if ${isOutput}
@group(0) @binding(3) var<storage, read_write> rowMetrics: array<vec4f>;
#else
@group(0) @binding(3) var<storage, read_write> autoencoderLoss: array<vec2f>;
#endif
${MATH}
${mainOfInvocation(LOSS_SIZE, 'row')}
  if (row >= batch.T * batch.B) { return; }
  let b = row % batch.B;
  let y = (${at(o.y, 'row')}) * 4u;
  let dy = (${at(o.dY, 'row')}) * 4u;
  let inside = row / batch.B < lengthOf(b);
#if ${isOutput}
  let label = targetAt(row);
  let hasTarget = inside && label != MASKED;
#else
  let hasTarget = inside && row >= batch.B;
#endif
  let weight = select(0.0, weightOf(b), hasTarget);
  var loss = 0.0;
  var error = 0.0;
  var best = 0u;
#if ${o.kind === 'softmax'}
  var top = acts[y];
  for (var j = 1u; j < ${o.width}u; j++) {
    if (acts[y + j] > top) {
      top = acts[y + j];
      best = j;
    }
  }
  var sum = 0.0;
  for (var j = 0u; j < ${o.width}u; j++) { sum += exp(acts[y + j] - top); }
  if (hasTarget) { loss = log(sum) - (acts[y + min(label, ${o.width - 1}u)] - top); }
  for (var j = 0u; j < ${o.width}u; j++) {
    let p = exp(acts[y + j] - top) / sum;
    acts[y + j] = p;
    grads[dy + j] = weight * (p - select(0.0, 1.0, j == label));
  }
#else
  var top = 0.0;
  for (var j = 0u; j < ${o.width}u; j++) {
#if ${isOutput}
    let wanted = select(0.0, 1.0, j == label);
#else
    var wanted = 0.0;
    if (hasTarget) { for (var k = 0u; k < batch.K; k++) { wanted += f32(inputAt(row - batch.B, k) == j); } }
#endif
#if ${o.kind === 'tanh'}
    let out = safeTanh(acts[y + j]);
    let slope = 1.0 - out * out;
#else
    let out = sigmoid(acts[y + j]);
    let slope = out * (1.0 - out);
#endif
    if (j == 0u || out > top) {
      top = out;
      best = j;
    }
    loss += 0.5 * (out - wanted) * (out - wanted);
    error += abs(out - wanted);
    acts[y + j] = out;
    grads[dy + j] = weight * (out - wanted) * slope;
  }
#endif
#if ${isOutput}
  rowMetrics[row] = select(vec4f(), vec4f(loss, error, 0.0, 1.0), hasTarget);
  rowMetrics[row].z = f32(best);
#else
  autoencoderLoss[row][${component}u] = select(0.0, loss, hasTarget);
#endif
}
`;
}
