import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * Heights, which are cumulative strengths (docs/algorithm.md), as 64-bit fixed-point numbers in two's complement:
 * vec2u(x, y) with the fraction x in units of 2^-32 and the whole part y. Sums are exact, so a parallel scan may add in
 * any order. At a height of 65,536 a float32 resolves only 2^-7; this format still resolves 2^-32. Strengths of at
 * least 2^-9 are exact. Smaller ones are truncated to a multiple of 2^-32, but never to 0.
 */
export const FIXED = wgsl`
const ONE = vec2u(0u, 1u);
// Beyond any height (heights are below 2^24): bounds for large strengths, and for sums of pops (time-heights.wgsl.ts).
const UPPER = vec2u(0u, 0x2000000u);
const LOWER = vec2u(0u, 0xfe000000u);
fn fixed(x: f32) -> vec2u {
  let within = min(x, 33554432.0);
  let whole = floor(within);
  let part = u32((within - whole) * 4294967296.0);
  return vec2u(select(part, 1u, part == 0u && whole == 0.0 && x > 0.0), u32(whole));
}
// Only for a ≥ 0.
fn toFloat(a: vec2u) -> f32 { return f32(a.y) + f32(a.x) * 2.3283064365386963e-10; }
fn plus(a: vec2u, b: vec2u) -> vec2u {
  let part = a.x + b.x;
  return vec2u(part, a.y + b.y + select(0u, 1u, part < a.x));
}
fn minus(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}
fn lessThan(a: vec2u, b: vec2u) -> bool {
  return bitcast<i32>(a.y) < bitcast<i32>(b.y) || (a.y == b.y && a.x < b.x);
}
fn minOf(a: vec2u, b: vec2u) -> vec2u { return select(a, b, lessThan(b, a)); }
fn maxOf(a: vec2u, b: vec2u) -> vec2u { return select(b, a, lessThan(b, a)); }
// For a ≥ 0: this height minus 1 (a whole unit), but at least 0.
fn unitBelow(a: vec2u) -> vec2u { return select(vec2u(), minus(a, ONE), a.y > 0u); }
`;
