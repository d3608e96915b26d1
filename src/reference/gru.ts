import { inputSum, inputSumBackward, type LayerInputGradients, type LayerInputs } from './cell.ts';
import { addLinear, addLinearBackward, sigmoid, type Weights } from './linear.ts';

/** State of a layer after a step. */
export interface GruState {
  /** [H] */
  h: Float64Array;
  /** [3,H] σ(z + h_z), σ(r + h_r), n_t */
  gates: Float64Array;
  /** [H] h_{t-1}·W_hn, before it is multiplied by the reset gate. */
  hn: Float64Array;
}

/**
 * One step of a GRU layer that applies the reset gate after the product with W_hh (so one product serves all gates):
 *
 *   z, r, n = x_t·W_xh + y_t·W_yh + r_{t-1}·W_rh + b_h   (in blocks of H),   h_{t-1}·W_hh = h_z, h_r, h_n
 *   n_t = tanh(n + σ(r + h_r)·h_n)   (r_{t-1}: the reads of the memories; r: the reset gate)
 *   h_t = (1 − σ(z + h_z))·n_t + σ(z + h_z)·h_{t-1}
 *
 * inputs, h_{t-1} [H] → h_t [H]. Each gate has one bias; that of n is not multiplied by σ(r + h_r).
 */
export function gru(w: Weights, inputs: LayerInputs, h: Float64Array): GruState {
  const H = h.length;
  const a = inputSum(w, inputs);
  const fromH = new Float64Array(3 * H);
  addLinear(h, w.W_hh, fromH);
  const after = { h: new Float64Array(H), gates: new Float64Array(3 * H), hn: fromH.slice(2 * H) };
  for (let k = 0; k < H; k++) {
    const z = sigmoid(a[k] + fromH[k]);
    const r = sigmoid(a[H + k] + fromH[H + k]);
    const n = Math.tanh(a[2 * H + k] + r * after.hn[k]);
    after.h[k] = (1 - z) * n + z * h[k];
    after.gates[k] = z;
    after.gates[H + k] = r;
    after.gates[2 * H + k] = n;
  }
  return after;
}

/**
 * dh_t [H] → dh_{t-1} [H]. Adds the gradients of the inputs to `into`, those of the parameters to `dw`.
 *
 * Here z, r and n are the activated gates; dz, dr and dn are the gradients before the activation:
 *
 *   dn = dh_t·(1 − z)·(1 − n²)   dz = dh_t·(h_{t-1} − n)·z(1 − z)   dr = dn·h_n·r(1 − r)   dh_n = dn·r
 *   dh_{t-1} = dh_t·z + (dz, dr, dh_n)·W_hhᵀ
 */
export function gruBackward(
  w: Weights,
  inputs: LayerInputs,
  h: Float64Array,
  { gates, hn }: GruState,
  dAfter: Float64Array,
  into: LayerInputGradients,
  dw: Weights,
): Float64Array {
  const H = h.length;
  const da = new Float64Array(3 * H);
  const dFromH = new Float64Array(3 * H);
  const dh = new Float64Array(H);
  for (let k = 0; k < H; k++) {
    const z = gates[k];
    const r = gates[H + k];
    const n = gates[2 * H + k];
    const dn = dAfter[k] * (1 - z) * (1 - n * n);
    const dz = dAfter[k] * (h[k] - n) * z * (1 - z);
    const dr = dn * hn[k] * r * (1 - r);
    da[k] = dz;
    da[H + k] = dr;
    da[2 * H + k] = dn;
    dFromH[k] = dz;
    dFromH[H + k] = dr;
    dFromH[2 * H + k] = dn * r;
    dh[k] = dAfter[k] * z;
  }
  inputSumBackward(w, inputs, da, into, dw);
  addLinearBackward(h, w.W_hh, dFromH, dh, dw.W_hh);
  return dh;
}
