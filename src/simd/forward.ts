import { memoryKind } from '../base/memories.ts';
import type { Block, Layer } from '../layout/layout.ts';
import { CELL_KERNELS } from './cells.ts';
import type { Workspace } from './workspace.ts';

/**
 * The forward pass over a group of sequences (groups.ts). The loop over time contains only what the next step needs.
 * The contributions of biases and inputs to each step are computed before it; the outputs of all steps are computed
 * after it, by large products.
 */
export class ForwardPass {
  readonly #ws: Workspace;

  constructor(workspace: Workspace) {
    this.#ws = workspace;
  }

  run(): void {
    const { layers, E } = this.#ws.layout;
    for (const [l, layer] of layers.entries()) this.#startForward(layer, l);
    if (E) this.#startReads();
    for (const [l, layer] of layers.entries()) this.#inputsForward(layer, l);
    for (let t = 0; t < this.#ws.group.T; t++) {
      for (const [l, layer] of layers.entries()) this.#cellForward(layer, l, t);
      this.#headsForward(t);
    }
    this.#outputsForward();
  }

  /** Fills the starting state: h and c before the first step. */
  #startForward({ h0, c0 }: Layer, l: number): void {
    const { spec, states, H4 } = this.#ws.layout;
    const G = this.#ws.group.order.length;
    const { fillRows, clear } = this.#ws.arena.kernels;
    const fill = (name: string, from: Block | undefined): void => {
      if (from) fillRows(G, this.#ws.parameters(from), this.#ws.at[name], 16 * H4, H4);
      else clear(this.#ws.at[name], G * 16 * H4);
    };
    const first = { h: h0, c: c0 };
    for (const state of states) fill(`${state}${l}`, first[state]);
    if (spec.start === 'one-hot' && l === 0) this.#oneHot(`h${l}`, H4);
  }

  #startReads(): void {
    const { spec, R4 } = this.#ws.layout;
    this.#ws.arena.kernels.clear(this.#ws.at.r, this.#ws.group.order.length * 16 * R4);
    if (spec.start === 'one-hot') this.#oneHot('r', R4);
  }

