import {
  addLinear,
  addLinearBackward,
  addMultiHot,
  addMultiHotBackward,
  linear,
  linearBackward,
  tanhBackward,
  type Weights,
} from './linear.ts';

/**
 * One step of the controller: h_t = tanh(x_t·W_xh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h).
 *
 * ids [K] of x_t, h_{t-1} [H], r_{t-1} [M] → h_t [H]
 */
export function rnn(w: Weights, ids: Uint32Array, h: Float64Array, r: Float64Array): Float64Array {
  const a = linear(h, w.W_hh, w.b_h);
  addLinear(r, w.W_rh, a);
  addMultiHot(ids, w.W_xh, a);
  return a.map(Math.tanh);
}

/**
 * dh_t [H] → dh_{t-1} [H], dr_{t-1} [M]; dW_xh, dW_hh, dW_rh and db_h are added to in `dw`.
 * `next` is h_t, `h` and `r` are of step t−1.
 */
export function rnnBackward(
  w: Weights,
  ids: Uint32Array,
  h: Float64Array,
  r: Float64Array,
  next: Float64Array,
  dNext: Float64Array,
  dw: Weights,
): { dh: Float64Array; dr: Float64Array } {
  const da = tanhBackward(next, dNext);
  const dh = new Float64Array(h.length);
  const dr = new Float64Array(r.length);
  linearBackward(h, w.W_hh, da, dh, dw.W_hh, dw.b_h);
  addLinearBackward(r, w.W_rh, da, dr, dw.W_rh);
  addMultiHotBackward(ids, da, dw.W_xh);
  return { dh, dr };
}

/** The layer above h: o'_t = tanh(h_t·W_hp + b_p). h_t [H] → o'_t [P] */
export function deeper(w: Weights, h: Float64Array): Float64Array {
  return linear(h, w.W_hp, w.b_p).map(Math.tanh);
}

/** do'_t [P] → dh_t [H], dW_hp and db_p, all added to. `op` is o'_t. */
export function deeperBackward(
  w: Weights,
  h: Float64Array,
  op: Float64Array,
  dop: Float64Array,
  dh: Float64Array,
  dw: Weights,
): void {
  linearBackward(h, w.W_hp, tanhBackward(op, dop), dh, dw.W_hp, dw.b_p);
}
