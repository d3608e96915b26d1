import { exp4, firstLanes, sigmoid4, sigmoidBackward4, sum4, tanh4, tanhBackward4 } from './math';

/**
 * Losses of rows and their gradients, as in shaders/loss.wgsl.ts. y: pre-activations in, outputs out. dy: gradients of
 * the pre-activations, times weight. rowMetrics per row: loss, Σ|o − target| (0 for softmax), argmax, and 1 if the row
 * has a target. Rows have V numbers; their padding is set to 0.
 */
const MASKED: u32 = 0xffffffff;

/** Mask of the lanes of the last vec4 that belong to the row. */
// @ts-ignore: decorator
@inline
function insideLast(V: i32): v128 {
  return firstLanes(((V - 1) & 3) + 1);
}

/** Index of the largest value; the first one if several are equal. */
function argmax(y: usize, V: i32): i32 {
  let best = 0;
  let top = load<f32>(y);
  for (let i = 1; i < V; i++) {
    const x = load<f32>(y + (<usize>i << 2));
    if (x > top) {
      top = x;
      best = i;
    }
  }
  return best;
}

/** p = softmax of the pre-activations, loss −log p[target]. */
export function softmaxRows(rows: i32, V: i32, y: usize, dy: usize, targets: usize, weights: usize, rowMetrics: usize): void {
  const V4 = (V + 3) >> 2;
  const inside = insideLast(V);
  for (let r = 0; r < rows; r++) {
    const best = argmax(y, V);
    const top = load<f32>(y + (<usize>best << 2));
    const target = load<u32>(targets);
    const hasTarget = target != MASKED;
    const picked: f32 = hasTarget ? load<f32>(y + (<usize>target << 2)) - top : 0;
    const shift = f32x4.splat(top);
    let sums = f32x4.splat(0);
    let at = y;
    for (let j = 0; j < V4; j++) {
      let e = exp4(f32x4.sub(v128.load(at), shift));
      if (j + 1 == V4) e = v128.and(e, inside);
      sums = f32x4.add(sums, e);
      v128.store(at, e);
      at += 16;
    }
    const sum = sum4(sums);
    const weight: f32 = hasTarget ? load<f32>(weights) : 0;
    const over = f32x4.splat(sum);
    const w = f32x4.splat(weight);
    for (let j = 0; j < V4; j++) {
      const at = y + (<usize>j << 4);
      const p = f32x4.div(v128.load(at), over);
      v128.store(at, p);
      v128.store(dy + (<usize>j << 4), f32x4.mul(w, p));
    }
    if (hasTarget) {
      const at = dy + (<usize>target << 2);
      store<f32>(at, weight * (load<f32>(y + (<usize>target << 2)) - 1));
    }
    store<f32>(rowMetrics, hasTarget ? Mathf.log(sum) - picked : 0);
    store<f32>(rowMetrics, 0, 4);
    store<f32>(rowMetrics, <f32>best, 8);
    store<f32>(rowMetrics, hasTarget ? 1 : 0, 12);
    y += <usize>V4 << 4;
    dy += <usize>V4 << 4;
    targets += 4;
    weights += 4;
    rowMetrics += 16;
  }
}

/**
 * Loss ½ Σ (o − target)², o = tanh (or σ) of the pre-activations. The target is one-hot; for ZERO_TARGET, which is not
 * the index of any output, it is the zero vector.
 */
export function squaredRows(
  rows: i32,
  V: i32,
  tanh: bool,
  y: usize,
  dy: usize,
  targets: usize,
  weights: usize,
  rowMetrics: usize,
): void {
  const V4 = (V + 3) >> 2;
  const inside = insideLast(V);
  const one = f32x4.splat(1);
  for (let r = 0; r < rows; r++) {
    const target = load<u32>(targets);
    const hasTarget = target != MASKED;
    const w = f32x4.splat(hasTarget ? load<f32>(weights) : 0);
    const wanted = i32x4.splat(<i32>target);
    let number = i32x4(0, 1, 2, 3);
    let squares = f32x4.splat(0);
    let error = f32x4.splat(0);
    for (let j = 0; j < V4; j++) {
      const at = y + (<usize>j << 4);
      let o = tanh ? tanh4(v128.load(at)) : sigmoid4(v128.load(at));
      if (j + 1 == V4) o = v128.and(o, inside);
      const off = f32x4.sub(o, v128.and(one, i32x4.eq(number, wanted)));
      squares = f32x4.add(squares, f32x4.mul(off, off));
      error = f32x4.add(error, f32x4.abs(off));
      const dOutput = f32x4.mul(w, off);
      v128.store(dy + (<usize>j << 4), tanh ? tanhBackward4(dOutput, o) : sigmoidBackward4(dOutput, o));
      v128.store(at, o);
      number = i32x4.add(number, i32x4.splat(4));
    }
    store<f32>(rowMetrics, hasTarget ? <f32>0.5 * sum4(squares) : 0);
    store<f32>(rowMetrics, hasTarget ? sum4(error) : 0, 4);
    store<f32>(rowMetrics, <f32>argmax(y, V), 8);
    store<f32>(rowMetrics, hasTarget ? 1 : 0, 12);
    y += <usize>V4 << 4;
    dy += <usize>V4 << 4;
    targets += 4;
    weights += 4;
    rowMetrics += 16;
  }
}

/**
 * Loss of an auto-encoder head: ½ Σ (σ(y) − inputs of step t−1)²; the inputs are the K ids at previous[row]·K. The
 * first row of a sequence has no previous row (NO_INPUT, the same number as MASKED) and no loss. losses [rows] += loss.
 */
export function reconstructionRows(
  rows: i32,
  D: i32,
  y: usize,
  dy: usize,
  ids: usize,
  K: i32,
  previous: usize,
  weights: usize,
  losses: usize,
): void {
  const D4 = (D + 3) >> 2;
  const inside = insideLast(D);
  const one = f32x4.splat(1);
  for (let r = 0; r < rows; r++) {
    const from = load<u32>(previous);
    const hasPrevious = from != MASKED;
    const w = f32x4.splat(hasPrevious ? load<f32>(weights) : 0);
    const inputs = ids + (<usize>from * <usize>K << 2);
    let number = i32x4(0, 1, 2, 3);
    let squares = f32x4.splat(0);
    for (let j = 0; j < D4; j++) {
      const at = y + (<usize>j << 4);
      let o = sigmoid4(v128.load(at));
      if (j + 1 == D4) o = v128.and(o, inside);
      let wanted = f32x4.splat(0);
      if (hasPrevious) {
        for (let k = 0; k < K; k++) {
          const id = i32x4.splat(load<i32>(inputs + (<usize>k << 2)));
          wanted = f32x4.add(wanted, v128.and(one, i32x4.eq(number, id)));
        }
      }
      const off = f32x4.sub(o, wanted);
      squares = f32x4.add(squares, f32x4.mul(off, off));
      v128.store(dy + (<usize>j << 4), sigmoidBackward4(f32x4.mul(w, off), o));
      v128.store(at, o);
      number = i32x4.add(number, i32x4.splat(4));
    }
    if (hasPrevious) store<f32>(losses, load<f32>(losses) + <f32>0.5 * sum4(squares));
    y += <usize>D4 << 4;
    dy += <usize>D4 << 4;
    previous += 4;
    weights += 4;
    losses += 4;
  }
}
