import { sigmoid4, tanh4 } from './math';
import { tanhBackward } from './tanh';

/** The heads' row s: v of every end (R4 vec4s), then the controls of every end, of which `last` (1 to 4) are in the last vec4. */
export function headsForward(rows: i32, R4: i32, S4: i32, last: i32, s: usize, noise: usize): void {
  const inside = i32x4(-1, last > 1 ? -1 : 0, last > 2 ? -1 : 0, last > 3 ? -1 : 0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < R4; j++) {
      v128.store(s, tanh4(v128.load(s)));
      s += 16;
    }
    for (let j = R4; j < S4; j++) {
      let x = v128.load(s);
      if (noise) {
        x = f32x4.add(x, v128.load(noise));
        noise += 16;
      }
      x = sigmoid4(x);
      // Padding stays 0.
      if (j + 1 == S4) x = v128.and(x, inside);
      v128.store(s, x);
      s += 16;
    }
  }
}

/** dS of v and controls -> of what goes into each tanh and σ. */
export function headsBackward(rows: i32, R4: i32, S4: i32, s: usize, dS: usize): void {
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    tanhBackward(R4, dS, s, dS);
    s += <usize>R4 << 4;
    dS += <usize>R4 << 4;
    for (let j = R4; j < S4; j++) {
      const x = v128.load(s);
      v128.store(dS, f32x4.mul(v128.load(dS), f32x4.mul(x, f32x4.sub(one, x))));
      s += 16;
      dS += 16;
    }
  }
}
