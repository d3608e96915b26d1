import { type Batch, NO_INPUT } from '../base/dims.ts';
import { entriesOf, type MemoryStorage } from '../base/memories.ts';
import type { Block, Layout } from '../layout/layout.ts';
import type { Group } from './groups.ts';
import { type Arena, aligned } from './module.ts';
import { type Panels, panelsOf, type WeightAddresses, widestOf } from './weights.ts';

const NONE: Group = { order: [], lengths: [], T: 0, active: [], first: [], rows: 0 };

/** Capacity of a workspace: groups of G sequences of T steps with K inputs. */
export interface Capacity {
  G: number;
  T: number;
  K: number;
}

/** Numbers of entries of one memory of one sequence of T steps. */
const storageOf = ({ spec, M4 }: Layout, T: number): Record<keyof MemoryStorage, number> =>
  entriesOf(spec.memory, M4, T, spec.depth);

/**
 * The arrays of a workspace and their bytes: tensors of the layout, the batch, the memories. All numbers have 4 bytes.
 */
function piecesOf(layout: Layout, { G, T, K }: Capacity): [name: string, bytes: number][] {
  const { spec, tensors, H4, S4, N4 } = layout;
  const rows = G * T;
  const counts = { steps: rows, 'steps and start': rows + G, batch: G };
  const memories = G * spec.memories;
  const { slots, undoLog, dStrength } = storageOf(layout, T);
  return [
    ...tensors.map(({ name, width4, rows: kind }): [string, number] => [name, 16 * width4 * counts[kind]]),
    ['ids', 4 * rows * K],
    ['noise', 16 * rows * (S4 - N4)],
    ['rowMetrics', 16 * rows],
    ...['targets', 'weights', 'previous', 'autoencoderLoss'].map((name): [string, number] => [
      name,
      4 * rows,
    ]),
    ['table', 4 * T],
    ['slots', 8 * memories * slots],
    ['undoLog', 16 * memories * undoLog],
    ['dStrength', 4 * memories * dStrength],
    ['dh', 16 * H4 * G],
    ['dh below', 16 * H4 * G],
  ];
}

/** Bytes of a workspace, without the scratch memory of outer products. */
export const bytesOfWorkspace = (layout: Layout, capacity: Capacity): number =>
  piecesOf(layout, capacity).reduce((sum, [, bytes]) => sum + aligned(bytes), 0);

/** Bytes of a workspace, including the scratch memory of outer products. */
export const workspaceBytes = (arena: Arena, layout: Layout, capacity: Capacity): number =>
  bytesOfWorkspace(layout, capacity) + aligned(arena.kernels.outerScratch(widestOf(layout)));

/**
 * The memory in which a thread computes a group of sequences, and the addresses in it. Tensors have no rows for
 * padding: time step t has one row per `active` sequence, longest sequence first, after the rows of earlier steps. h, c
 * and r start with one row of starting state per sequence.
 */
export class Workspace {
  readonly arena: Arena;
  readonly layout: Layout;
  /** Addresses of the arrays, by name. */
  readonly at: Record<string, number> = {};
  group: Group = NONE;
  K = 0;
  noisy = false;
  readonly #parameters: number;
  readonly #panels: ReadonlyMap<Block, Panels>;
  /** Bytes per row of each tensor, and whether its first rows are a starting state. */
  readonly #forms: ReadonlyMap<string, { ld: number; starts: boolean }>;
  #from = -1;
  #capacity: Capacity = { G: 0, T: 0, K: 0 };

