import { inputSum, inputSumBackward, type LayerInputGradients, type LayerInputs } from './cell.ts';
import { addLinear, addLinearBackward, sigmoid, type Weights } from './linear.ts';
import type { LstmState } from './lstm.ts';

/**
 * One step of an LSTM layer whose forget gate is coupled to its input gate:
 *
 *   i, g, o = x_t·W_xh + y_t·W_yh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h   (in blocks of H)
 *   c_t = (1 − σ(i))·c_{t-1} + σ(i)·tanh(g)
 *   h_t = σ(o)·tanh(c_t)
 *
 * inputs, h_{t-1} [H], c_{t-1} [H] → h_t, c_t [H]; gates [3,H]: σ(i), tanh(g), σ(o)
 */
export function coupledLstm(w: Weights, inputs: LayerInputs, h: Float64Array, c: Float64Array): LstmState {
  const H = h.length;
  const a = inputSum(w, inputs);
  addLinear(h, w.W_hh, a);
  const after = { h: new Float64Array(H), c: new Float64Array(H), gates: new Float64Array(3 * H) };
  for (let n = 0; n < H; n++) {
    const i = sigmoid(a[n]);
    const g = Math.tanh(a[H + n]);
    const o = sigmoid(a[2 * H + n]);
    after.c[n] = (1 - i) * c[n] + i * g;
    after.h[n] = o * Math.tanh(after.c[n]);
    after.gates[n] = i;
    after.gates[H + n] = g;
    after.gates[2 * H + n] = o;
  }
  return after;
}

/**
 * dh_t, dc_t [H] → dh_{t-1}, dc_{t-1} [H]. Adds the gradients of the inputs to `into`, those of the parameters to `dw`.
 *
 * Here i, g and o are the activated gates, σ(i), tanh(g) and σ(o):
 *
 *   dc  = dc_t + dh_t·o·(1 − tanh²(c_t)),   dc_{t-1} = dc·(1 − i)
 *   di = dc·(g − c_{t-1})·i(1 − i)   dg = dc·i·(1 − g²)   do = dh_t·tanh(c_t)·o(1 − o)
 */
export function coupledLstmBackward(
  w: Weights,
  inputs: LayerInputs,
  h: Float64Array,
  c: Float64Array,
  after: LstmState,
  dAfter: { dh: Float64Array; dc: Float64Array },
  into: LayerInputGradients,
  dw: Weights,
): { dh: Float64Array; dc: Float64Array } {
  const H = h.length;
  const da = new Float64Array(3 * H);
  const dc = new Float64Array(H);
  const dh = new Float64Array(H);
  for (let n = 0; n < H; n++) {
    const i = after.gates[n];
    const g = after.gates[H + n];
    const o = after.gates[2 * H + n];
    const tanhC = Math.tanh(after.c[n]);
    const dcn = dAfter.dc[n] + dAfter.dh[n] * o * (1 - tanhC * tanhC);
    dc[n] = dcn * (1 - i);
    da[n] = dcn * (g - c[n]) * i * (1 - i);
    da[H + n] = dcn * i * (1 - g * g);
    da[2 * H + n] = dAfter.dh[n] * tanhC * o * (1 - o);
  }
  inputSumBackward(w, inputs, da, into, dw);
  addLinearBackward(h, w.W_hh, da, dh, dw.W_hh);
  return { dh, dc };
}
