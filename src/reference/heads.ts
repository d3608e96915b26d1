import { linear, linearBackward, sigmoid, tanhBackward, type Weights } from './linear.ts';

/** What the controller does to the memory at one step. */
export interface Heads {
  /** Push strength, in (0,1). */
  d: number;
  /** Pop strength, in (0,1). */
  u: number;
  /** Value to be pushed [M]. */
  v: Float64Array;
}

/**
 * d = σ(o'·W_d + b_d + n_d), u = σ(o'·W_u + b_u + n_u), v = tanh(o'·W_v + b_v) (section 3.4 of the paper).
 *
 * o' [P], noise [n_d, n_u] → d, u, v [M]
 */
export function heads(w: Weights, op: Float64Array, noise: readonly [number, number] = [0, 0]): Heads {
  return {
    d: sigmoid(linear(op, w.W_d, w.b_d)[0] + noise[0]),
    u: sigmoid(linear(op, w.W_u, w.b_u)[0] + noise[1]),
    v: linear(op, w.W_v, w.b_v).map(Math.tanh),
  };
}

/** dd, du, dv [M] → do' [P], and the gradients of the heads' parameters in `dw`, all added to. */
export function headsBackward(
  w: Weights,
  op: Float64Array,
  { d, u, v }: Heads,
  dd: number,
  du: number,
  dv: Float64Array,
  dop: Float64Array,
  dw: Weights,
): void {
  linearBackward(op, w.W_d, Float64Array.of(dd * d * (1 - d)), dop, dw.W_d, dw.b_d);
  linearBackward(op, w.W_u, Float64Array.of(du * u * (1 - u)), dop, dw.W_u, dw.b_u);
  linearBackward(op, w.W_v, tanhBackward(v, dv), dop, dw.W_v, dw.b_v);
}
