import { inputSum, inputSumBackward, type LayerInputGradients, type LayerInputs } from './cell.ts';
import { addLinear, addLinearBackward, tanhBackward, type Weights } from './linear.ts';

/**
 * One step of a plain layer: h_t = tanh(x_t·W_xh + y_t·W_yh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h).
 *
 * inputs, h_{t-1} [H] → h_t [H]. In a feed-forward layer h_{t-1} is empty and there is no W_hh.
 */
export function rnn(w: Weights, inputs: LayerInputs, h: Float64Array): Float64Array {
  const a = inputSum(w, inputs);
  addLinear(h, w.W_hh, a);
  return a.map(Math.tanh);
}

/**
 * dh_t [H] → dh_{t-1} [H]. Adds the gradients of the inputs to `into`, those of the parameters to `dw`. `h` is h_{t-1},
 * `after` is h_t, `dAfter` is dh_t.
 */
export function rnnBackward(
  w: Weights,
  inputs: LayerInputs,
  h: Float64Array,
  after: Float64Array,
  dAfter: Float64Array,
  into: LayerInputGradients,
  dw: Weights,
): Float64Array {
  const da = tanhBackward(after, dAfter);
  const dh = new Float64Array(h.length);
  inputSumBackward(w, inputs, da, into, dw);
  addLinearBackward(h, w.W_hh, da, dh, dw.W_hh);
  return dh;
}
