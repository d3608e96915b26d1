import { linear, linearBackward, sigmoid, tanhBackward, type Weights } from './linear.ts';

/** What the controller does to the memories at one step, at each of E ends. */
export interface Heads {
  /** [E] of each control in (0,1), in the order of its kind: of stack, queue and deque push strengths d and pop strengths u. */
  controls: Float64Array[];
  /** [E,M] values. */
  v: Float64Array;
}

/**
 * d = σ(o'·W_d + b_d + n_d), u = σ(o'·W_u + b_u + n_u), v = tanh(o'·W_v + b_v) (section 3.4 of the paper), and other controls
 * likewise. Of a deque's two sets of heads the top's is first; memories side by side follow one another.
 *
 * o' [P], noise [E,C]: of every control of every end → controls [E], v [E,M]
 * @param symbols of the controls
 */
export function heads(
  w: Weights,
  op: Float64Array,
  symbols: readonly string[],
  noise?: ArrayLike<number>,
): Heads {
  const C = symbols.length;
  return {
    controls: symbols.map((symbol, c) =>
      linear(op, w[`W_${symbol}`], w[`b_${symbol}`]).map((a, e) =>
        sigmoid(a + (noise ? noise[C * e + c] : 0)),
      ),
    ),
    v: linear(op, w.W_v, w.b_v).map(Math.tanh),
  };
}

/** Gradients of controls [E] and values [E,M] → do' [P], and those of the heads' parameters in `dw`, all added to. */
export function headsBackward(
  w: Weights,
  op: Float64Array,
  symbols: readonly string[],
  made: Heads,
  gradients: Heads,
  dop: Float64Array,
  dw: Weights,
): void {
  symbols.forEach((symbol, c) => {
    const x = made.controls[c];
    const da = gradients.controls[c].map((dx, e) => dx * x[e] * (1 - x[e]));
    linearBackward(op, w[`W_${symbol}`], da, dop, dw[`W_${symbol}`], dw[`b_${symbol}`]);
  });
  linearBackward(op, w.W_v, tanhBackward(made.v, gradients.v), dop, dw.W_v, dw.b_v);
}
