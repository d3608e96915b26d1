import { sum4 } from '../math';
import { dStrength, dValues, depth, leave, table, tail, undo, values, vectors } from './memory';

/**
 * The superposition stack (equations in src/reference/superposition.ts). The log has all cells after every step, rows of G vec4s;
 * dStrength what arrives at them, of this step and of the one after, which take turns.
 */

/** vec4s of a row. */
// @ts-ignore: decorator
@inline
function groups(): i32 {
  return vectors + (tail ? 1 : 0);
}

/** Cell i after step t, vec4 g. */
// @ts-ignore: decorator
@inline
function cellAt(t: i32, i: i32, g: i32): v128 {
  if (t < 0 || i >= depth) return f32x4.splat(0);
  return v128.load(undo + (<usize>((t * depth + i) * groups() + g) << 4));
}

/** Four numbers at an address; those beyond the row are 0. */
// @ts-ignore: decorator
@inline
function load4(at: usize, g: i32): v128 {
  if (g < vectors) return v128.load(at + (<usize>g << 4));
  const from = at + (<usize>g << 4);
  return f32x4(
    load<f32>(from),
    tail > 1 ? load<f32>(from, 4) : 0,
    tail > 2 ? load<f32>(from, 8) : 0,
    0,
  );
}

// @ts-ignore: decorator
@inline
function store4(at: usize, g: i32, x: v128): void {
  const to = at + (<usize>g << 4);
  if (g < vectors) {
    v128.store(to, x);
    return;
  }
  store<f32>(to, f32x4.extract_lane(x, 0));
  if (tail > 1) store<f32>(to, f32x4.extract_lane(x, 1), 4);
  if (tail > 2) store<f32>(to, f32x4.extract_lane(x, 2), 8);
}

// @ts-ignore: decorator
@inline
function above(t: i32, i: i32, g: i32, value: usize): v128 {
  return i == 0 ? load4(value, g) : cellAt(t - 1, i - 1, g);
}

// @ts-ignore: decorator
@inline
function mixed(push: f32, a: v128, pop: f32, b: v128, stay: f32, c: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(push), a), f32x4.mul(f32x4.splat(pop), b)),
    f32x4.mul(f32x4.splat(stay), c),
  );
}

export function forward(t: i32, push: f32, pop: f32, stay: f32, reads: usize): void {
  const G = groups();
  const value = values + <usize>load<u32>(table + (<usize>t << 2));
  const now = undo + (<usize>(t * depth * G) << 4);
  for (let i = 0; i < depth; i++) {
    for (let g = 0; g < G; g++) {
      const x = mixed(push, above(t, i, g, value), pop, cellAt(t - 1, i + 1, g), stay, cellAt(t - 1, i, g));
      v128.store(now + (<usize>(i * G + g) << 4), x);
      if (i == 0) store4(reads, g, x);
    }
  }
}

/** What arrives at cell i of step t, with the read's at the top. */
// @ts-ignore: decorator
@inline
function arriving(t: i32, i: i32, g: i32, dReads: usize): v128 {
  if (i < 0 || i >= depth) return f32x4.splat(0);
  const half = (t + 1) & 1;
  const x = v128.load(dStrength + (<usize>((half * depth + i) * groups() + g) << 4));
  return i == 0 ? f32x4.add(x, load4(dReads, g)) : x;
}

export function backward(t: i32, push: f32, pop: f32, stay: f32, dReads: usize): void {
  const G = groups();
  const place = <usize>load<u32>(table + (<usize>t << 2));
  const value = values + place;
  const dValue = dValues + place;
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  for (let i = 0; i < depth; i++) {
    for (let g = 0; g < G; g++) {
      const d = arriving(t, i, g, dReads);
      sum0 = f32x4.add(sum0, f32x4.mul(d, above(t, i, g, value)));
      sum1 = f32x4.add(sum1, f32x4.mul(d, cellAt(t - 1, i + 1, g)));
      sum2 = f32x4.add(sum2, f32x4.mul(d, cellAt(t - 1, i, g)));
      const passed = mixed(push, arriving(t, i + 1, g, dReads), pop, arriving(t, i - 1, g, dReads), stay, d);
      v128.store(dStrength + (<usize>(((t & 1) * depth + i) * G + g) << 4), passed);
      if (i == 0) store4(dValue, g, f32x4.add(load4(dValue, g), f32x4.mul(f32x4.splat(push), d)));
    }
  }
  leave(sum4(sum0), sum4(sum1), sum4(sum2), 0);
}
