import { sum4 } from '../math';
import { dStrength, dValues, depth, endBytes, setGradients, readCount, table, tail, undoLog, values, vectors } from './memory';

/**
 * A memory of `depth` cells. At every step each cell becomes a mixture of the cell before it, the cell after it and
 * itself, weighted by the three controls. Equations: src/reference/superposition.ts and tape.ts. The undo log holds all
 * cells after every step, as rows of G vec4s. dStrength holds the gradients of the cells in two halves, one for this
 * step and one for the next; they swap roles at every step.
 *
 * ring: true for a tape: the value is written to cell 0, and the last cell comes before the first. False for a
 * superposition stack: the value comes before cell 0, and a row of zeros after the last cell.
 */

/** Number of vec4s per row. */
// @ts-ignore: decorator
@inline
function groups(): i32 {
  return vectors + (tail ? 1 : 0);
}

/** The number of the cell at position i, from -1 to depth. In a superposition stack, -1 and depth are not cells. */
// @ts-ignore: decorator
@inline
function numberOf(ring: bool, i: i32): i32 {
  if (!ring) return i;
  return i < 0 ? depth - 1 : i == depth ? 0 : i;
}

/** vec4 g of a row at an address. Numbers beyond the end of the row are 0. */
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

/** vec4 g of what step t mixes at position i, from -1 to depth. Before the first step all cells are 0. */
// @ts-ignore: decorator
@inline
function sourceOf(ring: bool, t: i32, i: i32, g: i32, value: usize): v128 {
  const n = numberOf(ring, i);
  if (n == (ring ? 0 : -1)) return load4(value, g);
  if (t == 0 || n >= depth) return f32x4.splat(0);
  return v128.load(undoLog + (<usize>(((t - 1) * depth + n) * groups() + g) << 4));
}

// @ts-ignore: decorator
@inline
function mixed(push: f32, a: v128, pop: f32, b: v128, stay: f32, c: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(push), a), f32x4.mul(f32x4.splat(pop), b)),
    f32x4.mul(f32x4.splat(stay), c),
  );
}

/**
 * The first of the inner cells, at least `atLeast`. A plain loop computes the cells from here to the last but one: for
 * both kinds, all three sources are cells of step t−1, and no reads are involved. At step 0 there are none: returns
 * `depth`.
 */
// @ts-ignore: decorator
@inline
function innerFrom(t: i32, atLeast: i32): i32 {
  return t == 0 ? depth : min(max(2, atLeast), depth);
}

/** Weights: a of the cell before, b of the cell after, c of the cell itself. Stores r at `reads`. */
export function forward(ring: bool, t: i32, a: f32, b: f32, c: f32, reads: usize): void {
  const G = groups();
  const value = values + <usize>load<u32>(table + (<usize>t << 2));
  const now = undoLog + (<usize>(t * depth * G) << 4);
  const first = innerFrom(t, readCount);
  for (let i = 0; i < first; i++) mixCell(ring, t, i, a, b, c, value, now, reads);
  const row = <usize>G << 4;
  const previous = now - <usize>depth * row;
  const end = <usize>max(first, depth - 1) * row;
  for (let at = <usize>first * row; at < end; at += 16) {
    const from = previous + at;
    v128.store(now + at, mixed(a, v128.load(from - row), b, v128.load(from + row), c, v128.load(from)));
  }
  for (let i = max(first, depth - 1); i < depth; i++) mixCell(ring, t, i, a, b, c, value, now, reads);
}

function mixCell(ring: bool, t: i32, i: i32, a: f32, b: f32, c: f32, value: usize, now: usize, reads: usize): void {
  const G = groups();
  for (let g = 0; g < G; g++) {
    const before = sourceOf(ring, t, i - 1, g, value);
    const after = sourceOf(ring, t, i + 1, g, value);
    const x = mixed(a, before, b, after, c, sourceOf(ring, t, i, g, value));
    v128.store(now + (<usize>(i * G + g) << 4), x);
    if (i < readCount) store4(reads + <usize>i * endBytes, g, x);
  }
}

