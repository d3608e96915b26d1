import { sigmoid4, sigmoidBackward4, tanh4, tanhBackward4 } from '../math';

/** An LSTM whose forget gate is 1 − i, with gates (i, g, o). Signature: see rnn.ts. */
export function coupledForward(
  rows: i32,
  H4: i32,
  a: usize,
  _hBefore: usize,
  cBefore: usize,
  g: usize,
  h: usize,
  c: usize,
): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const input = sigmoid4(v128.load(a));
      const candidate = tanh4(v128.load(a + gate));
      const output = sigmoid4(v128.load(a + 2 * gate));
      const carried = f32x4.mul(f32x4.sub(one, input), v128.load(cBefore));
      const cNow = f32x4.add(carried, f32x4.mul(input, candidate));
      v128.store(g, input);
      v128.store(g + gate, candidate);
      v128.store(g + 2 * gate, output);
      v128.store(c, cNow);
      v128.store(h, f32x4.mul(output, tanh4(cNow)));
      a += 16;
      g += 16;
      cBefore += 16;
      c += 16;
      h += 16;
    }
    a += 2 * gate;
    g += 2 * gate;
  }
}

/** Backward pass of coupledForward. */
export function coupledBackward(
  rows: i32,
  H4: i32,
  dh: usize,
  dc: usize,
  _direct: usize,
  g: usize,
  _hNow: usize,
  _hBefore: usize,
  cNow: usize,
  cBefore: usize,
  dA: usize,
): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const gi = v128.load(g);
      const gg = v128.load(g + gate);
      const go = v128.load(g + 2 * gate);
      const d = v128.load(dh);
      const tc = tanh4(v128.load(cNow));
      const dcNow = f32x4.add(v128.load(dc), tanhBackward4(f32x4.mul(d, go), tc));
      const difference = f32x4.sub(gg, v128.load(cBefore));
      v128.store(dA, sigmoidBackward4(f32x4.mul(dcNow, difference), gi));
      v128.store(dA + gate, tanhBackward4(f32x4.mul(dcNow, gi), gg));
      v128.store(dA + 2 * gate, sigmoidBackward4(f32x4.mul(d, tc), go));
      v128.store(dc, f32x4.mul(dcNow, f32x4.sub(one, gi)));
      dh += 16;
      dc += 16;
      g += 16;
      cNow += 16;
      cBefore += 16;
      dA += 16;
    }
    g += 2 * gate;
    dA += 2 * gate;
  }
}
