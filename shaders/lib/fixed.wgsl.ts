import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * Heights as 64-bit fixed-point numbers in two's complement: x is the fraction in units of 2^-32, y the whole units.
 * Sums are exact, so a parallel scan may add in any order. After 65,536 steps a height still has all its bits, of which
 * a float32 would have lost 16. Strengths of at least 2^-8 are exact. Smaller ones are truncated to a multiple of
 * 2^-32, but never to 0.
 */
export const FIXED = wgsl`
const ONE = vec2u(0u, 1u);
// Outside the range of heights, which are below 2^24. They bound large pops, and the composed pops of a chunk.
const MOST = vec2u(0u, 0x2000000u);
const LEAST = vec2u(0u, 0xfe000000u);
fn fixed(x: f32) -> vec2u {
  let within = min(x, 33554432.0);
  let whole = floor(within);
  let part = u32((within - whole) * 4294967296.0);
  return vec2u(select(part, 1u, part == 0u && whole == 0.0 && x > 0.0), u32(whole));
}
fn real(a: vec2u) -> f32 { return f32(a.y) + f32(a.x) * 2.3283064365386963e-10; }
fn plus(a: vec2u, b: vec2u) -> vec2u {
  let part = a.x + b.x;
  return vec2u(part, a.y + b.y + select(0u, 1u, part < a.x));
}
fn minus(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}
fn below(a: vec2u, b: vec2u) -> bool {
  return bitcast<i32>(a.y) < bitcast<i32>(b.y) || (a.y == b.y && a.x < b.x);
}
fn lower(a: vec2u, b: vec2u) -> vec2u { return select(a, b, below(b, a)); }
fn higher(a: vec2u, b: vec2u) -> vec2u { return select(b, a, below(b, a)); }
// One unit below this height, but at least 0.
fn unitBelow(a: vec2u) -> vec2u { return select(vec2u(), minus(a, ONE), a.y > 0u); }
`;
