import { sigmoid4, sigmoidBackward4, tanh4, tanhBackward4 } from '../math';

/** A GRU. Blocks: n without the part from h; z; r; the part of n from h. Signature: see rnn.ts. */
export function gruForward(
  rows: i32,
  H4: i32,
  a: usize,
  hBefore: usize,
  _cBefore: usize,
  g: usize,
  h: usize,
  _c: usize,
): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const z = sigmoid4(v128.load(a + gate));
      const reset = sigmoid4(v128.load(a + 2 * gate));
      const nh = v128.load(a + 3 * gate);
      const n = tanh4(f32x4.add(v128.load(a), f32x4.mul(reset, nh)));
      v128.store(g, n);
      v128.store(g + gate, z);
      v128.store(g + 2 * gate, reset);
      v128.store(g + 3 * gate, nh);
      v128.store(h, f32x4.add(f32x4.mul(f32x4.sub(one, z), n), f32x4.mul(z, v128.load(hBefore))));
      a += 16;
      g += 16;
      hBefore += 16;
      h += 16;
    }
    a += 3 * gate;
    g += 3 * gate;
  }
}

/** Backward pass of gruForward. */
export function gruBackward(
  rows: i32,
  H4: i32,
  dh: usize,
  _dc: usize,
  direct: usize,
  g: usize,
  _hNow: usize,
  hBefore: usize,
  _cNow: usize,
  _cBefore: usize,
  dA: usize,
): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const n = v128.load(g);
      const z = v128.load(g + gate);
      const reset = v128.load(g + 2 * gate);
      const nh = v128.load(g + 3 * gate);
      const d = v128.load(dh);
      const da0 = tanhBackward4(f32x4.mul(d, f32x4.sub(one, z)), n);
      v128.store(dA, da0);
      v128.store(dA + gate, sigmoidBackward4(f32x4.mul(d, f32x4.sub(v128.load(hBefore), n)), z));
      v128.store(dA + 2 * gate, sigmoidBackward4(f32x4.mul(da0, nh), reset));
      v128.store(dA + 3 * gate, f32x4.mul(da0, reset));
      v128.store(direct, f32x4.mul(d, z));
      dh += 16;
      g += 16;
      hBefore += 16;
      dA += 16;
      direct += 16;
    }
    g += 3 * gate;
    dA += 3 * gate;
  }
}
