import { type Seen, type SeenGradients, seenSum, seenSumBackward } from './cell.ts';
import { addLinear, addLinearBackward, tanhBackward, type Weights } from './linear.ts';

/**
 * One step of a plain layer: h_t = tanh(x_t·W_xh + y_t·W_yh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h).
 *
 * seen, h_{t-1} [H] → h_t [H]. In a feed-forward layer h_{t-1} is empty and there is no W_hh.
 */
export function rnn(w: Weights, seen: Seen, h: Float64Array): Float64Array {
  const a = seenSum(w, seen);
  addLinear(h, w.W_hh, a);
  return a.map(Math.tanh);
}

/** dh_t [H] → dh_{t-1} [H]. Adds the gradients of the inputs to `into`, those of the parameters to `dw`. `made` is h_t. */
export function rnnBackward(
  w: Weights,
  seen: Seen,
  h: Float64Array,
  made: Float64Array,
  dMade: Float64Array,
  into: SeenGradients,
  dw: Weights,
): Float64Array {
  const da = tanhBackward(made, dMade);
  const dh = new Float64Array(h.length);
  seenSumBackward(w, seen, da, into, dw);
  addLinearBackward(h, w.W_hh, da, dh, dw.W_hh);
  return dh;
}
