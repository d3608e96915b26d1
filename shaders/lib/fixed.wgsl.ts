import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * Heights as 64-bit fixed-point numbers, x the fraction in 2^-32 and y the whole units, in two's complement. Their sums
 * are exact, so that it does not matter in which order a parallel scan adds them, and after 65,536 steps a height
 * still has all its digits, of which a float32 would have lost 16. A strength from 2^-8 on is exact too; a smaller
 * one is cut off at 2^-32, but not to 0.
 */
export const FIXED = wgsl`
const ONE = vec2u(0u, 1u);
// Beyond all heights (below 2^24): what a pop of more, or a chunk of pops, comes to.
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
// Where a window of one unit below this height begins.
fn unitBelow(a: vec2u) -> vec2u { return select(vec2u(), minus(a, ONE), a.y > 0u); }
`;
