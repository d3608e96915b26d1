import { tanhBackward } from '../tanh';
import { tanh4 } from '../math';

/**
 * A plain layer over `rows` rows that lie side by side (equations in src/base/parameters.ts, gates in src/base/cells.ts). All cells take the same: of
 * the step before hBefore and cBefore; a and dA with all gates side by side, g with what the backward pass wants of them, h and c;
 * going back dh and dc of this step, where dc becomes that of the step before, and `direct`, what reaches h of the step before past
 * all matrices. H4 vec4s each; those that a cell does not have are 0.
 */
export function rnnForward(
  rows: i32,
  H4: i32,
  a: usize,
  _hBefore: usize,
  _cBefore: usize,
  _g: usize,
  h: usize,
  _c: usize,
): void {
  for (let i = 0; i < rows * H4; i++) {
    v128.store(h, tanh4(v128.load(a)));
    a += 16;
    h += 16;
  }
}

export function rnnBackward(
  rows: i32,
  H4: i32,
  dh: usize,
  _dc: usize,
  _direct: usize,
  _g: usize,
  hNow: usize,
  _hBefore: usize,
  _cNow: usize,
  _cBefore: usize,
  dA: usize,
): void {
  tanhBackward(rows * H4, dh, hNow, dA);
}
