/** Update rules (formulas in shaders/optim.wgsl.ts), over n4 vec4s. The gradient is scaled, then clipped by value. */
const SGD = 0;
const RMSPROP = 1;

/** Σ g², in float64. NaN or infinite if any g is. */
export function sumSquares(g: usize, n4: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n4; i++) {
    const x = v128.load(g);
    const lower = f64x2.promote_low_f32x4(x);
    const upper = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 0, 1));
    const squares = f64x2.add(f64x2.mul(lower, lower), f64x2.mul(upper, upper));
    sum += f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
    g += 16;
  }
  return sum;
}

/**
 * One update of the weights w and the two moments. rule: SGD, RMSPROP, or 2 for Adam and AdamW. scale: factor of the
 * gradient. clipAt: limit of clipping by value; 0: none. rest1, rest2: 1 − β,
 * which the caller computes in float64, because float32 would lose digits. firstMomentScale, secondMomentScale: Adam's
 * bias corrections, 1/(1 − β1^t) and 1/(1 − β2^t). decay: factor of each weight before the step; 1: none.
 */
export function update(
  rule: i32,
  n4: i32,
  w: usize,
  g: usize,
  firstMoment: usize,
  secondMoment: usize,
  scale: f32,
  clipAt: f32,
  rate: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  epsilon: f32,
  firstMomentScale: f32,
  secondMomentScale: f32,
  decay: f32,
): void {
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const c1 = f32x4.splat(rest1);
  const c2 = f32x4.splat(rest2);
  const eps = f32x4.splat(epsilon);
  for (let i = 0; i < n4; i++) {
    let x = f32x4.mul(v128.load(g), f32x4.splat(scale));
    if (clipAt > 0) x = f32x4.max(f32x4.min(x, f32x4.splat(clipAt)), f32x4.splat(-clipAt));
    let step = x;
    if (rule != SGD) {
      const q = f32x4.add(f32x4.mul(b2, v128.load(secondMoment)), f32x4.mul(f32x4.mul(c2, x), x));
      v128.store(secondMoment, q);
      if (rule == RMSPROP) {
        step = f32x4.div(x, f32x4.add(f32x4.sqrt(q), eps));
      } else {
        const m = f32x4.add(f32x4.mul(b1, v128.load(firstMoment)), f32x4.mul(c1, x));
        v128.store(firstMoment, m);
        step = f32x4.div(
          f32x4.mul(m, f32x4.splat(firstMomentScale)),
          f32x4.add(f32x4.sqrt(f32x4.mul(q, f32x4.splat(secondMomentScale))), eps),
        );
      }
    }
    v128.store(w, f32x4.sub(f32x4.mul(f32x4.splat(decay), v128.load(w)), f32x4.mul(f32x4.splat(rate), step)));
    w += 16;
    g += 16;
    firstMoment += 16;
    secondMoment += 16;
  }
}
