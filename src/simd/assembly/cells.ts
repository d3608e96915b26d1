import { sigmoid4, tanh4 } from './math';

/**
 * Cells of the controllers over `rows` rows (equations in src/base/parameters.ts, gates in src/layout/sizes.ts): a and dA have
 * all gates side by side, g what the backward pass wants of them; H4 vec4s each. Rows lie side by side.
 */

/** y = tanh(y), over n4 vec4s. */
export function tanhOf(y: usize, n4: i32): void {
  const end = y + (<usize>n4 << 4);
  for (; y < end; y += 16) v128.store(y, tanh4(v128.load(y)));
}

/** h = tanh(a), over n4 vec4s. */
export function rnnForward(n4: i32, a: usize, h: usize): void {
  for (let i = 0; i < n4; i++) {
    v128.store(h, tanh4(v128.load(a)));
    a += 16;
    h += 16;
  }
}

/** dx = dy · (1 − y²), over n4 vec4s: through a tanh whose outcome y is. dx may be dy. */
export function tanhBackward(n4: i32, dy: usize, y: usize, dx: usize): void {
  const one = f32x4.splat(1.0);
  for (let i = 0; i < n4; i++) {
    const v = v128.load(y);
    v128.store(dx, f32x4.mul(v128.load(dy), f32x4.sub(one, f32x4.mul(v, v))));
    dy += 16;
    y += 16;
    dx += 16;
  }
}

export function lstmForward(rows: i32, H4: i32, a: usize, cBefore: usize, g: usize, h: usize, c: usize): void {
  const gate = <usize>H4 << 4;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const input = sigmoid4(v128.load(a));
      const forget = sigmoid4(v128.load(a + gate));
      const next = tanh4(v128.load(a + 2 * gate));
      const output = sigmoid4(v128.load(a + 3 * gate));
      const cNow = f32x4.add(f32x4.mul(forget, v128.load(cBefore)), f32x4.mul(input, next));
      v128.store(g, input);
      v128.store(g + gate, forget);
      v128.store(g + 2 * gate, next);
      v128.store(g + 3 * gate, output);
      v128.store(c, cNow);
      v128.store(h, f32x4.mul(output, tanh4(cNow)));
      a += 16;
      g += 16;
      cBefore += 16;
      c += 16;
      h += 16;
    }
    a += 3 * gate;
    g += 3 * gate;
  }
}

/** dc: of c from the step after; becomes that of c of the step before. */
export function lstmBackward(rows: i32, H4: i32, dh: usize, dc: usize, g: usize, cNow: usize, cBefore: usize, dA: usize): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const gi = v128.load(g);
      const gf = v128.load(g + gate);
      const gg = v128.load(g + 2 * gate);
      const go = v128.load(g + 3 * gate);
      const d = v128.load(dh);
      const tc = tanh4(v128.load(cNow));
      const dcNow = f32x4.add(
        v128.load(dc),
        f32x4.mul(f32x4.mul(d, go), f32x4.sub(one, f32x4.mul(tc, tc))),
      );
      v128.store(dA, f32x4.mul(f32x4.mul(dcNow, gg), f32x4.mul(gi, f32x4.sub(one, gi))));
      v128.store(dA + gate, f32x4.mul(f32x4.mul(dcNow, v128.load(cBefore)), f32x4.mul(gf, f32x4.sub(one, gf))));
      v128.store(dA + 2 * gate, f32x4.mul(f32x4.mul(dcNow, gi), f32x4.sub(one, f32x4.mul(gg, gg))));
      v128.store(dA + 3 * gate, f32x4.mul(f32x4.mul(d, tc), f32x4.mul(go, f32x4.sub(one, go))));
      v128.store(dc, f32x4.mul(dcNow, gf));
      dh += 16;
      dc += 16;
      g += 16;
      cNow += 16;
      cBefore += 16;
      dA += 16;
    }
    g += 3 * gate;
    dA += 3 * gate;
  }
}

/** Gates (i, g, o); what is forgotten is 1 − i. */
export function coupledForward(rows: i32, H4: i32, a: usize, cBefore: usize, g: usize, h: usize, c: usize): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const input = sigmoid4(v128.load(a));
      const next = tanh4(v128.load(a + gate));
      const output = sigmoid4(v128.load(a + 2 * gate));
      const kept = f32x4.mul(f32x4.sub(one, input), v128.load(cBefore));
      const cNow = f32x4.add(kept, f32x4.mul(input, next));
      v128.store(g, input);
      v128.store(g + gate, next);
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

/** dc: of c from the step after; becomes that of c of the step before. */
export function coupledBackward(rows: i32, H4: i32, dh: usize, dc: usize, g: usize, cNow: usize, cBefore: usize, dA: usize): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const gi = v128.load(g);
      const gg = v128.load(g + gate);
      const go = v128.load(g + 2 * gate);
      const d = v128.load(dh);
      const tc = tanh4(v128.load(cNow));
      const dcNow = f32x4.add(
        v128.load(dc),
        f32x4.mul(f32x4.mul(d, go), f32x4.sub(one, f32x4.mul(tc, tc))),
      );
      const rest = f32x4.sub(one, gi);
      const apart = f32x4.sub(gg, v128.load(cBefore));
      v128.store(dA, f32x4.mul(f32x4.mul(dcNow, apart), f32x4.mul(gi, rest)));
      v128.store(dA + gate, f32x4.mul(f32x4.mul(dcNow, gi), f32x4.sub(one, f32x4.mul(gg, gg))));
      v128.store(dA + 2 * gate, f32x4.mul(f32x4.mul(d, tc), f32x4.mul(go, f32x4.sub(one, go))));
      v128.store(dc, f32x4.mul(dcNow, rest));
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

/** Gates (n without h, z, r, n of h alone). */
export function gruForward(rows: i32, H4: i32, a: usize, hBefore: usize, g: usize, h: usize): void {
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

/** direct: what reaches h of the step before past all matrices. It may be dh. */
export function gruBackward(rows: i32, H4: i32, dh: usize, g: usize, hBefore: usize, dA: usize, direct: usize): void {
  const gate = <usize>H4 << 4;
  const one = f32x4.splat(1.0);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < H4; j++) {
      const n = v128.load(g);
      const z = v128.load(g + gate);
      const reset = v128.load(g + 2 * gate);
      const nh = v128.load(g + 3 * gate);
      const d = v128.load(dh);
      const da0 = f32x4.mul(f32x4.mul(d, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)));
      v128.store(dA, da0);
      v128.store(
        dA + gate,
        f32x4.mul(f32x4.mul(d, f32x4.sub(v128.load(hBefore), n)), f32x4.mul(z, f32x4.sub(one, z))),
      );
      v128.store(dA + 2 * gate, f32x4.mul(f32x4.mul(da0, nh), f32x4.mul(reset, f32x4.sub(one, reset))));
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
