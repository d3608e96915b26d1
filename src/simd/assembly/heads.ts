import { exp4, firstLanes, sigmoid4, sigmoidBackward4, sum4 } from './math';
import { tanhBackward, tanhOf } from './tanh';

/**
 * Activates the heads' rows s in place: v of every end (N4 vec4s in all) by tanh, then the controls of every end by σ.
 * The last vec4 holds `last` (1 to 4) controls. noise: address of the noise added to the controls' logits; 0: no noise.
 */
export function headsForward(rows: i32, N4: i32, S4: i32, last: i32, s: usize, noise: usize): void {
  const inside = firstLanes(last);
  for (let r = 0; r < rows; r++) {
    tanhOf(s, N4);
    s += <usize>N4 << 4;
    for (let j = N4; j < S4; j++) {
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

/** Gradients of v and the controls -> gradients of their pre-activations, in place in dS. */
export function headsBackward(rows: i32, N4: i32, S4: i32, s: usize, dS: usize): void {
  for (let r = 0; r < rows; r++) {
    tanhBackward(N4, dS, s, dS);
    s += <usize>N4 << 4;
    dS += <usize>N4 << 4;
    for (let j = N4; j < S4; j++) {
      v128.store(dS, sigmoidBackward4(v128.load(dS), v128.load(s)));
      s += 16;
      dS += 16;
    }
  }
}

/** headsForward for a softmax over the `count` controls of each end. The controls of an end occupy one vec4. */
export function headsSoftmax(rows: i32, N4: i32, S4: i32, count: i32, s: usize, noise: usize): void {
  const inside = firstLanes(count);
  const lowest = f32x4.splat(-Infinity);
  for (let r = 0; r < rows; r++) {
    tanhOf(s, N4);
    s += <usize>N4 << 4;
    for (let j = N4; j < S4; j++) {
      let x = v128.load(s);
      if (noise) {
        x = f32x4.add(x, v128.load(noise));
        noise += 16;
      }
      const logits = v128.bitselect(x, lowest, inside);
      const largest = max(
        max(f32x4.extract_lane(logits, 0), f32x4.extract_lane(logits, 1)),
        max(f32x4.extract_lane(logits, 2), f32x4.extract_lane(logits, 3)),
      );
      const exps = v128.and(exp4(f32x4.sub(x, f32x4.splat(largest))), inside);
      v128.store(s, f32x4.div(exps, f32x4.splat(sum4(exps))));
      s += 16;
    }
  }
}

/** headsBackward for softmax controls. In the padding both the control and its gradient are 0. */
export function headsSoftmaxBackward(rows: i32, N4: i32, S4: i32, s: usize, dS: usize): void {
  for (let r = 0; r < rows; r++) {
    tanhBackward(N4, dS, s, dS);
    s += <usize>N4 << 4;
    dS += <usize>N4 << 4;
    for (let j = N4; j < S4; j++) {
      const x = v128.load(s);
      const d = v128.load(dS);
      const mean = sum4(f32x4.mul(x, d));
      v128.store(dS, f32x4.mul(x, f32x4.sub(d, f32x4.splat(mean))));
      s += 16;
      dS += 16;
    }
  }
}
