import { type Batch, NO_INPUT } from '../base/dims.ts';
import { endsOf } from '../base/parameters.ts';
import type { Block, Layer, Layout } from '../layout/layout.ts';
import type { Group } from './groups.ts';
import { groupSize } from './groups.ts';
import { type Arena, KIND } from './module.ts';
import type { Weights } from './weights.ts';

const NONE: Group = { order: [], lengths: [], T: 0, active: [], first: [], rows: 0 };

/** Arrays of a group beside its tensors; all of 4 bytes a number. */
const ARRAYS = ['ids', 'targets', 'weights', 'previous', 'noise', 'outcomes', 'recalled'] as const;

/**
 * The forward and the backward pass of a model over one group of sequences. Rows are ragged: those of time step t are its
 * `active` sequences, the longest first, behind those of the steps before; h, c and r have a starting row for every
 * sequence before them. What does not depend on time is hoisted out of the loop over it, as large products.
 */
export class Passes {
  readonly #arena: Arena;
  readonly #layout: Layout;
  readonly #weights: Weights;
  /** Bytes of a row of each tensor, and whether it begins with rows of a starting state. */
  readonly #forms: ReadonlyMap<string, { ld: number; starts: boolean }>;
  /** Of the arena, before the first group. */
  readonly #base: number;
  #capacity = { G: 0, T: 0, K: 0 };
  /** Addresses of tensors, by their names, and of arrays. */
  #at: Record<string, number> = {};
  #group: Group = NONE;
  #K = 0;
  #noisy = false;

