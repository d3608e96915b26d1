import { describe, expect, it } from 'vitest';
import { NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import type { Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import type { LayerInputGradients, LayerInputs } from '../../src/reference/cell.ts';
import { project, projectBackward } from '../../src/reference/controller.ts';
import { coupledLstm, coupledLstmBackward } from '../../src/reference/coupled-lstm.ts';
import { gru, gruBackward } from '../../src/reference/gru.ts';
import { heads, headsBackward } from '../../src/reference/heads.ts';
import { linear, linearBackward, type Weights } from '../../src/reference/linear.ts';
import { outputLoss, outputLossBackward } from '../../src/reference/loss.ts';
import { lstm, lstmBackward } from '../../src/reference/lstm.ts';
import { output, outputBackward } from '../../src/reference/output.ts';
import { rnn, rnnBackward } from '../../src/reference/rnn.ts';
import { makeSpec } from '../support/batches.ts';
import { expectGradients } from '../support/differences.ts';
import { uniforms } from '../support/margins.ts';

const [D, H, M, P] = [6, 5, 3, 4];

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Random tensors of these lengths, and zeros of the same shape for their gradients. */
function tensors(lengths: Record<string, number>): { at: Tensors; w: Weights; dw: Weights } {
  const rng = new Rng(1, 102);
  const at: Tensors = new Map(Object.entries(lengths).map(([name, n]) => [name, uniforms(rng, n, -1, 1)]));
  const dw: Weights = {};
  for (const [name, x] of at) dw[name] = new Float64Array(x.length);
  return { at, w: Object.fromEntries(at), dw };
}

const mapOf = (dw: Weights): Tensors => new Map(Object.entries(dw));

describe('cells', () => {
  /** Input ids with an unused slot and a repeated input. */
  const ids = Uint32Array.of(4, NO_INPUT, 1, 4);
  const dh = uniforms(new Rng(2, 102), H, -1, 1);
  const dc = uniforms(new Rng(3, 102), H, -1, 1);

  // x is one-hot in the first layer, or embedded; a higher layer also
  // has the output y of the layer below. Without a memory there is no r.
  const INPUTS = {
    'one-hot inputs and reads': { X: 0, Y: 0, R: M },
    'embedded inputs, reads, and a layer below': { X: 4, Y: H, R: M },
    'inputs only': { X: 0, Y: 0, R: 0 },
  };

  describe.each(Object.entries(INPUTS))('gradients with %s', (_, { X, Y, R }) => {
    const cell = (G: number, recurrent = true, withC = G === 4) => {
      const { at, w, dw } = tensors({
        W_xh: (X || D) * G * H,
        W_rh: R * G * H,
        b_h: G * H,
        r: R,
        ...(recurrent && { W_hh: H * G * H, h: H }),
        ...(X && { x: X }),
        ...(Y && { W_yh: H * G * H, y: Y }),
        ...(withC && { c: H }),
      });
      const empty = new Float64Array(0);
      const inputs: LayerInputs = { x: { ids, ...(X && { embedded: w.x }) }, y: w.y ?? empty, r: w.r };
      const into: LayerInputGradients = { dx: dw.x ?? empty, dy: dw.y ?? empty, dr: dw.r };
      return { at, w, dw, inputs, into };
    };

    it('rnn', () => {
      const { at, w, dw, inputs, into } = cell(1);
      dw.h = rnnBackward(w, inputs, w.h, rnn(w, inputs, w.h), dh, into, dw);
      expectGradients(() => dot(rnn(w, inputs, w.h), dh), at, mapOf(dw));
    });

    it('feedforward: an rnn without h', () => {
      const { at, w, dw, inputs, into } = cell(1, false);
      const none = new Float64Array(0);
      expect(rnnBackward(w, inputs, none, rnn(w, inputs, none), dh, into, dw)).toHaveLength(0);
      expectGradients(() => dot(rnn(w, inputs, none), dh), at, mapOf(dw));
    });

    it('lstm', () => {
      const { at, w, dw, inputs, into } = cell(4);
      const back = lstmBackward(w, inputs, w.h, w.c, lstm(w, inputs, w.h, w.c), { dh, dc }, into, dw);
      dw.h = back.dh;
      dw.c = back.dc;
      const f = () => {
        const { h, c } = lstm(w, inputs, w.h, w.c);
        return dot(h, dh) + dot(c, dc);
      };
      expectGradients(f, at, mapOf(dw));
    });

    it('lstm-coupled', () => {
      const { at, w, dw, inputs, into } = cell(3, true, true);
      const forward = coupledLstm(w, inputs, w.h, w.c);
      const back = coupledLstmBackward(w, inputs, w.h, w.c, forward, { dh, dc }, into, dw);
      dw.h = back.dh;
      dw.c = back.dc;
      const f = () => {
        const { h, c } = coupledLstm(w, inputs, w.h, w.c);
        return dot(h, dh) + dot(c, dc);
      };
      expectGradients(f, at, mapOf(dw));
    });

    it('gru', () => {
      const { at, w, dw, inputs, into } = cell(3);
      dw.h = gruBackward(w, inputs, w.h, gru(w, inputs, w.h), dh, into, dw);
      expectGradients(() => dot(gru(w, inputs, w.h).h, dh), at, mapOf(dw));
    });
  });

  describe('equations by hand for H = 1, with all weights 0 except biases and W_hh', () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const inputs: LayerInputs = {
      x: { ids: Uint32Array.of(NO_INPUT) },
      y: new Float64Array(0),
      r: new Float64Array(0),
    };
    const [h, c] = [0.5, -2];

    it('lstm-coupled: blocks i, g, o', () => {
      const w = { b_h: Float64Array.of(1, 3, 4), W_hh: Float64Array.of(0.1, 0.3, 0.4) };
      const state = coupledLstm(w, inputs, Float64Array.of(h), Float64Array.of(c));
      const next = (1 - sigmoid(1.05)) * c + sigmoid(1.05) * Math.tanh(3.15);
      expect(state.c[0]).toBeCloseTo(next, 14);
      expect(state.h[0]).toBeCloseTo(sigmoid(4.2) * Math.tanh(next), 14);
    });

    it('lstm: blocks i, f, g, o', () => {
      const w = { b_h: Float64Array.of(1, 2, 3, 4), W_hh: Float64Array.of(0.1, 0.2, 0.3, 0.4) };
      const state = lstm(w, inputs, Float64Array.of(h), Float64Array.of(c));
      const next = sigmoid(2.1) * c + sigmoid(1.05) * Math.tanh(3.15);
      expect(state.c[0]).toBeCloseTo(next, 14);
      expect(state.h[0]).toBeCloseTo(sigmoid(4.2) * Math.tanh(next), 14);
    });

    it('gru: blocks z, r, n; the bias of n is not multiplied by r', () => {
      const w = { b_h: Float64Array.of(1, 2, 3), W_hh: Float64Array.of(0.1, 0.2, 0.3) };
      const state = gru(w, inputs, Float64Array.of(h));
      const n = Math.tanh(3 + sigmoid(2.1) * 0.15);
      const z = sigmoid(1.05);
      expect(state.h[0]).toBeCloseTo((1 - z) * n + z * h, 14);
    });
  });
});

describe('gradients of layers', () => {
  it('linear', () => {
    const { at, w, dw } = tensors({ x: H, W: H * P, b: P });
    const dy = uniforms(new Rng(2, 102), P, -1, 1);
    linearBackward(w.x, w.W, dy, dw.x, dw.W, dw.b);
    expectGradients(() => dot(linear(w.x, w.W, w.b), dy), at, mapOf(dw));
  });

  it('projection', () => {
    const { at, w, dw } = tensors({ W_hp: H * P, b_p: P, h: H });
    const dop = uniforms(new Rng(2, 102), P, -1, 1);
    projectBackward(w, w.h, project(w, w.h), dop, dw.h, dw);
    expectGradients(() => dot(project(w, w.h), dop), at, mapOf(dw));
  });

  it.each(
    (['sigmoid', 'softmax'] as const).flatMap(activation => [1, 2, 6].map(E => [activation, E] as const)),
  )('%s heads for %i ends, with noise', (activation, E) => {
    const sizes = { W_d: P * E, b_d: E, W_u: P * E, b_u: E, W_v: P * E * M, b_v: E * M, op: P };
    const { at, w, dw } = tensors(sizes);
    const rng = new Rng(2, 102);
    const noise = uniforms(rng, 2 * E, -2, 2);
    const kind = { symbols: ['d', 'u'], activation };
    const arriving = {
      controls: kind.symbols.map(() => uniforms(rng, E, -1, 1)),
      v: uniforms(rng, E * M, -1, 1),
    };
    headsBackward(w, w.op, kind, heads(w, w.op, kind, noise), arriving, dw.op, dw);
    const f = () => {
      const { controls, v } = heads(w, w.op, kind, noise);
      return controls.reduce((sum, x, c) => sum + dot(x, arriving.controls[c]), dot(v, arriving.v));
    };
    expectGradients(f, at, mapOf(dw));
  });

  it.each([
    ['softmax', 0],
    ['softmax', 3],
    ['tanh', 3],
  ] as const)('output %s with a readout of %i', (kind, readout) => {
    const V = 4;
    const spec = makeSpec({ output: kind, readout, outputs: V });
    const { at, w, dw } = tensors({
      op: P,
      W_o: P * (readout || V),
      b_o: readout || V,
      ...(readout && { W_s: readout * V, b_s: V }),
    });
    outputBackward(spec, w, w.op, output(spec, w, w.op, 2), 2, 0.75, dw.op, dw);
    expectGradients(() => 0.75 * output(spec, w, w.op, 2).loss, at, mapOf(dw));
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
  it('stays finite, and gives the loss when the probability underflows', () => {
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
