import { tanhBackward } from '../tanh';
import { tanh4 } from '../math';

/**
 * A plain tanh layer over `rows` contiguous rows of H4 vec4s per gate (equations in src/base/parameters.ts, gates in
 * src/base/cells.ts). The forward functions of all cells have one signature, the backward functions another; _ marks an
 * address that a cell does not use.
 *
 * Forward: a (pre-activations of all gates, side by side), hBefore and cBefore (state of step t−1) -> g (activations
 * kept for the backward pass), h and c. Backward: dh and dc of step t -> dA (all gates, side by side); dc is replaced
 * by dc of step t−1; `direct` receives the part of dh that is passed to h_{t−1} directly, not through W_hh.
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

/** Backward pass of rnnForward. The backward passes of all cells have this signature. */
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
