import { NO_INPUT } from '../base/dims.ts';

/**
 * Linear maps of one row. W [I,O] is row-major: W[i,o] = W[i·O + o]. The functions named add…, and linearBackward, add
 * to their outputs. Sums of maps, and sums of gradients over time and batch, therefore need no extra code. An empty x
 * adds nothing, and its W is not read.
 */

/** Parameters, or their gradients, by their names in base/parameters.ts. */
export type Weights = Record<string, Float64Array>;

/** σ(x) = 1 / (1 + e^{−x}). If e^{−x} overflows to ∞, the result is 0, which is correct. */
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** y = tanh(a): da = dy·(1 − y²). y [N], dy [N] → da [N] */
export function tanhBackward(y: Float64Array, dy: Float64Array): Float64Array {
  return dy.map((dyn, n) => dyn * (1 - y[n] * y[n]));
}

/** into += x. Both [N] */
export function addTo(into: Float64Array, x: Float64Array): void {
  for (let n = 0; n < into.length; n++) into[n] += x[n];
}

/** y += x·W. x [I], W [I,O] → y [O] */
export function addLinear(x: Float64Array, W: Float64Array, y: Float64Array): void {
  const O = y.length;
  for (let i = 0; i < x.length; i++) {
    const xi = x[i];
    const row = i * O;
    for (let o = 0; o < O; o++) y[o] += xi * W[row + o];
  }
}

/** dx += dy·Wᵀ, dW += xᵀ·dy. x [I], W [I,O], dy [O] → dx [I], dW [I,O] */
export function addLinearBackward(
  x: Float64Array,
  W: Float64Array,
  dy: Float64Array,
  dx: Float64Array,
  dW: Float64Array,
): void {
  const O = dy.length;
  for (let i = 0; i < x.length; i++) {
    const xi = x[i];
    const row = i * O;
    let sum = 0;
    for (let o = 0; o < O; o++) {
      sum += dy[o] * W[row + o];
      dW[row + o] += xi * dy[o];
    }
    dx[i] += sum;
  }
}

/** y = x·W + b. x [I], W [I,O], b [O] → y [O] */
export function linear(x: Float64Array, W: Float64Array, b: Float64Array): Float64Array {
  const y = b.slice();
  addLinear(x, W, y);
  return y;
}

/** dx += dy·Wᵀ, dW += xᵀ·dy, db += dy. x [I], W [I,O], dy [O] → dx [I], dW [I,O], db [O] */
export function linearBackward(
  x: Float64Array,
  W: Float64Array,
  dy: Float64Array,
  dx: Float64Array,
  dW: Float64Array,
  db: Float64Array,
): void {
  addLinearBackward(x, W, dy, dx, dW);
  addTo(db, dy);
}

/** y += x·W for the multi-hot x = Σ_k e_ids[k]: a sum of rows of W. ids [K] (or NO_INPUT), W [D,O] → y [O] */
export function addMultiHot(ids: Uint32Array, W: Float64Array, y: Float64Array): void {
  const O = y.length;
  for (const id of ids) {
    if (id === NO_INPUT) continue;
    for (let o = 0; o < O; o++) y[o] += W[id * O + o];
  }
}

/** dW[ids[k]] += dy. ids [K] (or NO_INPUT), dy [O] → dW [D,O] */
export function addMultiHotBackward(ids: Uint32Array, dy: Float64Array, dW: Float64Array): void {
  const O = dy.length;
  for (const id of ids) {
    if (id === NO_INPUT) continue;
    for (let o = 0; o < O; o++) dW[id * O + o] += dy[o];
  }
}

/** x = Σ_k e_ids[k]. ids [K] (or NO_INPUT) → x [D] */
export function multiHot(ids: Uint32Array, D: number): Float64Array {
  const x = new Float64Array(D);
  for (const id of ids) if (id !== NO_INPUT) x[id] += 1;
  return x;
}
