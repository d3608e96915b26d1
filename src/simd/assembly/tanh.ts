import { tanh4, tanhBackward4 } from './math';

/** y = tanh(y), over n4 vec4s. */
export function tanhOf(y: usize, n4: i32): void {
  const end = y + (<usize>n4 << 4);
  for (; y < end; y += 16) v128.store(y, tanh4(v128.load(y)));
}

/** dx = dy · (1 − y²), over n4 vec4s: backward pass of y = tanh(x). dx may be dy. */
export function tanhBackward(n4: i32, dy: usize, y: usize, dx: usize): void {
  for (let i = 0; i < n4; i++) {
    v128.store(dx, tanhBackward4(v128.load(dy), v128.load(y)));
    dy += 16;
    y += 16;
    dx += 16;
  }
}
