import { sum4 } from '../math';
import { dStrength, dValues, depth, endBytes, leave, readCount, table, tail, undo, values, vectors } from './memory';

/**
 * A memory of `depth` cells, every one of which becomes a mixture of the cell before it, the cell after it and itself, by shares
 * that are its three controls. Equations: src/reference/superposition.ts and tape.ts. The log has all cells after every step, rows
 * of G vec4s; dStrength what arrives at them, of this step and of the one after, which take turns.
 *
 * ring, of a tape: the value is written to cell 0, and the last cell is before the first. Else of a stack: the value is before
 * cell 0, and 0 after the last.
 */

/** vec4s of a row. */
// @ts-ignore: decorator
@inline
function groups(): i32 {
  return vectors + (tail ? 1 : 0);
}

/** The number of a cell from -1 to depth; of a stack it may be none. */
// @ts-ignore: decorator
@inline
function numberOf(ring: bool, i: i32): i32 {
  if (!ring) return i;
  return i < 0 ? depth - 1 : i == depth ? 0 : i;
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

/** What step t mixes, at the place i from -1 to depth, vec4 g: cells before the first step are 0. */
// @ts-ignore: decorator
@inline
function sourceOf(ring: bool, t: i32, i: i32, g: i32, value: usize): v128 {
  const n = numberOf(ring, i);
  if (n == (ring ? 0 : -1)) return load4(value, g);
  if (t == 0 || n >= depth) return f32x4.splat(0);
  return v128.load(undo + (<usize>(((t - 1) * depth + n) * groups() + g) << 4));
}

// @ts-ignore: decorator
@inline
function mixed(push: f32, a: v128, pop: f32, b: v128, stay: f32, c: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(push), a), f32x4.mul(f32x4.splat(pop), b)),
    f32x4.mul(f32x4.splat(stay), c),
  );
}

/** Shares a of the cell before, b of the cell after, c of the cell itself. r -> reads. */
export function forward(ring: bool, t: i32, a: f32, b: f32, c: f32, reads: usize): void {
  const G = groups();
  const value = values + <usize>load<u32>(table + (<usize>t << 2));
  const now = undo + (<usize>(t * depth * G) << 4);
  for (let i = 0; i < depth; i++) {
    for (let g = 0; g < G; g++) {
      const before = sourceOf(ring, t, i - 1, g, value);
      const after = sourceOf(ring, t, i + 1, g, value);
      const x = mixed(a, before, b, after, c, sourceOf(ring, t, i, g, value));
      v128.store(now + (<usize>(i * G + g) << 4), x);
      if (i < readCount) store4(reads + <usize>i * endBytes, g, x);
    }
  }
}

/** What arrives at cell i of step t, with that of the reads. */
// @ts-ignore: decorator
@inline
function arriving(ring: bool, t: i32, i: i32, g: i32, dReads: usize): v128 {
  const n = numberOf(ring, i);
  if (n < 0 || n >= depth) return f32x4.splat(0);
  const half = (t + 1) & 1;
  const x = v128.load(dStrength + (<usize>((half * depth + n) * groups() + g) << 4));
  return n < readCount ? f32x4.add(x, load4(dReads + <usize>n * endBytes, g)) : x;
}

/** The same shares; their gradients are left in g0 … g2. */
export function backward(ring: bool, t: i32, a: f32, b: f32, c: f32, dReads: usize): void {
  const G = groups();
  const place = <usize>load<u32>(table + (<usize>t << 2));
  const value = values + place;
  const dValue = dValues + place;
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  for (let i = 0; i < depth; i++) {
    for (let g = 0; g < G; g++) {
      const d = arriving(ring, t, i, g, dReads);
      sum0 = f32x4.add(sum0, f32x4.mul(d, sourceOf(ring, t, i - 1, g, value)));
      sum1 = f32x4.add(sum1, f32x4.mul(d, sourceOf(ring, t, i + 1, g, value)));
      sum2 = f32x4.add(sum2, f32x4.mul(d, sourceOf(ring, t, i, g, value)));
      let passed = mixed(a, arriving(ring, t, i + 1, g, dReads), b, arriving(ring, t, i - 1, g, dReads), c, d);
      if (i == 0) {
        const own = ring ? passed : f32x4.mul(f32x4.splat(a), d);
        store4(dValue, g, f32x4.add(load4(dValue, g), own));
        // What was in a tape's cell has been written over.
        if (ring) passed = f32x4.splat(0);
      }
      v128.store(dStrength + (<usize>(((t & 1) * depth + i) * G + g) << 4), passed);
    }
  }
  leave(sum4(sum0), sum4(sum1), sum4(sum2), 0);
}
