import { type Batch, MASKED } from '../base/dims.ts';
import { type ModelSpec, type Tensors, widthOfHeads, zeros } from '../base/parameters.ts';
import { type Heads, heads, headsBackward } from './heads.ts';
import { addLinear, addLinearBackward, linear, linearBackward, multiHot, type Weights } from './linear.ts';
import { type Output, outputLoss, outputLossBackward, squaredError, squaredErrorBackward } from './loss.ts';
import { deeper, deeperBackward, rnn, rnnBackward } from './rnn.ts';
import { stackRead, stackReadBackward, stackStep, stackStepBackward, zeroRows } from './stack.ts';

/**
 * The whole model over a batch, one sequence after the other, one step after the other:
 *
 *   (h_{t-1}, r_{t-1}, x_t) → h_t → o'_t → y_t, and d_t, u_t, v_t → (s_t, V_t) → r_t
 *
 *   objective = Σ_b weight_b Σ_{t < lengths_b} (loss of y_t + losses of the auto-encoder heads)
 */

/** What one step leaves for the backward pass. */
export interface Step extends Heads, Output {
  /** [H] */
  h: Float64Array;
  /** o' [P]; h itself without the deeper layer. */
  op: Float64Array;
  /** Strengths [t+1]. */
  s: Float64Array;
  /** [M] */
  r: Float64Array;
  /** The auto-encoder heads, from h_t and from o'_t, where the model has them and t ≥ 1. */
  recall?: { fromH: Output; fromP: Output };
}

/** One sequence after its forward pass. */
export interface Sequence {
  /** h_0 [H] and r_0 [M]: what comes before the first step. */
  start: { h: Float64Array; r: Float64Array };
  /** One for each of lengths[b] steps. */
  steps: Step[];
}

const weightsOf = (tensors: Tensors): Weights => Object.fromEntries(tensors);

/** ids [K] of x_t of sequence b. */
function inputAt({ B, K, ids }: Batch, t: number, b: number): Uint32Array {
  const from = (t * B + b) * K;
  return ids.subarray(from, from + K);
}

/** h_0 [H], r_0 [M]. Trained: h_0 a parameter and r_0 zero (the paper); one-hot: both e_0 (the tutorial). */
function startOf(spec: ModelSpec, w: Weights): { h: Float64Array; r: Float64Array } {
  const h = spec.start === 'trained' ? w.h_0.slice() : new Float64Array(spec.hidden);
  const r = new Float64Array(spec.width);
  if (spec.start === 'one-hot') {
    h[0] = 1;
    r[0] = 1;
  }
  return { h, r };
}

/** σ(a·W) against x_{t-1}. a [H or P], W [H or P, D], x [D] */
function recall(a: Float64Array, W: Float64Array, x: Float64Array): Output {
  const logits = new Float64Array(x.length);
  addLinear(a, W, logits);
  return squaredError('sigmoid', logits, x);
}

/** da [H or P] and dW, added to, for a loss that counts `weight` times. */
function recallBackward(
  a: Float64Array,
  W: Float64Array,
  x: Float64Array,
  { output }: Output,
  weight: number,
  da: Float64Array,
  dW: Float64Array,
): void {
  const dLogits = squaredErrorBackward('sigmoid', output, x).map(dx => weight * dx);
  addLinearBackward(a, W, dLogits, da, dW);
}