/** vec4 g of the gradient of the cell at position i after step t, including the gradient of its read. */
// @ts-ignore: decorator
@inline
function gradientOf(ring: bool, t: i32, i: i32, g: i32, dReads: usize): v128 {
  const n = numberOf(ring, i);
  if (n < 0 || n >= depth) return f32x4.splat(0);
  const half = (t + 1) & 1;
  const x = v128.load(dStrength + (<usize>((half * depth + n) * groups() + g) << 4));
  return n < readCount ? f32x4.add(x, load4(dReads + <usize>n * endBytes, g)) : x;
}

// Sums of the gradients of the three weights over the cells. Globals, because each thread has its own.
let sum0: v128 = f32x4.splat(0);
let sum1: v128 = f32x4.splat(0);
let sum2: v128 = f32x4.splat(0);

/** Backward pass of forward(), with the same weights. Leaves their gradients in g0 … g2. */
export function backward(ring: bool, t: i32, a: f32, b: f32, c: f32, dReads: usize): void {
  sum0 = f32x4.splat(0);
  sum1 = f32x4.splat(0);
  sum2 = f32x4.splat(0);
  const row = <usize>groups() << 4;
  const first = innerFrom(t, readCount + 1);
  for (let i = 0; i < first; i++) mixCellBackward(ring, t, i, a, b, c, dReads);
  let inner0 = f32x4.splat(0);
  let inner1 = f32x4.splat(0);
  let inner2 = f32x4.splat(0);
  const size = <usize>depth * row;
  const previous = undoLog + <usize>(t - 1) * size;
  const from = dStrength + <usize>((t + 1) & 1) * size;
  const to = dStrength + <usize>(t & 1) * size;
  const end = <usize>max(first, depth - 1) * row;
  for (let at = <usize>first * row; at < end; at += 16) {
    const d = v128.load(from + at);
    inner0 = f32x4.add(inner0, f32x4.mul(d, v128.load(previous + at - row)));
    inner1 = f32x4.add(inner1, f32x4.mul(d, v128.load(previous + at + row)));
    inner2 = f32x4.add(inner2, f32x4.mul(d, v128.load(previous + at)));
    const passed = mixed(a, v128.load(from + at + row), b, v128.load(from + at - row), c, d);
    v128.store(to + at, passed);
  }
  for (let i = max(first, depth - 1); i < depth; i++) mixCellBackward(ring, t, i, a, b, c, dReads);
  setGradients(
    sum4(f32x4.add(sum0, inner0)),
    sum4(f32x4.add(sum1, inner1)),
    sum4(f32x4.add(sum2, inner2)),
    0,
  );
}

function mixCellBackward(ring: bool, t: i32, i: i32, a: f32, b: f32, c: f32, dReads: usize): void {
  const G = groups();
  const place = <usize>load<u32>(table + (<usize>t << 2));
  const value = values + place;
  const dValue = dValues + place;
  for (let g = 0; g < G; g++) {
    const d = gradientOf(ring, t, i, g, dReads);
    sum0 = f32x4.add(sum0, f32x4.mul(d, sourceOf(ring, t, i - 1, g, value)));
    sum1 = f32x4.add(sum1, f32x4.mul(d, sourceOf(ring, t, i + 1, g, value)));
    sum2 = f32x4.add(sum2, f32x4.mul(d, sourceOf(ring, t, i, g, value)));
    let passed = mixed(a, gradientOf(ring, t, i + 1, g, dReads), b, gradientOf(ring, t, i - 1, g, dReads), c, d);
    if (i == 0) {
      const dv = ring ? passed : f32x4.mul(f32x4.splat(a), d);
      store4(dValue, g, f32x4.add(load4(dValue, g), dv));
      // The step overwrote cell 0 of a tape, so no gradient passes to its old contents.
      if (ring) passed = f32x4.splat(0);
    }
    v128.store(dStrength + (<usize>(((t & 1) * depth + i) * G + g) << 4), passed);
  }
}
