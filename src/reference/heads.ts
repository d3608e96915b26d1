import { linear, linearBackward, sigmoid, tanhBackward, type Weights } from './linear.ts';

/** What the controller does to the memories at one step, at each of E ends. */
export interface Heads {
  /** [E] push strengths, in (0,1). */
  d: Float64Array;
  /** [E] pop strengths, in (0,1). */
  u: Float64Array;
  /** [E,M] values to be pushed. */
  v: Float64Array;
}

/**
 * d = σ(o'·W_d + b_d + n_d), u = σ(o'·W_u + b_u + n_u), v = tanh(o'·W_v + b_v) (section 3.4 of the paper). Of a
 * deque's two sets of heads the top's is first; memories side by side follow one another.
 *
 * o' [P], noise [E,2]: n_d and n_u of every end → d, u [E], v [E,M]
 */
export function heads(w: Weights, op: Float64Array, noise?: ArrayLike<number>): Heads {
  const d = linear(op, w.W_d, w.b_d);
  const u = linear(op, w.W_u, w.b_u);
  return {
    d: d.map((a, e) => sigmoid(a + (noise ? noise[2 * e] : 0))),
    u: u.map((a, e) => sigmoid(a + (noise ? noise[2 * e + 1] : 0))),
    v: linear(op, w.W_v, w.b_v).map(Math.tanh),
  };
}

/** dd, du [E], dv [E,M] → do' [P], and the gradients of the heads' parameters in `dw`, all added to. */
export function headsBackward(
  w: Weights,
  op: Float64Array,
  { d, u, v }: Heads,
  { d: dd, u: du, v: dv }: Heads,
  dop: Float64Array,
  dw: Weights,
): void {
  const da = (strength: Float64Array, dStrength: Float64Array): Float64Array =>
    dStrength.map((ds, e) => ds * strength[e] * (1 - strength[e]));
  linearBackward(op, w.W_d, da(d, dd), dop, dw.W_d, dw.b_d);
  linearBackward(op, w.W_u, da(u, du), dop, dw.W_u, dw.b_u);
  linearBackward(op, w.W_v, tanhBackward(v, dv), dop, dw.W_v, dw.b_v);
}
