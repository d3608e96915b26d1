/**
 * exp, tanh and σ of four numbers at once, safe for every finite x. Relative errors: 1e-7 (exp), 2e-7 (σ) and 4e-7
 * (tanh). For exp and σ they hold where the argument is not clamped.
 */

/**
 * Cephes' expf: 2^n times a polynomial of the remainder, |remainder| ≤ ln 2 / 2. Clamped to the range of normal
 * numbers.
 */
// @ts-ignore: decorator
@inline
export function exp4(given: v128): v128 {
  const x = f32x4.max(f32x4.min(given, f32x4.splat(88.0)), f32x4.splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  const y = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1.0));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(y, power);
}

/**
 * x times a quotient of two polynomials in x², fitted for minimal relative error on |x| ≤ 9.1. Beyond that it is ±1.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.max(f32x4.min(x, f32x4.splat(9.1)), f32x4.splat(-9.1));
  const q = f32x4.mul(a, a);
  let numerator = f32x4.splat(1.3177448213376027e-8);
  numerator = f32x4.add(f32x4.mul(numerator, q), f32x4.splat(2.048113137218933e-5));
  numerator = f32x4.add(f32x4.mul(numerator, q), f32x4.splat(0.0034878076785076896));
  numerator = f32x4.add(f32x4.mul(numerator, q), f32x4.splat(0.13374472393020706));
  numerator = f32x4.mul(a, f32x4.add(f32x4.mul(numerator, q), f32x4.splat(0.9999999772567048)));
  let denominator = f32x4.splat(7.704015137383595e-7);
  denominator = f32x4.add(f32x4.mul(denominator, q), f32x4.splat(0.0003272914662151488));
  denominator = f32x4.add(f32x4.mul(denominator, q), f32x4.splat(0.025847375848586616));
  denominator = f32x4.add(f32x4.mul(denominator, q), f32x4.splat(0.4670778618873211));
  denominator = f32x4.add(f32x4.mul(denominator, q), f32x4.splat(1.0));
  return f32x4.max(f32x4.min(f32x4.div(numerator, denominator), f32x4.splat(1.0)), f32x4.splat(-1.0));
}

// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1.0);
  const e = exp4(f32x4.neg(f32x4.min(f32x4.abs(x), f32x4.splat(80.0))));
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(x, f32x4.splat(0.0))), f32x4.add(one, e));
}

/** dy · (1 − y²): backward pass of y = tanh(x). */
// @ts-ignore: decorator
@inline
export function tanhBackward4(dy: v128, y: v128): v128 {
  return f32x4.mul(dy, f32x4.sub(f32x4.splat(1.0), f32x4.mul(y, y)));
}

/** dy · y · (1 − y): backward pass of y = σ(x). */
// @ts-ignore: decorator
@inline
export function sigmoidBackward4(dy: v128, y: v128): v128 {
  return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(f32x4.splat(1.0), y)));
}

/** All bits set in the first n lanes (1 to 4), none in the others. */
// @ts-ignore: decorator
@inline
export function firstLanes(n: i32): v128 {
  return i32x4(-1, n > 1 ? -1 : 0, n > 2 ? -1 : 0, n > 3 ? -1 : 0);
}

// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}
