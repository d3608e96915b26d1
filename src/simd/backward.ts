import { memoryKind } from '../base/memories.ts';
import type { Block } from '../layout/layout.ts';
import { CELL_KERNELS } from './cells.ts';
import type { Workspace } from './workspace.ts';

/**
 * The backward pass over a group of sequences (groups.ts), after its forward pass: first the outputs of all steps, then
 * the loop over time, then the weight gradients as large products over all rows.
 */
export class BackwardPass {
  readonly #ws: Workspace;
  #into = 0;

  constructor(workspace: Workspace) {
    this.#ws = workspace;
  }

  /**
   * Adds the gradients of the group's objective with respect to all parameters to the array at the address `gradient`,
   * which is packed like the parameters.
   */
  run(gradient: number): void {
    this.#into = gradient;
    const { spec, layers, E, H4, S4, gates } = this.#ws.layout;
    const { clear } = this.#ws.arena.kernels;
    const { rows, order, T } = this.#ws.group;
    const G = order.length;
    this.#outputsBackward();
    if (E) {
      clear(this.#ws.at.dS, rows * 16 * S4);
      clear(this.#ws.at.dStrength, 4 * G * spec.memories * this.#ws.storage(T).dStrength);
    }
    layers.forEach((_, l) => {
      clear(this.#ws.at[`dC${l}`], G * 16 * H4);
      if (gates.direct) clear(this.#ws.at[`dD${l}`], G * 16 * H4);
    });
    for (let t = T - 1; t >= 0; t--) {
      this.#headsBackward(t);
      for (let l = layers.length - 1; l >= 0; l--) this.#cellBackward(l, t);
    }
    layers.forEach(({ Wh, h0, c0 }, l) => {
      if (!h0) return;
      const dH = this.#ws.at[`dH${l}`];
      clear(dH, G * 16 * H4);
      const from = this.#ws.row(`dA${l}`, 0) + gates.hFrom * 16 * H4;
      if (Wh) this.#ws.transposed(from, this.#ws.ld(`dA${l}`), G, Wh, dH, 16 * H4);
      if (gates.direct) this.#ws.arena.kernels.add(G * H4, this.#ws.at[`dD${l}`], dH);
      this.#bias(h0, dH, 16 * H4, G);
      if (c0) this.#bias(c0, this.#ws.at[`dC${l}`], 16 * H4, G);
    });
    this.#weightGradients();
  }

  /** Backward pass from the outputs of all steps to o', and to h through the auto-encoder. */
  #outputsBackward(): void {
    const { spec, blocks, P4, O4, V4, D4, H4 } = this.#ws.layout;
    const { clear, tanhBackward } = this.#ws.arena.kernels;
    const { rows } = this.#ws.group;
    const { dOp, dQ, dY, o, dXh, dXp, dHx } = this.#ws.at;
    clear(dOp, rows * 16 * P4);
    if (spec.readout) {
      clear(dQ, rows * 16 * O4);
      this.#ws.transposed(dY, 16 * V4, rows, blocks.Ws, dQ, 16 * O4);
      tanhBackward(rows * O4, dQ, o, dQ);
      this.#ws.transposed(dQ, 16 * O4, rows, blocks.Wo, dOp, 16 * P4);
    } else {
      this.#ws.transposed(dY, 16 * V4, rows, blocks.Wo, dOp, 16 * P4);
    }
    if (!spec.autoencoder) return;
    this.#ws.transposed(dXp, 16 * D4, rows, blocks.Wpx, dOp, 16 * P4);
    clear(dHx, rows * 16 * H4);
    this.#ws.transposed(dXh, 16 * D4, rows, blocks.Whx, dHx, 16 * H4);
  }

  /**
   * Backward pass through memories and heads of time step t. Leaves the gradient of the top layer's h in 'dh', without
   * the part from step t+1.
   */
  #headsBackward(t: number): void {
    const { spec, blocks, layers, E, H4, P4, S4, N4, R4 } = this.#ws.layout;
    const { clear, copy, add, stepBackward, headsBackward, headsSoftmaxBackward, tanhBackward } =
      this.#ws.arena.kernels;
    const { active } = this.#ws.group;
    const n = active[t];
    const dOp = this.#ws.row('dOp', t);
    if (E) {
      const { dR, slots, undoLog, dStrength } = this.#ws.at;
      clear(dR, n * 16 * R4);
      const later = active[t + 1] ?? 0;
      layers.forEach(({ Wr }, l) => {
        if (later)
          this.#ws.transposed(this.#ws.row(`dA${l}`, t + 1), this.#ws.ld(`dA${l}`), later, Wr!, dR, 16 * R4);
      });
      const [s, dS] = [this.#ws.row('s', t), this.#ws.row('dS', t)];
      const { s: all, dS: dAll } = this.#ws.at;
      const lds = 16 * S4;
      stepBackward(
        n,
        t,
        spec.memories,
        s,
        dS,
        lds,
        16 * N4,
        all,
        dAll,
        dR,
        16 * R4,
        slots,
        undoLog,
        dStrength,
      );
      if (memoryKind(spec.memory).activation === 'softmax') headsSoftmaxBackward(n, N4, S4, s, dS);
      else headsBackward(n, N4, S4, s, dS);
      this.#ws.transposed(dS, 16 * S4, n, blocks.S, dOp, 16 * P4);
    }
    const dh = this.#ws.at.dh;
    if (spec.projection) {
      const dP = this.#ws.row('dP', t);
      tanhBackward(n * P4, dOp, this.#ws.row('op', t), dP);
      clear(dh, n * 16 * H4);
      this.#ws.transposed(dP, 16 * P4, n, blocks.Whp, dh, 16 * H4);
    } else copy(dh, dOp, n * 16 * H4);
    if (spec.autoencoder) add(n * H4, this.#ws.row('dHx', t), dh);
  }

  /**
   * 'dh' of layer l, to which this adds the part from step t+1 -> dA. Leaves the gradient of h of the layer below in
   * 'dh', again without the part from step t+1.
   */
  #cellBackward(l: number, t: number): void {
    const { spec, layers, gates, H4 } = this.#ws.layout;
    const { clear, add } = this.#ws.arena.kernels;
    const { Wy, Wh } = layers[l];
    const n = this.#ws.group.active[t];
    const later = this.#ws.group.active[t + 1] ?? 0;
    const { dh } = this.#ws.at;
    const [name, ld] = [`dA${l}`, this.#ws.ld(`dA${l}`)];
    const dA = this.#ws.row(name, t);
    if (Wh && later)
      this.#ws.transposed(this.#ws.row(name, t + 1) + gates.hFrom * 16 * H4, ld, later, Wh, dh, 16 * H4);
    const [dC, dD] = [this.#ws.at[`dC${l}`], this.#ws.at[`dD${l}`]];
    if (gates.direct && later) add(later * H4, dD, dh);
    const { backward } = CELL_KERNELS[spec.controller];
    const [h, c] = [this.#ws.row(`h${l}`, t), this.#ws.row(`c${l}`, t)];
    const [hBefore, cBefore] = [this.#ws.before(`h${l}`, t), this.#ws.before(`c${l}`, t)];
    const g = this.#ws.row(`g${l}`, t);
    backward(this.#ws.arena.kernels)(n, H4, dh, dC, dD, g, h, hBefore, c, cBefore, dA);
    if (!Wy) return;
    const below = this.#ws.at['dh below'];
    clear(below, n * 16 * H4);
    this.#ws.transposed(dA, ld, n, Wy, below, 16 * H4);
    this.#ws.at.dh = below;
    this.#ws.at['dh below'] = dh;
  }

  /** The address of a block's gradient. */
  #gradient(block: Block): number {
    return this.#into + 16 * block.offset4;
  }

  /** db += Σ of the rows of dy. */
  #bias(b: Block, dy: number, ldy: number, rows: number): void {
    this.#ws.arena.kernels.sumRows(rows, dy, ldy, b.ld4, this.#gradient(b));
  }

  /** dW += xᵀ · dy over `rows` rows of x and dy. */
  #outer(W: Block, x: number, ldx: number, dy: number, ldy: number, rows: number): void {
    const to = this.#gradient(W);
    this.#ws.arena.kernels.outer(x, ldx, W.rows, rows, dy, ldy, W.ld4, to, 16 * W.ld4, this.#ws.at.scratch);
  }

  /**
   * dW += xᵀ · dy, where x is the state before each step, and dy starts `from` bytes into each row of dName. The rows
   * of x are contiguous until a sequence ends.
   */
  #outerBefore(W: Block, name: string, dName: string, from: number): void {
    const { active, first, T, rows } = this.#ws.group;
    const [ldx, ldy] = [this.#ws.ld(name), this.#ws.ld(dName)];
    for (let t = 0; t < T; ) {
      let end = t + 1;
      // The states before step `end` directly follow those before step `end − 1`, unless a sequence ended after step
      // `end − 2`.
      while (end < T && (end === 1 || active[end - 1] === active[end - 2])) end++;
      const count = (end < T ? first[end] : rows) - first[t];
      this.#outer(W, this.#ws.before(name, t), ldx, this.#ws.row(dName, t) + from, ldy, count);
      t = end;
    }
  }

  #weightGradients(): void {
    const { spec, layers, blocks, gates, E, H4 } = this.#ws.layout;
    const { rows } = this.#ws.group;
    const top = `h${layers.length - 1}`;
    const op = this.#ws.op(0);
    layers.forEach(({ Wx, Wy, Wh, Wr, b }, l) => {
      const name = `dA${l}`;
      const [dA, ld] = [this.#ws.at[name], this.#ws.ld(name)];
      const dWx = this.#gradient(Wx);
      this.#ws.arena.kernels.scatter(this.#ws.at.ids, this.#ws.K, rows, dA, ld, Wx.ld4, dWx, 16 * Wx.ld4);
      this.#bias(b, dA, ld, rows);
      if (Wy) this.#outer(Wy, this.#ws.row(`h${l - 1}`, 0), 16 * H4, dA, ld, rows);
      if (Wh) this.#outerBefore(Wh, `h${l}`, name, gates.hFrom * 16 * H4);
      if (Wr) this.#outerBefore(Wr, 'r', name, 0);
    });
    const all = (W: Block, b: Block | undefined, x: { at: number; ld: number }, dy: string): void => {
      this.#outer(W, x.at, x.ld, this.#ws.at[dy], this.#ws.ld(dy), rows);
      if (b) this.#bias(b, this.#ws.at[dy], this.#ws.ld(dy), rows);
    };
    const h = { at: this.#ws.row(top, 0), ld: this.#ws.ld(top) };
    if (E) all(blocks.S, blocks.bS, op, 'dS');
    all(blocks.Wo, blocks.bo, op, spec.readout ? 'dQ' : 'dY');
    if (spec.readout) all(blocks.Ws, blocks.bs, { at: this.#ws.at.o, ld: this.#ws.ld('o') }, 'dY');
    if (spec.projection) all(blocks.Whp, blocks.bp, h, 'dP');
    if (!spec.autoencoder) return;
    all(blocks.Whx, undefined, h, 'dXh');
    all(blocks.Wpx, undefined, op, 'dXp');
  }
}