  #oneHot(name: string, width4: number): void {
    const G = this.#ws.group.order.length;
    const rows = this.#ws.arena.floats(this.#ws.at[name], G * 4 * width4);
    for (let b = 0; b < G; b++) rows[b * 4 * width4] = 1;
  }

  /**
   * Computes the contributions of biases and inputs to all steps. Stores their sum in dA, which holds the
   * pre-activations a during the forward pass; the backward pass overwrites it with their gradients.
   */
  #inputsForward({ Wx, b }: Layer, l: number): void {
    const { gates } = this.#ws.layout;
    const { gather, clear } = this.#ws.arena.kernels;
    const a = this.#ws.at[`dA${l}`];
    const ld = this.#ws.ld(`dA${l}`);
    const { rows } = this.#ws.group;
    // gather() does not write the blocks that only h feeds.
    if (gates.all > gates.x) clear(a, rows * ld);
    gather(
      this.#ws.at.ids,
      this.#ws.K,
      rows,
      this.#ws.parameters(Wx),
      16 * Wx.ld4,
      this.#ws.parameters(b),
      a,
      ld,
      Wx.ld4,
    );
  }

  #cellForward({ Wy, Wh, Wr }: Layer, l: number, t: number): void {
    const { spec, gates, H4 } = this.#ws.layout;
    const n = this.#ws.group.active[t];
    const a = this.#ws.row(`dA${l}`, t);
    const ld = this.#ws.ld(`dA${l}`);
    const [h, hBefore] = [this.#ws.row(`h${l}`, t), this.#ws.before(`h${l}`, t)];
    if (Wy) this.#ws.product(this.#ws.row(`h${l - 1}`, t), 16 * H4, n, Wy, a, ld);
    if (Wh) this.#ws.product(hBefore, 16 * H4, n, Wh, a + gates.hFrom * 16 * H4, ld);
    if (Wr) this.#ws.product(this.#ws.before('r', t), this.#ws.ld('r'), n, Wr, a, ld);
    const { forward } = CELL_KERNELS[spec.controller];
    const cBefore = this.#ws.before(`c${l}`, t);
    const [g, c] = [this.#ws.row(`g${l}`, t), this.#ws.row(`c${l}`, t)];
    forward(this.#ws.arena.kernels)(n, H4, a, hBefore, cBefore, g, h, c);
  }

  #headsForward(t: number): void {
    const { spec, blocks, layers, C, E, H4, P4, S4, N4, R4 } = this.#ws.layout;
    const { fillRows, tanhOf, headsForward, headsSoftmax, stepForward } = this.#ws.arena.kernels;
    const n = this.#ws.group.active[t];
    if (spec.projection) {
      const op = this.#ws.row('op', t);
      fillRows(n, this.#ws.parameters(blocks.bp), op, 16 * P4, P4);
      this.#ws.product(this.#ws.row(`h${layers.length - 1}`, t), 16 * H4, n, blocks.Whp, op, 16 * P4);
      tanhOf(op, n * P4);
    }
    if (!E) return;
    const s = this.#ws.row('s', t);
    const { at, ld } = this.#ws.op(t);
    fillRows(n, this.#ws.parameters(blocks.bS), s, 16 * S4, S4);
    this.#ws.product(at, ld, n, blocks.S, s, 16 * S4);
    const lastWidth = ((C * E - 1) % 4) + 1; // controls in the last vec4
    const noise = this.#ws.noisy ? this.#ws.at.noise + this.#ws.group.first[t] * 16 * (S4 - N4) : 0;
    if (memoryKind(spec.memory).activation === 'softmax') headsSoftmax(n, N4, S4, C, s, noise);
    else headsForward(n, N4, S4, lastWidth, s, noise);
    const { slots, undoLog } = this.#ws.at;
    const reads = this.#ws.row('r', t);
    stepForward(n, t, spec.memories, s, 16 * S4, 16 * N4, this.#ws.at.s, reads, 16 * R4, slots, undoLog);
  }

  /** Outputs and losses of all steps, and the gradients of the pre-activations of the outputs. */
  #outputsForward(): void {
    const { spec, blocks, layers, O4, V4, D4, H4 } = this.#ws.layout;
    const { fillRows, tanhOf, clear, softmaxRows, squaredRows, reconstructionRows } = this.#ws.arena.kernels;
    const { rows } = this.#ws.group;
    const { at, ld } = this.#ws.op(0);
    const { y, o, dY, targets, weights, rowMetrics, autoencoderLoss, ids, previous } = this.#ws.at;
    if (spec.readout) {
      fillRows(rows, this.#ws.parameters(blocks.bo), o, 16 * O4, O4);
      this.#ws.product(at, ld, rows, blocks.Wo, o, 16 * O4);
      tanhOf(o, rows * O4);
      fillRows(rows, this.#ws.parameters(blocks.bs), y, 16 * V4, V4);
      this.#ws.product(o, 16 * O4, rows, blocks.Ws, y, 16 * V4);
    } else {
      fillRows(rows, this.#ws.parameters(blocks.bo), y, 16 * V4, V4);
      this.#ws.product(at, ld, rows, blocks.Wo, y, 16 * V4);
    }
    const V = spec.outputs;
    if (spec.output === 'softmax') softmaxRows(rows, V, y, dY, targets, weights, rowMetrics);
    else squaredRows(rows, V, spec.output === 'tanh', y, dY, targets, weights, rowMetrics);
    if (!spec.autoencoder) return;
    clear(autoencoderLoss, 4 * rows);
    const reconstruct = (x: number, ldx: number, W: Block, to: number, dTo: number): void => {
      clear(to, rows * 16 * D4);
      this.#ws.product(x, ldx, rows, W, to, 16 * D4);
      reconstructionRows(rows, spec.inputs, to, dTo, ids, this.#ws.K, previous, weights, autoencoderLoss);
    };
    reconstruct(
      this.#ws.row(`h${layers.length - 1}`, 0),
      16 * H4,
      blocks.Whx,
      this.#ws.at.xh,
      this.#ws.at.dXh,
    );
    reconstruct(at, ld, blocks.Wpx, this.#ws.at.xp, this.#ws.at.dXp);
  }
}
