import { describe, expect, it } from 'vitest';
import { NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import type { Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { heads, headsBackward } from '../../src/reference/heads.ts';
import { linear, linearBackward, type Weights } from '../../src/reference/linear.ts';
import { outputLoss, outputLossBackward } from '../../src/reference/loss.ts';
import { deeper, deeperBackward, rnn, rnnBackward } from '../../src/reference/rnn.ts';
import { expectGradients } from '../support/differences.ts';
import { uniforms } from '../support/margins.ts';

const [D, H, M, P] = [6, 5, 3, 4];

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Random tensors of these lengths, and zeros of the same form for their gradients. */
function tensors(lengths: Record<string, number>): { at: Tensors; w: Weights; dw: Weights } {
  const rng = new Rng(1, 102);
  const at: Tensors = new Map(Object.entries(lengths).map(([name, n]) => [name, uniforms(rng, n, -1, 1)]));
  const dw: Weights = {};
  for (const [name, x] of at) dw[name] = new Float64Array(x.length);
  return { at, w: Object.fromEntries(at), dw };
}

const added = (dw: Weights): Tensors => new Map(Object.entries(dw));

describe('layers', () => {
  it('linear', () => {
    const { at, w, dw } = tensors({ x: H, W: H * P, b: P });
    const dy = uniforms(new Rng(2, 102), P, -1, 1);
    linearBackward(w.x, w.W, dy, dw.x, dw.W, dw.b);
    expectGradients(() => dot(linear(w.x, w.W, w.b), dy), at, added(dw));
  });

  it('rnn, with an unused place and a repeated input', () => {
    const { at, w, dw } = tensors({ W_xh: D * H, W_hh: H * H, W_rh: M * H, b_h: H, h: H, r: M });
    const ids = Uint32Array.of(4, NO_INPUT, 1, 4);
    const dh = uniforms(new Rng(2, 102), H, -1, 1);
    const made = rnnBackward(w, ids, w.h, w.r, rnn(w, ids, w.h, w.r), dh, dw);
    dw.h = made.dh;
    dw.r = made.dr;
    expectGradients(() => dot(rnn(w, ids, w.h, w.r), dh), at, added(dw));
  });

  it('deeper', () => {
    const { at, w, dw } = tensors({ W_hp: H * P, b_p: P, h: H });
    const dop = uniforms(new Rng(2, 102), P, -1, 1);
    deeperBackward(w, w.h, deeper(w, w.h), dop, dw.h, dw);
    expectGradients(() => dot(deeper(w, w.h), dop), at, added(dw));
  });

  it('heads, with noise', () => {
    const { at, w, dw } = tensors({ W_d: P, b_d: 1, W_u: P, b_u: 1, W_v: P * M, b_v: M, op: P });
    const noise = [0.7, -1.3] as const;
    const [dd, du] = [0.8, -0.6];
    const dv = uniforms(new Rng(2, 102), M, -1, 1);
    headsBackward(w, w.op, heads(w, w.op, noise), dd, du, dv, dw.op, dw);
    const f = () => {
      const { d, u, v } = heads(w, w.op, noise);
      return dd * d + du * u + dot(v, dv);
    };
    expectGradients(f, at, added(dw));
  });

  it.each([
    ['softmax', 2],
    ['tanh', 2],
    ['sigmoid', 0],
    ['tanh', ZERO_TARGET],
    ['sigmoid', ZERO_TARGET],
  ] as const)('loss: %s, target %i', (kind, target) => {
    const { at, w } = tensors({ a: 4 });
    const da = outputLossBackward(kind, outputLoss(kind, w.a, target).output, target);
    expectGradients(() => outputLoss(kind, w.a, target).loss, at, new Map([['a', da]]));
  });
});

describe('softmax with large logits', () => {
  it('stays finite, and gives the loss where the probability underflows', () => {
    const a = Float64Array.of(1000, 0, -1000);
    const { output, loss } = outputLoss('softmax', a, 2);
    expect([...output]).toEqual([1, 0, 0]);
    expect(loss).toBe(2000);
    expect([...outputLossBackward('softmax', output, 2)]).toEqual([1, 0, -1]);
  });
  it('refuses the zero vector as a target', () => {
    expect(() => outputLoss('softmax', Float64Array.of(0, 0), ZERO_TARGET)).toThrow('set model.output');
  });
});