  constructor(arena: Arena, layout: Layout, weights: Weights) {
    this.#arena = arena;
    this.#layout = layout;
    this.#weights = weights;
    this.#base = arena.used;
    this.#forms = new Map(
      layout.tensors.map(({ name, width4, rows }) => [
        name,
        { ld: 16 * width4, starts: rows === 'steps and start' },
      ]),
    );
  }

  /** Makes room for batches of up to B sequences of T steps with K inputs. */
  reserve(B: number, T: number, K: number): void {
    const held = this.#capacity;
    const [G, most, inputs] = [Math.max(groupSize(B), held.G), Math.max(T, held.T), Math.max(K, held.K)];
    if (G === held.G && most === held.T && inputs === held.K) return;
    this.#arena.release(this.#base);
    const { spec, tensors, H4, S4, R4 } = this.#layout;
    const rows = G * most;
    const counts = { steps: rows, 'steps and start': rows + G, batch: G };
    const take = (name: string, bytes: number): void => {
      this.#at[name] = this.#arena.take(bytes);
    };
    for (const { name, width4, rows: kind } of tensors) take(name, 16 * width4 * counts[kind]);
    const sizes = { ids: inputs, noise: 4 * (S4 - R4), outcomes: 4 };
    for (const name of ARRAYS) take(name, 4 * rows * (sizes[name as keyof typeof sizes] ?? 1));
    const slots = G * spec.memories * endsOf(spec.memory) * most;
    take('table', 4 * most);
    take('slots', 8 * slots);
    take('undo', 16 * slots);
    take('dStrength', 4 * slots);
    for (const name of ['dh', 'dh below']) take(name, 16 * H4 * G);
    this.#capacity = { G, T: most, K: inputs };
  }

  /** Takes the sequences of a group out of a batch. There is room for it. */
  load(batch: Batch, group: Group): void {
    this.#group = group;
    const { B, K } = batch;
    const { E, S4, R4, spec } = this.#layout;
    this.#K = K;
    this.#noisy = batch.noise !== undefined;
    const arena = this.#arena;
    const ids = arena.words(this.#at.ids, group.rows * K);
    const targets = arena.words(this.#at.targets, group.rows);
    const previous = arena.words(this.#at.previous, group.rows);
    const weights = arena.floats(this.#at.weights, group.rows);
    const perRow = 4 * (S4 - R4);
    const noise = arena.floats(this.#at.noise, group.rows * perRow);
    for (let t = 0; t < group.T; t++) {
      for (let slot = 0; slot < group.active[t]; slot++) {
        const [row, n] = [group.first[t] + slot, t * B + group.order[slot]];
        for (let k = 0; k < K; k++) ids[row * K + k] = batch.ids[n * K + k];
        targets[row] = batch.target[n];
        weights[row] = batch.weight[group.order[slot]];
        previous[row] = t === 0 ? NO_INPUT : group.first[t - 1] + slot;
        if (batch.noise) {
          for (let e = 0; e < 2 * E; e++) noise[row * perRow + e] = batch.noise[n * 2 * E + e];
        }
      }
    }
    const table = arena.words(this.#at.table, group.T);
    for (let t = 0; t < group.T; t++) table[t] = group.first[t] * 16 * S4;
    if (spec.memory === 'none') return;
    const { M4 } = this.#layout;
    const slots = group.T * endsOf(spec.memory);
    arena.kernels.memoryShape(KIND[spec.memory], slots, 4 * M4, 16 * M4, this.#at.table);
  }

  // ---- what a pass has left ----------------------------------------------------------------------------------

  /** The rows of a tensor. @param skip 1: without those of the starting state */
  rows(name: string, skip: 0 | 1 = 0): Float32Array {
    const ld = this.#ld(name);
    const from = this.#at[name] + skip * this.#group.order.length * ld;
    return this.#arena.floats(from, (ld / 4) * this.#group.rows);
  }

  /** (loss, Σ|o − target|, argmax, 1 where it has a target) of every row. */
  outcomes(): Float32Array {
    return this.#arena.floats(this.#at.outcomes, 4 * this.#group.rows);
  }

  /** Losses of the auto-encoder, where there is one. */
  recalled(): Float32Array | undefined {
    return this.#layout.spec.autoencoder
      ? this.#arena.floats(this.#at.recalled, this.#group.rows)
      : undefined;
  }

  /** Slots and logs of the memories, for allStrengths(). */
  states(): [slots: Uint32Array, undo: Uint32Array] {
    const { spec } = this.#layout;
    const count = this.#group.order.length * spec.memories * endsOf(spec.memory) * this.#group.T;
    return [this.#arena.words(this.#at.slots, 2 * count), this.#arena.words(this.#at.undo, 4 * count)];
  }

  // ---- places --------------------------------------------------------------------------------------------------

  /** Bytes of a row. */
  #ld(name: string): number {
    return this.#forms.get(name)!.ld;
  }

  /** The first row of time step t; of h, c and r, of those after it. */
  #row(name: string, t: number): number {
    const { ld, starts } = this.#forms.get(name)!;
    return this.#at[name] + ((starts ? this.#group.order.length : 0) + this.#group.first[t]) * ld;
  }

  /** Of h, c and r: the first row of those before time step t. */
  #before(name: string, t: number): number {
    return t === 0 ? this.#at[name] : this.#row(name, t - 1);
  }

  /** y [rows] += x · W, or dx += dy · Wᵀ. */
  #product(x: number, ldx: number, rows: number, W: Block, y: number, ldy: number): void {
    const { forward } = this.#weights.panels(W);
    this.#arena.kernels.product(x, ldx, rows, W.rows, forward, y, ldy, W.ld4);
  }

  #transposed(dy: number, ldy: number, rows: number, W: Block, dx: number, ldx: number): void {
    const { transposed } = this.#weights.panels(W);
    this.#arena.kernels.product(dy, ldy, rows, 4 * W.ld4, transposed, dx, ldx, Math.ceil(W.rows / 4));
  }

  /** o' of time step t, or of all from it on: what the heads read from. */
  #op(t: number): { at: number; ld: number } {
    const { spec } = this.#layout;
    const name = spec.deeper ? 'op' : `h${spec.layers - 1}`;
    return { at: this.#row(name, t), ld: this.#ld(name) };
  }

  // ---- forward -------------------------------------------------------------------------------------------------

  forward(): void {
    const { layers, E } = this.#layout;
    for (const [l, layer] of layers.entries()) this.#startForward(layer, l);
    if (E) this.#startReads();
    for (const [l, layer] of layers.entries()) this.#inputsForward(layer, l);
    for (let t = 0; t < this.#group.T; t++) {
      for (const [l, layer] of layers.entries()) this.#cellForward(layer, l, t);
      this.#headsForward(t);
    }
    this.#outputsForward();
  }

  /** h and c before the first step. */
  #startForward({ h0, c0 }: Layer, l: number): void {
    const { spec, H4 } = this.#layout;
    const G = this.#group.order.length;
    const { fillRows, clear } = this.#arena.kernels;
    const fill = (name: string, from: Block | undefined): void => {
      if (from) fillRows(G, this.#weights.place(from), this.#at[name], 16 * H4, H4);
      else clear(this.#at[name], G * 16 * H4);
    };
    fill(`h${l}`, h0);
    if (spec.controller === 'lstm') fill(`c${l}`, c0);
    if (spec.start === 'one-hot' && l === 0) this.#oneHot('h0', H4);
  }

  #startReads(): void {
    const { spec, R4 } = this.#layout;
    this.#arena.kernels.clear(this.#at.r, this.#group.order.length * 16 * R4);
    if (spec.start === 'one-hot') this.#oneHot('r', R4);
  }

  #oneHot(name: string, width4: number): void {
    const G = this.#group.order.length;
    const rows = this.#arena.floats(this.#at[name], G * 4 * width4);
    for (let b = 0; b < G; b++) rows[b * 4 * width4] = 1;
  }

  /** Biases and inputs of all steps go into dA, which the backward pass writes over. */
  #inputsForward({ Wx, b }: Layer, l: number): void {
    const { gates } = this.#layout;
    const { gather, clear } = this.#arena.kernels;
    const a = this.#at[`dA${l}`];
    const ld = this.#ld(`dA${l}`);
    const { rows } = this.#group;
    if (gates.all > gates.x) clear(a, rows * ld);
    const weights = this.#weights;
    gather(this.#at.ids, this.#K, rows, weights.place(Wx), 16 * Wx.ld4, weights.place(b), a, ld, Wx.ld4);
  }

  #cellForward({ Wy, Wh, Wr }: Layer, l: number, t: number): void {
    const { spec, gates, H4 } = this.#layout;
    const { rnnForward, lstmForward, gruForward } = this.#arena.kernels;
    const n = this.#group.active[t];
    const a = this.#row(`dA${l}`, t);
    const ld = this.#ld(`dA${l}`);
    const [h, hBefore] = [this.#row(`h${l}`, t), this.#before(`h${l}`, t)];
    if (Wy) this.#product(this.#row(`h${l - 1}`, t), 16 * H4, n, Wy, a, ld);
    if (Wh) this.#product(hBefore, 16 * H4, n, Wh, a + gates.hFrom * 16 * H4, ld);
    if (Wr) this.#product(this.#before('r', t), this.#ld('r'), n, Wr, a, ld);
    if (spec.controller === 'lstm') {
      lstmForward(n, H4, a, this.#before(`c${l}`, t), this.#row(`g${l}`, t), h, this.#row(`c${l}`, t));
    } else if (spec.controller === 'gru') {
      gruForward(n, H4, a, hBefore, this.#row(`g${l}`, t), h);
    } else {
      rnnForward(n * H4, a, h);
    }
  }

  #headsForward(t: number): void {
    const { spec, blocks, layers, E, H4, P4, S4, R4 } = this.#layout;
    const { fillRows, tanhOf, headsForward, stepForward } = this.#arena.kernels;
    const n = this.#group.active[t];
    if (spec.deeper) {
      const op = this.#row('op', t);
      fillRows(n, this.#weights.place(blocks.bp), op, 16 * P4, P4);
      this.#product(this.#row(`h${layers.length - 1}`, t), 16 * H4, n, blocks.Whp, op, 16 * P4);
      tanhOf(op, n * P4);
    }
    if (!E) return;
    const s = this.#row('s', t);
    const { at, ld } = this.#op(t);
    fillRows(n, this.#weights.place(blocks.bS), s, 16 * S4, S4);
    this.#product(at, ld, n, blocks.S, s, 16 * S4);
    const noise = this.#noisy ? this.#at.noise + this.#group.first[t] * 16 * (S4 - R4) : 0;
    headsForward(n, R4, S4, E % 2 ? 2 : 4, s, noise);
    const { slots, undo } = this.#at;
    const reads = this.#row('r', t);
    stepForward(n, t, spec.memories, s, 16 * S4, 16 * R4, this.#at.s, reads, 16 * R4, slots, undo);
  }

  /** Outputs and losses of all steps, with the gradients of what goes into them. */
  #outputsForward(): void {
    const { spec, blocks, layers, O4, V4, D4, H4 } = this.#layout;
    const { fillRows, tanhOf, clear, softmaxRows, squaredRows, recallRows } = this.#arena.kernels;
    const { rows } = this.#group;
    const { at, ld } = this.#op(0);
    const { y, o, dY, targets, weights, outcomes, recalled, ids, previous } = this.#at;
    if (spec.readout) {
      fillRows(rows, this.#weights.place(blocks.bo), o, 16 * O4, O4);
      this.#product(at, ld, rows, blocks.Wo, o, 16 * O4);
      tanhOf(o, rows * O4);
      fillRows(rows, this.#weights.place(blocks.bs), y, 16 * V4, V4);
      this.#product(o, 16 * O4, rows, blocks.Ws, y, 16 * V4);
    } else {
      fillRows(rows, this.#weights.place(blocks.bo), y, 16 * V4, V4);
      this.#product(at, ld, rows, blocks.Wo, y, 16 * V4);
    }
    const V = spec.outputs;
    if (spec.output === 'softmax') softmaxRows(rows, V, y, dY, targets, weights, outcomes);
    else squaredRows(rows, V, spec.output === 'tanh', y, dY, targets, weights, outcomes);
    if (!spec.autoencoder) return;
    clear(recalled, 4 * rows);
    const recall = (x: number, ldx: number, W: Block, to: number, dTo: number): void => {
      clear(to, rows * 16 * D4);
      this.#product(x, ldx, rows, W, to, 16 * D4);
      recallRows(rows, spec.inputs, to, dTo, ids, this.#K, previous, weights, recalled);
    };
    recall(this.#row(`h${layers.length - 1}`, 0), 16 * H4, blocks.Whx, this.#at.xh, this.#at.dXh);
    recall(at, ld, blocks.Wpx, this.#at.xp, this.#at.dXp);
  }

  // ---- backward ------------------------------------------------------------------------------------------------

  /** The gradient of the group's objective by every parameter, into the weights' `own`. */
  backward(): void {
    const { spec, layers, E, H4, S4, gates } = this.#layout;
    const { clear } = this.#arena.kernels;
    const { rows, order, T } = this.#group;
    const G = order.length;
    clear(this.#weights.at.own, 16 * this.#layout.size4);
    this.#outputsBackward();
    if (E) {
      clear(this.#at.dS, rows * 16 * S4);
      clear(this.#at.dStrength, 4 * G * spec.memories * endsOf(spec.memory) * T);
    }
    layers.forEach((_, l) => {
      clear(this.#at[`dC${l}`], G * 16 * H4);
      if (spec.controller === 'gru') clear(this.#at[`dD${l}`], G * 16 * H4);
    });
    for (let t = T - 1; t >= 0; t--) {
      this.#headsBackward(t);
      for (let l = layers.length - 1; l >= 0; l--) this.#cellBackward(l, t);
    }
    layers.forEach(({ Wh, h0, c0 }, l) => {
      if (!h0) return;
      const dH = this.#at[`dH${l}`];
      clear(dH, G * 16 * H4);
      const from = this.#row(`dA${l}`, 0) + gates.hFrom * 16 * H4;
      if (Wh) this.#transposed(from, this.#ld(`dA${l}`), G, Wh, dH, 16 * H4);
      if (spec.controller === 'gru') this.#arena.kernels.add(G * H4, this.#at[`dD${l}`], dH);
      this.#bias(h0, dH, 16 * H4, G);
      if (c0) this.#bias(c0, this.#at[`dC${l}`], 16 * H4, G);
    });
    this.#weightGradients();
  }

  /** From the outputs of all steps to o', and to h from the auto-encoder. */
  #outputsBackward(): void {
    const { spec, blocks, P4, O4, V4, D4, H4 } = this.#layout;
    const { clear, tanhBackward } = this.#arena.kernels;
    const { rows } = this.#group;
    const { dOp, dQ, dY, o, dXh, dXp, dHx } = this.#at;
    clear(dOp, rows * 16 * P4);
    if (spec.readout) {
      clear(dQ, rows * 16 * O4);
      this.#transposed(dY, 16 * V4, rows, blocks.Ws, dQ, 16 * O4);
      tanhBackward(rows * O4, dQ, o, dQ);
      this.#transposed(dQ, 16 * O4, rows, blocks.Wo, dOp, 16 * P4);
    } else {
      this.#transposed(dY, 16 * V4, rows, blocks.Wo, dOp, 16 * P4);
    }
    if (!spec.autoencoder) return;
    this.#transposed(dXp, 16 * D4, rows, blocks.Wpx, dOp, 16 * P4);
    clear(dHx, rows * 16 * H4);
    this.#transposed(dXh, 16 * D4, rows, blocks.Whx, dHx, 16 * H4);
  }

  /** Memories and heads of time step t; leaves the gradient of the top layer's h in 'dh'. */
  #headsBackward(t: number): void {
    const { spec, blocks, layers, E, H4, P4, S4, R4 } = this.#layout;
    const { clear, copy, add, stepBackward, headsBackward, tanhBackward } = this.#arena.kernels;
    const { active } = this.#group;
    const n = active[t];
    const dOp = this.#row('dOp', t);
    if (E) {
      const { dR, slots, undo, dStrength } = this.#at;
      clear(dR, n * 16 * R4);
      const later = active[t + 1] ?? 0;
      layers.forEach(({ Wr }, l) => {
        if (later) this.#transposed(this.#row(`dA${l}`, t + 1), this.#ld(`dA${l}`), later, Wr!, dR, 16 * R4);
      });
      const [s, dS] = [this.#row('s', t), this.#row('dS', t)];
      const { s: all, dS: dAll } = this.#at;
      const lds = 16 * S4;
      stepBackward(n, t, spec.memories, dS, lds, 16 * R4, all, dAll, dR, 16 * R4, slots, undo, dStrength);
      headsBackward(n, R4, S4, s, dS);
      this.#transposed(dS, 16 * S4, n, blocks.S, dOp, 16 * P4);
    }
    const dh = this.#at.dh;
    if (spec.deeper) {
      const dP = this.#row('dP', t);
      tanhBackward(n * P4, dOp, this.#row('op', t), dP);
      clear(dh, n * 16 * H4);
      this.#transposed(dP, 16 * P4, n, blocks.Whp, dh, 16 * H4);
    } else copy(dh, dOp, n * 16 * H4);
    if (spec.autoencoder) add(n * H4, this.#row('dHx', t), dh);
  }

  /** 'dh' of layer l at time step t -> dA; leaves that of the layer below in 'dh'. */
  #cellBackward(l: number, t: number): void {
    const { spec, layers, gates, H4 } = this.#layout;
    const { clear, add, tanhBackward, lstmBackward, gruBackward } = this.#arena.kernels;
    const { Wy, Wh } = layers[l];
    const n = this.#group.active[t];
    const later = this.#group.active[t + 1] ?? 0;
    const { dh } = this.#at;
    const [name, ld] = [`dA${l}`, this.#ld(`dA${l}`)];
    const dA = this.#row(name, t);
    if (Wh && later)
      this.#transposed(this.#row(name, t + 1) + gates.hFrom * 16 * H4, ld, later, Wh, dh, 16 * H4);
    if (spec.controller === 'lstm') {
      const [cNow, cBefore] = [this.#row(`c${l}`, t), this.#before(`c${l}`, t)];
      lstmBackward(n, H4, dh, this.#at[`dC${l}`], this.#row(`g${l}`, t), cNow, cBefore, dA);
    } else if (spec.controller === 'gru') {
      const dD = this.#at[`dD${l}`];
      if (later) add(later * H4, dD, dh);
      gruBackward(n, H4, dh, this.#row(`g${l}`, t), this.#before(`h${l}`, t), dA, dD);
    } else {
      tanhBackward(n * H4, dh, this.#row(`h${l}`, t), dA);
    }
    if (!Wy) return;
    const below = this.#at['dh below'];
    clear(below, n * 16 * H4);
    this.#transposed(dA, ld, n, Wy, below, 16 * H4);
    this.#at.dh = below;
    this.#at['dh below'] = dh;
  }

  /** db += Σ of rows. */
  #bias(b: Block, dy: number, ldy: number, rows: number): void {
    this.#arena.kernels.sumRows(rows, dy, ldy, b.ld4, this.#weights.place(b, 'own'));
  }

  /** dW += xᵀ · dy over all rows; x and dy of equal rows. */
  #outer(W: Block, x: number, ldx: number, dy: number, ldy: number, rows: number): void {
    const to = this.#weights.place(W, 'own');
    this.#arena.kernels.outer(x, ldx, W.rows, rows, dy, ldy, W.ld4, to, 16 * W.ld4, this.#weights.scratch);
  }

  /** The same where x is what was before each step, whose rows lie side by side as long as no sequence ends. */
  #outerBefore(W: Block, name: string, dName: string, from: number): void {
    const { active, first, T, rows } = this.#group;
    const [ldx, ldy] = [this.#ld(name), this.#ld(dName)];
    for (let t = 0; t < T; ) {
      let end = t + 1;
      // The rows before step `end` follow those before the step before it, unless a sequence had ended by then.
      while (end < T && (end === 1 || active[end - 1] === active[end - 2])) end++;
      const count = (end < T ? first[end] : rows) - first[t];
      this.#outer(W, this.#before(name, t), ldx, this.#row(dName, t) + from, ldy, count);
      t = end;
    }
  }

  #weightGradients(): void {
    const { spec, layers, blocks, gates, E, H4 } = this.#layout;
    const { rows } = this.#group;
    const top = `h${layers.length - 1}`;
    const op = this.#op(0);
    layers.forEach(({ Wx, Wy, Wh, Wr, b }, l) => {
      const name = `dA${l}`;
      const [dA, ld] = [this.#at[name], this.#ld(name)];
      const dWx = this.#weights.place(Wx, 'own');
      this.#arena.kernels.scatter(this.#at.ids, this.#K, rows, dA, ld, Wx.ld4, dWx, 16 * Wx.ld4);
      this.#bias(b, dA, ld, rows);
      if (Wy) this.#outer(Wy, this.#row(`h${l - 1}`, 0), 16 * H4, dA, ld, rows);
      if (Wh) this.#outerBefore(Wh, `h${l}`, name, gates.hFrom * 16 * H4);
      if (Wr) this.#outerBefore(Wr, 'r', name, 0);
    });
    const all = (W: Block, b: Block | undefined, x: { at: number; ld: number }, dy: string): void => {
      this.#outer(W, x.at, x.ld, this.#at[dy], this.#ld(dy), rows);
      if (b) this.#bias(b, this.#at[dy], this.#ld(dy), rows);
    };
    const h = { at: this.#row(top, 0), ld: this.#ld(top) };
    if (E) all(blocks.S, blocks.bS, op, 'dS');
    all(blocks.Wo, blocks.bo, op, spec.readout ? 'dQ' : 'dY');
    if (spec.readout) all(blocks.Ws, blocks.bs, { at: this.#at.o, ld: this.#ld('o') }, 'dY');
    if (spec.deeper) all(blocks.Whp, blocks.bp, h, 'dP');
    if (!spec.autoencoder) return;
    all(blocks.Whx, undefined, h, 'dXh');
    all(blocks.Wpx, undefined, op, 'dXp');
  }
}
