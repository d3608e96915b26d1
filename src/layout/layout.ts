import { isRecurrent } from '../base/cells.ts';
import { headInputWidth, type ModelSpec } from '../base/parameters.ts';
import { in4, type Sizes, sizesOf } from './sizes.ts';
import { type TensorSpec, tensorsOf } from './tensors.ts';

/**
 * The memory layout of a model for the engines gpu and cpu: parameters in one packed buffer; activations and gradients
 * as tensors, which the gpu engine keeps in two buffers, the arenas. The padding of rows is 0 and stays 0, because its
 * gradients are sums of products with zeros.
 */
export interface Layout extends Sizes {
  /** Activations and gradients, in the order of their offsets in the arenas. */
  tensors: readonly TensorSpec[];
  layers: Layer[];
  /** Blocks of parameters. */
  blocks: Record<BlockName, Block>;
  /** Embeddings of the inputs, if the model has any. Each layer's Wx is then derived from them. */
  We?: Block;
  /** Lengths in vec4s: the matrices (subject to weight decay), everything trained, and the whole parameter buffer. */
  weights4: number;
  trained4: number;
  size4: number;
}

/**
 * A layer's parameters. The matrices multiply x (Wx), h_t of the layer below (Wy), h_{t-1} (Wh) and the reads (Wr). h0
 * and c0 are the starting state, if it is trained.
 */
export interface Layer {
  Wx: Block;
  Wy?: Block;
  Wh?: Block;
  Wr?: Block;
  b: Block;
  h0?: Block;
  c0?: Block;
  /**
   * Trained matrix [X, gates.x·H] (X: width of the embeddings) that multiplies the embedded input; Wx is derived from
   * it, Wx = We · Wxe.
   */
  Wxe?: Block;
}

/**
 * The matrices and biases outside of the layers, named after the parameters (Whp: W_hp) except for `S` and `bS`: all
 * heads of the memories, side by side. The heads' outputs are the row s, the inputs of the memories at one step: v of
 * every end, then the controls of every end, then padding. Each v and the first control start on a vec4 boundary.
 */
export type BlockName = 'Whp' | 'bp' | 'S' | 'bS' | 'Wo' | 'bo' | 'Ws' | 'bs' | 'Whx' | 'Wpx';

/** Location of a matrix in the parameter buffer, in vec4s. */
export interface Block {
  offset4: number;
  rows: number;
  /** Leading dimension: vec4s per row. */
  ld4: number;
}

/** The layout of a model. */
export function layoutOf(spec: ModelSpec): Layout {
  const { inputs: D, hidden: H, outputs: V, embedding: X } = spec;
  const P = headInputWidth(spec);
  const sizes = sizesOf(spec);
  const { E, H4, P4, R4, S4, V4, D4, gates } = sizes;
  const recurrent = isRecurrent(spec);
  let size4 = 0;
  const block = (rows: number, ld4: number): Block => {
    const offset4 = size4;
    size4 += rows * ld4;
    return { offset4, rows, ld4 };
  };
  const xLd = gates.x * H4;
  // Matrices come first, so that weight decay covers one range. Derived matrices come last, outside of the range that
  // the optimiser updates.
  const We = X ? block(D, in4(X)) : undefined;
  const none: Block = { offset4: 0, rows: 0, ld4: 0 };
  const layers = Array.from(
    { length: spec.layers },
    (_, l): Layer => ({
      Wx: X ? none : block(D, xLd),
      ...(X && { Wxe: block(X, xLd) }),
      ...(l > 0 && { Wy: block(H, xLd) }),
      ...(recurrent && { Wh: block(H, gates.h * H4) }),
      ...(E && { Wr: block(R4 * 4, xLd) }),
      b: none,
    }),
  );
  const O = spec.readout || V;
  const blocks: Layout['blocks'] = {
    Whp: block(spec.projection ? H : 0, P4),
    S: block(E ? P : 0, S4),
    Wo: block(P, in4(O)),
    Ws: block(spec.readout, V4),
    Whx: block(spec.autoencoder ? H : 0, D4),
    Wpx: block(spec.autoencoder ? P : 0, D4),
    bp: none,
    bS: none,
    bo: none,
    bs: none,
  };
  const weights4 = size4;
  for (const layer of layers) {
    layer.b = block(1, xLd);
    if (spec.start === 'trained' && recurrent) {
      layer.h0 = block(1, H4);
      if (sizes.states.includes('c')) layer.c0 = block(1, H4);
    }
  }
  blocks.bp = block(spec.projection ? 1 : 0, P4);
  blocks.bS = block(E ? 1 : 0, S4);
  blocks.bo = block(1, in4(O));
  blocks.bs = block(spec.readout ? 1 : 0, V4);
  const trained4 = size4;
  if (X) for (const layer of layers) layer.Wx = block(D, xLd);
  // Kernels read rows in groups of four, so they may read up to three rows past a matrix, and multiply them by zeros.
  size4 += 3 * Math.max(xLd, gates.h * H4, P4, S4, in4(O), V4, D4, in4(X));
  return { ...sizes, tensors: tensorsOf(sizes), layers, blocks, We, weights4, trained4, size4 };
}
