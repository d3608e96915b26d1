import { linear, linearBackward, sigmoid, tanhBackward, type Weights } from './linear.ts';

/** The outputs of the heads at one step, for each of E ends. */
export interface Heads {
  /**
   * [E] per control, in (0,1), in the kind's order: push strengths d and pop strengths u for stack, queue and deque.
   */
  controls: Float64Array[];
  /** [E,M] values. */
  v: Float64Array;
}

/** The control heads of a kind of memory. */
export interface HeadKind {
  /** Symbols of the controls, in order. */
  symbols: readonly string[];
  activation: 'sigmoid' | 'softmax';
}

/**
 * d = σ(o'·W_d + b_d + n_d), u = σ(o'·W_u + b_u + n_u), v = tanh(o'·W_v + b_v) (section 3.4 of the paper). The controls
 * of other kinds are computed in the same way, or by a softmax over the controls of an end. A deque has two of each
 * head, first the top's, then the bottom's. With several memories, their heads are concatenated.
 *
 * o' [P], noise [E,C] added to the logits of every control of every end → controls [E], v [E,M]
 */
export function heads(
  w: Weights,
  op: Float64Array,
  { symbols, activation }: HeadKind,
  noise?: ArrayLike<number>,
): Heads {
  const C = symbols.length;
  const logits = symbols.map((symbol, c) =>
    linear(op, w[`W_${symbol}`], w[`b_${symbol}`]).map((a, e) => a + (noise ? noise[C * e + c] : 0)),
  );
  return {
    controls: activation === 'sigmoid' ? logits.map(all => all.map(sigmoid)) : softmax(logits),
    v: linear(op, w.W_v, w.b_v).map(Math.tanh),
  };
}

/** Softmax over the controls of each end. [C][E] → [C][E] */
function softmax(logits: readonly Float64Array[]): Float64Array[] {
  const largest = logits[0].map((_, e) => Math.max(...logits.map(all => all[e])));
  const powers = logits.map(all => all.map((a, e) => Math.exp(a - largest[e])));
  return powers.map(all => all.map((x, e) => x / powers.reduce((sum, other) => sum + other[e], 0)));
}

/**
 * Gradients of controls [E] and values [E,M] → do' [P], and the gradients of the heads' parameters in `dw`; adds to all
 * of them. `outputs` is what heads() returned.
 */
export function headsBackward(
  w: Weights,
  op: Float64Array,
  { symbols, activation }: HeadKind,
  outputs: Heads,
  gradients: Heads,
  dop: Float64Array,
  dw: Weights,
): void {
  symbols.forEach((symbol, c) => {
    const x = outputs.controls[c];
    const da = gradients.controls[c].map((dx, e) => {
      if (activation === 'sigmoid') return dx * x[e] * (1 - x[e]);
      const mean = outputs.controls.reduce((sum, all, k) => sum + all[e] * gradients.controls[k][e], 0);
      return x[e] * (dx - mean);
    });
    linearBackward(op, w[`W_${symbol}`], da, dop, dw[`W_${symbol}`], dw[`b_${symbol}`]);
  });
  linearBackward(op, w.W_v, tanhBackward(outputs.v, gradients.v), dop, dw.W_v, dw.b_v);
}
