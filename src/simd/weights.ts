import type { Block, Layout } from '../layout/layout.ts';
import type { Arena } from './module.ts';

const NAMES = ['parameters', 'mean', 'square', 'gradient', 'own'] as const;
type Name = (typeof NAMES)[number];

/** A matrix as products want it: itself, and its transpose, in panels (assembly/product.ts). */
export interface Panels {
  forward: number;
  transposed: number;
}

/** The packed parameters of a model (src/layout) with all that has their form: moments, gradients. */
export class Weights {
  readonly #arena: Arena;
  readonly #layout: Layout;
  /** Addresses. `own` is the gradient of a group, which `gradient` is the sum of. */
  readonly at: Record<Name, number>;
  /** For outer(): of the widest matrix. */
  readonly scratch: number;
  readonly #panels = new Map<Block, Panels>();
  #stale = true;

  constructor(arena: Arena, layout: Layout) {
    this.#arena = arena;
    this.#layout = layout;
    const bytes = 16 * layout.size4;
    this.at = Object.fromEntries(NAMES.map(name => [name, arena.take(bytes)])) as Record<Name, number>;
    const { layers, blocks, spec } = layout;
    const matrices = [
      ...layers.flatMap(({ Wy, Wh, Wr, Wxe }) => [Wy, Wh, Wr, Wxe]),
      ...[blocks.Whp, blocks.S, blocks.Wo, blocks.Ws, blocks.Whx, blocks.Wpx],
    ];
    const widest = Math.max(spec.embedding, ...matrices.map(block => block?.rows ?? 0));
    this.scratch = arena.take(arena.kernels.outerScratch(widest));
    for (const block of matrices) {
      if (!block || block.rows * block.ld4 === 0) continue;
      const forward = arena.take(16 * block.rows * block.ld4);
      const transposed = arena.take(16 * 4 * block.ld4 * Math.ceil(block.rows / 4));
      this.#panels.set(block, { forward, transposed });
    }
  }

  panels(block: Block): Panels {
    return this.#panels.get(block)!;
  }

  /** The address of a block's parameters, or of their gradient in this group. */
  place(block: Block, of: 'parameters' | 'gradient' | 'own' = 'parameters'): number {
    return this.at[of] + 16 * block.offset4;
  }

  numbers(name: Name): Float32Array<ArrayBuffer> {
    return this.#arena.floats(this.at[name], 4 * this.#layout.size4);
  }

  /** The parameters are others than those that were packed. */
  changed(): void {
    this.#stale = true;
  }

  /** Packs the parameters, where they have changed; with embeddings, the matrices that are derived from them. */
  prepare(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const { pack, packTransposed, clear, product } = this.#arena.kernels;
    for (const [block, { forward, transposed }] of this.#panels) {
      pack(this.place(block), 16 * block.ld4, block.rows, block.ld4, forward);
      packTransposed(this.place(block), 16 * block.ld4, block.rows, 4 * block.ld4, transposed);
    }
    const { We, layers, spec } = this.#layout;
    if (!We) return;
    for (const { Wx, Wxe } of layers) {
      const to = this.place(Wx);
      clear(to, 16 * Wx.rows * Wx.ld4);
      const { forward } = this.panels(Wxe!);
      product(this.place(We), 16 * We.ld4, We.rows, spec.embedding, forward, to, 16 * Wx.ld4, Wx.ld4);
    }
  }

  clearGradient(): void {
    this.#arena.kernels.clear(this.at.gradient, 16 * this.#layout.size4);
  }

  /** Adds the gradient of a group to the sum. */
  addGradient(): void {
    this.#arena.kernels.add(this.#layout.size4, this.at.own, this.at.gradient);
  }

  /** With embeddings: what they and their matrices have of the gradient of the product of both. */
  finishGradient(): void {
    const { We, layers, spec } = this.#layout;
    if (!We) return;
    const { product, outer } = this.#arena.kernels;
    const dWe = this.place(We, 'gradient');
    for (const { Wx, Wxe } of layers) {
      const dWx = this.place(Wx, 'gradient');
      const [ldx, lde] = [16 * Wx.ld4, 16 * We.ld4];
      product(dWx, ldx, Wx.rows, 4 * Wx.ld4, this.panels(Wxe!).transposed, dWe, lde, We.ld4);
      outer(
        this.place(We),
        lde,
        spec.embedding,
        We.rows,
        dWx,
        ldx,
        Wx.ld4,
        this.place(Wxe!, 'gradient'),
        ldx,
        this.scratch,
      );
    }
  }

  /** √Σ of the squared gradients of all that is trained. */
  norm(): number {
    return Math.sqrt(this.#arena.kernels.sumSquares(this.at.gradient, this.#layout.trained4));
  }
}