  constructor(arena: Arena, layout: Layout, weights: WeightAddresses) {
    this.arena = arena;
    this.layout = layout;
    this.#parameters = weights.at.parameters;
    this.#panels = panelsOf(layout, weights);
    this.#forms = new Map(
      layout.tensors.map(({ name, width4, rows }) => [
        name,
        { ld: 16 * width4, starts: rows === 'steps and start' },
      ]),
    );
  }

  /**
   * Places the arrays at an address with workspaceBytes() of free memory. Returns false if they are already there.
   */
  place(from: number, capacity: Capacity): boolean {
    const { G, T, K } = this.#capacity;
    if (from === this.#from && G === capacity.G && T === capacity.T && K === capacity.K) return false;
    this.#from = from;
    this.#capacity = { ...capacity };
    let end = from;
    for (const [name, bytes] of piecesOf(this.layout, capacity)) {
      this.at[name] = end;
      end += aligned(bytes);
    }
    this.at.scratch = end;
    return true;
  }

  /** Loads the sequences of a group from a batch. The workspace must have room for them. */
  load(batch: Batch, group: Group): void {
    this.group = group;
    const { B, K } = batch;
    const { C, stride, E, S4, N4, spec } = this.layout;
    this.K = K;
    this.noisy = batch.noise !== undefined;
    const { arena } = this;
    const ids = arena.words(this.at.ids, group.rows * K);
    const targets = arena.words(this.at.targets, group.rows);
    const previous = arena.words(this.at.previous, group.rows);
    const weights = arena.floats(this.at.weights, group.rows);
    const perRow = 4 * (S4 - N4);
    const noise = arena.floats(this.at.noise, group.rows * perRow);
    for (let t = 0; t < group.T; t++) {
      for (let place = 0; place < group.active[t]; place++) {
        const [row, n] = [group.first[t] + place, t * B + group.order[place]];
        for (let k = 0; k < K; k++) ids[row * K + k] = batch.ids[n * K + k];
        targets[row] = batch.target[n];
        weights[row] = batch.weight[group.order[place]];
        previous[row] = t === 0 ? NO_INPUT : group.first[t - 1] + place;
        if (batch.noise) {
          for (let e = 0; e < E; e++) {
            for (let c = 0; c < C; c++)
              noise[row * perRow + stride * e + c] = batch.noise[(n * E + e) * C + c];
          }
        }
      }
    }
    const table = arena.words(this.at.table, group.T);
    for (let t = 0; t < group.T; t++) table[t] = group.first[t] * 16 * S4;
    if (spec.memory === 'none') return;
    const { M4 } = this.layout;
    arena.setMemoryShape(spec, this.storage(group.T), 4 * M4, 16 * M4, this.at.table);
  }

  /** Numbers of entries of one memory of one sequence of T steps. */
  storage(T: number): Record<keyof MemoryStorage, number> {
    return storageOf(this.layout, T);
  }

  /** The rows of a tensor. @param skip 1: skip the starting state */
  rows(name: string, skip: 0 | 1 = 0): Float32Array {
    const ld = this.ld(name);
    const from = this.at[name] + skip * this.group.order.length * ld;
    return this.arena.floats(from, (ld / 4) * this.group.rows);
  }

  /** Per row: loss, Σ|o − target| (0 for softmax), argmax, and 1 if the row has a target. */
  rowMetrics(): Float32Array {
    return this.arena.floats(this.at.rowMetrics, 4 * this.group.rows);
  }

  /** Auto-encoder loss per row, if the model has an auto-encoder. */
  autoencoderLoss(): Float32Array | undefined {
    return this.layout.spec.autoencoder
      ? this.arena.floats(this.at.autoencoderLoss, this.group.rows)
      : undefined;
  }

  /** Slots and undo logs of the memories, for allStrengths(). */
  states(): [slots: Uint32Array, undoLog: Uint32Array] {
    const count = this.group.order.length * this.layout.spec.memories;
    const { slots, undoLog } = this.storage(this.group.T);
    return [
      this.arena.words(this.at.slots, 2 * count * slots),
      this.arena.words(this.at.undoLog, 4 * count * undoLog),
    ];
  }

  // ---- addresses -----------------------------------------------------------------------------------------------

  /** The address of a block's parameters. */
  parameters(block: Block): number {
    return this.#parameters + 16 * block.offset4;
  }

  /** Bytes per row of a tensor. */
  ld(name: string): number {
    return this.#forms.get(name)!.ld;
  }

  /**
   * Address of the first row of time step t; for h, c and r, of the state after step t. 0 if the model has no such
   * tensor.
   */
  row(name: string, t: number): number {
    const form = this.#forms.get(name);
    if (!form) return 0;
    const { ld, starts } = form;
    return this.at[name] + ((starts ? this.group.order.length : 0) + this.group.first[t]) * ld;
  }

  /** Address of the first row of h, c or r as they are before time step t. */
  before(name: string, t: number): number {
    return t === 0 ? (this.at[name] ?? 0) : this.row(name, t - 1);
  }

  /** y [rows] += x · W. */
  product(x: number, ldx: number, rows: number, W: Block, y: number, ldy: number): void {
    const { forward } = this.#panels.get(W)!;
    this.arena.kernels.product(x, ldx, rows, W.rows, forward, y, ldy, W.ld4);
  }

  /** dx [rows] += dy · Wᵀ. */
  transposed(dy: number, ldy: number, rows: number, W: Block, dx: number, ldx: number): void {
    const { transposed } = this.#panels.get(W)!;
    this.arena.kernels.product(dy, ldy, rows, 4 * W.ld4, transposed, dx, ldx, Math.ceil(W.rows / 4));
  }

  /**
   * o', the input of the heads: the address of its first row of time step t (later steps follow), and bytes per row.
   */
  op(t: number): { at: number; ld: number } {
    const { spec } = this.layout;
    const name = spec.projection ? 'op' : `h${spec.layers - 1}`;
    return { at: this.row(name, t), ld: this.ld(name) };
  }
}