/** Steps 0 … lengths[b]−1 of sequence b. */
function sequenceForward(spec: ModelSpec, w: Weights, batch: Batch, b: number): Sequence {
  const start = startOf(spec, w);
  const steps: Step[] = [];
  const values: Float64Array[] = []; // V_t: a row for each step so far
  let previous: Pick<Step, 'h' | 'r' | 's'> = { ...start, s: new Float64Array(0) };
  for (let t = 0; t < batch.lengths[b]; t++) {
    const n = t * batch.B + b;
    const noise = batch.noise;
    const h = rnn(w, inputAt(batch, t, b), previous.h, previous.r);
    const op = spec.deeper ? deeper(w, h) : h;
    const { d, u, v } = heads(w, op, noise ? [noise[2 * n], noise[2 * n + 1]] : undefined);
    values.push(v);
    const s = stackStep(previous.s, d, u);
    const r = stackRead(s, values);
    const y = outputLoss(spec.output, linear(op, w.W_o, w.b_o), batch.target[n]);
    const step: Step = { h, op, d, u, v, s, r, ...y };
    if (spec.autoencoder && t > 0) {
      const x = multiHot(inputAt(batch, t - 1, b), spec.inputs);
      step.recall = { fromH: recall(h, w.W_hx, x), fromP: recall(op, w.W_px, x) };
    }
    steps.push(step);
    previous = step;
  }
  return { start, steps };
}

/** Adds the gradients of sequence b to `dw`. */
function sequenceBackward(
  spec: ModelSpec,
  w: Weights,
  batch: Batch,
  b: number,
  { start, steps }: Sequence,
  dw: Weights,
): void {
  const weight = batch.weight[b];
  const values = steps.map(step => step.v);
  const dV = zeroRows(steps.length, spec.width);
  // What step t+1 passes to step t; nothing comes from behind the last.
  let dh: Float64Array = new Float64Array(spec.hidden);
  let dr: Float64Array = new Float64Array(spec.width);
  let ds: Float64Array = new Float64Array(steps.length);
  for (let t = steps.length - 1; t >= 0; t--) {
    const step = steps[t];
    const { h, op } = step;
    const before = t > 0 ? steps[t - 1] : { ...start, s: new Float64Array(0) };
    const target = batch.target[t * batch.B + b];
    const dop = new Float64Array(widthOfHeads(spec));

    if (target !== MASKED) {
      const dLogits = outputLossBackward(spec.output, step.output, target).map(dy => weight * dy);
      linearBackward(op, w.W_o, dLogits, dop, dw.W_o, dw.b_o);
    }
    if (step.recall) {
      const x = multiHot(inputAt(batch, t - 1, b), spec.inputs);
      recallBackward(op, w.W_px, x, step.recall.fromP, weight, dop, dw.W_px);
      recallBackward(h, w.W_hx, x, step.recall.fromH, weight, dh, dw.W_hx);
    }

    stackReadBackward(step.s, values, dr, ds, dV);
    const { ds: dsBefore, dd, du } = stackStepBackward(before.s, step.u, ds);
    headsBackward(w, op, step, dd, du, dV[t], dop, dw);
    ds = dsBefore;

    if (spec.deeper) deeperBackward(w, h, op, dop, dh, dw);
    else for (let i = 0; i < dh.length; i++) dh[i] += dop[i];
    ({ dh, dr } = rnnBackward(w, inputAt(batch, t, b), before.h, before.r, h, dh, dw));
  }
  if (spec.start === 'trained') for (let i = 0; i < dh.length; i++) dw.h_0[i] += dh[i];
}

/** Forward over a batch: its objective, and all activations [B] for the backward pass. */
export function modelForward(
  spec: ModelSpec,
  tensors: Tensors,
  batch: Batch,
): { objective: number; sequences: Sequence[] } {
  const w = weightsOf(tensors);
  const sequences = Array.from({ length: batch.B }, (_, b) => sequenceForward(spec, w, batch, b));
  let objective = 0;
  sequences.forEach(({ steps }, b) => {
    for (const { loss, recall } of steps) {
      objective += batch.weight[b] * (loss + (recall ? recall.fromH.loss + recall.fromP.loss : 0));
    }
  });
  return { objective, sequences };
}

/** Gradients of the objective by all parameters of the table, from the activations of modelForward. */
export function modelBackward(
  spec: ModelSpec,
  tensors: Tensors,
  batch: Batch,
  sequences: readonly Sequence[],
): Tensors {
  const gradients = zeros(spec);
  const w = weightsOf(tensors);
  const dw = weightsOf(gradients);
  sequences.forEach((sequence, b) => {
    sequenceBackward(spec, w, batch, b, sequence, dw);
  });
  return gradients;
}
