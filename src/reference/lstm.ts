import { type Seen, type SeenGradients, seenSum, seenSumBackward } from './cell.ts';
import { addLinear, addLinearBackward, sigmoid, type Weights } from './linear.ts';

/** State of a layer after a step. */
export interface LstmState {
  /** [H] */
  h: Float64Array;
  c: Float64Array;
  /** [4,H] σ(i), σ(f), tanh(g), σ(o) */
  gates: Float64Array;
}

/**
 * One step of an LSTM layer without peepholes:
 *
 *   i, f, g, o = x_t·W_xh + y_t·W_yh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h   (in blocks of H)
 *   c_t = σ(f)·c_{t-1} + σ(i)·tanh(g)
 *   h_t = σ(o)·tanh(c_t)
 *
 * seen, h_{t-1} [H], c_{t-1} [H] → h_t, c_t [H]
 */
export function lstm(w: Weights, seen: Seen, h: Float64Array, c: Float64Array): LstmState {
  const H = h.length;
  const a = seenSum(w, seen);
  addLinear(h, w.W_hh, a);
  const made = { h: new Float64Array(H), c: new Float64Array(H), gates: new Float64Array(4 * H) };
  for (let n = 0; n < H; n++) {
    const i = sigmoid(a[n]);
    const f = sigmoid(a[H + n]);
    const g = Math.tanh(a[2 * H + n]);
    const o = sigmoid(a[3 * H + n]);
    made.c[n] = f * c[n] + i * g;
    made.h[n] = o * Math.tanh(made.c[n]);
    made.gates[n] = i;
    made.gates[H + n] = f;
    made.gates[2 * H + n] = g;
    made.gates[3 * H + n] = o;
  }
  return made;
}

/**
 * dh_t, dc_t [H] → dh_{t-1}, dc_{t-1} [H]. Adds the gradients of the inputs to `into`, those of the parameters to `dw`.
 *
 *   dc  = dc_t + dh_t·o·(1 − tanh²(c_t)),   dc_{t-1} = dc·f
 *   di = dc·g·i(1 − i)   df = dc·c_{t-1}·f(1 − f)   dg = dc·i·(1 − g²)   do = dh_t·tanh(c_t)·o(1 − o)
 */
export function lstmBackward(
  w: Weights,
  seen: Seen,
  h: Float64Array,
  c: Float64Array,
  made: LstmState,
  dMade: { dh: Float64Array; dc: Float64Array },
  into: SeenGradients,
  dw: Weights,
): { dh: Float64Array; dc: Float64Array } {
  const H = h.length;
  const da = new Float64Array(4 * H);
  const dc = new Float64Array(H);
  const dh = new Float64Array(H);
  for (let n = 0; n < H; n++) {
    const i = made.gates[n];
    const f = made.gates[H + n];
    const g = made.gates[2 * H + n];
    const o = made.gates[3 * H + n];
    const tanhC = Math.tanh(made.c[n]);
    const dcn = dMade.dc[n] + dMade.dh[n] * o * (1 - tanhC * tanhC);
    dc[n] = dcn * f;
    da[n] = dcn * g * i * (1 - i);
    da[H + n] = dcn * c[n] * f * (1 - f);
    da[2 * H + n] = dcn * i * (1 - g * g);
    da[3 * H + n] = dMade.dh[n] * tanhC * o * (1 - o);
  }
  seenSumBackward(w, seen, da, into, dw);
  addLinearBackward(h, w.W_hh, da, dh, dw.W_hh);
  return { dh, dc };
}
