import type { Block, Layout } from '../layout/layout.ts';
import type { Arena } from './module.ts';

const NAMES = ['parameters', 'firstMoment', 'secondMoment', 'gradient'] as const;
type Name = (typeof NAMES)[number];

/** Addresses of a matrix and of its transpose, packed into panels for products (assembly/product.ts). */
export interface Panels {
  forward: number;
  transposed: number;
}

/** Addresses of a model's weights. Other threads receive them in a message. */
export interface WeightAddresses {
  at: Record<Name, number>;
  /** Panels of matricesOf(layout), in the same order. */
  panels: Panels[];
}

/** The matrices that are packed into panels: those that multiply many rows. */
export function matricesOf({ layers, blocks }: Layout): Block[] {
  const all = [
    ...layers.flatMap(({ Wy, Wh, Wr, Wxe }) => [Wy, Wh, Wr, Wxe]),
    ...[blocks.Whp, blocks.S, blocks.Wo, blocks.Ws, blocks.Whx, blocks.Wpx],
  ];
  return all.filter(block => block !== undefined && block.rows * block.ld4 > 0) as Block[];
}

/** Width of the widest left factor x of an outer product. */
export const widestOf = (layout: Layout): number =>
  Math.max(layout.spec.embedding, ...matricesOf(layout).map(({ rows }) => rows));

/** The packed parameters of a model (src/layout), and its moments and gradient, which have the same layout. */
export class Weights {
  readonly #arena: Arena;
  readonly #layout: Layout;
  readonly places: WeightAddresses;
  readonly #panels: ReadonlyMap<Block, Panels>;
  /** Scratch memory for outer() on the thread that updates the weights. */
  readonly #scratch: number;
  #stale = true;

  constructor(arena: Arena, layout: Layout) {
    this.#arena = arena;
    this.#layout = layout;
    const bytes = 16 * layout.size4;
    const matrices = matricesOf(layout);
    this.places = {
      at: Object.fromEntries(NAMES.map(name => [name, arena.take(bytes)])) as Record<Name, number>,
      panels: matrices.map(({ rows, ld4 }) => ({
        forward: arena.take(16 * rows * ld4),
        transposed: arena.take(16 * 4 * ld4 * Math.ceil(rows / 4)),
      })),
    };
    this.#scratch = arena.take(arena.kernels.outerScratch(widestOf(layout)));
    this.#panels = panelsOf(layout, this.places);
  }

  get at(): WeightAddresses['at'] {
    return this.places.at;
  }

  #place(block: Block, of: Name = 'parameters'): number {
    return this.at[of] + 16 * block.offset4;
  }

  /** The numbers of one of the arrays. */
  numbers(name: Name): Float32Array<ArrayBuffer> {
    return this.#arena.floats(this.at[name], 4 * this.#layout.size4);
  }

  /** Records that the parameters have changed, so that the panels are out of date. */
  changed(): void {
    this.#stale = true;
  }

  /** Packs the panels if the parameters have changed. With embeddings, also computes the derived matrices Wx. */
  prepare(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const { pack, packTransposed, clear, product } = this.#arena.kernels;
    for (const [block, { forward, transposed }] of this.#panels) {
      pack(this.#place(block), 16 * block.ld4, block.rows, block.ld4, forward);
      packTransposed(this.#place(block), 16 * block.ld4, block.rows, 4 * block.ld4, transposed);
    }
    const { We, layers, spec } = this.#layout;
    if (!We) return;
    for (const { Wx, Wxe } of layers) {
      const to = this.#place(Wx);
      clear(to, 16 * Wx.rows * Wx.ld4);
      const { forward } = this.#panels.get(Wxe!)!;
      product(this.#place(We), 16 * We.ld4, We.rows, spec.embedding, forward, to, 16 * Wx.ld4, Wx.ld4);
    }
  }

  /** Adds the gradients of the other strands (strandCount) to that of strand 0, which is in `gradient`. */
  addGradients(others: readonly number[]): void {
    for (const at of others) this.#arena.kernels.add(this.#layout.size4, at, this.at.gradient);
  }

  /** With embeddings: computes dWe and dWxe from the gradient of their product Wx. */
  finishGradient(): void {
    const { We, layers, spec } = this.#layout;
    if (!We) return;
    const { product, outer } = this.#arena.kernels;
    const dWe = this.#place(We, 'gradient');
    for (const { Wx, Wxe } of layers) {
      const dWx = this.#place(Wx, 'gradient');
      const [ldx, lde] = [16 * Wx.ld4, 16 * We.ld4];
      product(dWx, ldx, Wx.rows, 4 * Wx.ld4, this.#panels.get(Wxe!)!.transposed, dWe, lde, We.ld4);
      outer(
        this.#place(We),
        lde,
        spec.embedding,
        We.rows,
        dWx,
        ldx,
        Wx.ld4,
        this.#place(Wxe!, 'gradient'),
        ldx,
        this.#scratch,
      );
    }
  }

  /** The global norm: √Σ g² over all trained parameters. */
  norm(): number {
    return Math.sqrt(this.#arena.kernels.sumSquares(this.at.gradient, this.#layout.trained4));
  }
}

/** The panels of each matrix. */
export function panelsOf(layout: Layout, { panels }: WeightAddresses): ReadonlyMap<Block, Panels> {
  return new Map(matricesOf(layout).map((block, k) => [block, panels[k]]));
}
