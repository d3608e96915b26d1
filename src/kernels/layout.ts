import { ceilTo } from '../base/dims.ts';
import {
  endsOfModel,
  GATES,
  isRecurrent,
  layerName,
  type ModelSpec,
  parameters,
  type Tensors,
  widthOfHeads,
} from '../base/parameters.ts';

/**
 * Where everything of a model lies on the device. Rows are padded to multiples of 4 floats, so that all kernels
 * load vec4s; padding is 0 and stays 0, because its gradients are sums of products with zeros.
 */
export interface Layout {
  spec: ModelSpec;
  /** E, ends of all memories. */
  E: number;
  /** Sizes in vec4s: of h, o', a memory's row, all reads, the heads' row s, o of a readout, outputs, inputs. */
  H4: number;
  P4: number;
  M4: number;
  R4: number;
  S4: number;
  O4: number;
  V4: number;
  D4: number;
  gates: GateLayout;
  layers: Layer[];
  /** Blocks of parameters, in vec4s. */
  blocks: Record<BlockName, Block>;
  /** The embeddings of the inputs, where there are any; each layer's Wx is then derived from them. */
  We?: Block;
  /** Lengths in vec4s: of the matrices, which decay; of all that is trained; of the parameter buffer. */
  weights4: number;
  trained4: number;
  size4: number;
}

/**
 * The gates of a cell as the device has them, each a block of H4 vec4s of the row a. Inputs, reads and the layer below
 * act on the blocks [0, x), h of the step before on [hFrom, hFrom + h): a GRU's n has its two parts apart, in the
 * order (n without h, z, r, n of h alone).
 */
export interface GateLayout {
  all: number;
  x: number;
  hFrom: number;
  h: number;
  /** Blocks of the cell's activations that the backward pass wants; 0 where h tells them. */
  kept: number;
}

const GATE_LAYOUTS: Record<ModelSpec['controller'], GateLayout> = {
  rnn: { all: 1, x: 1, hFrom: 0, h: 1, kept: 0 },
  feedforward: { all: 1, x: 1, hFrom: 0, h: 0, kept: 0 },
  lstm: { all: 4, x: 4, hFrom: 0, h: 4, kept: 4 },
  gru: { all: 4, x: 3, hFrom: 1, h: 3, kept: 4 },
};

/** Where the blocks of columns of the checkpoint (base/parameters.ts) stand: of W_xh and its like, of W_hh. */
const GRU_X = [1, 2, 0];
const GRU_H = [0, 1, 2];

/** A layer's matrices: of inputs, the layer below, h of the step before, reads. */
export interface Layer {
  Wx: Block;
  Wy?: Block;
  Wh?: Block;
  Wr?: Block;
  b: Block;
  h0?: Block;
  c0?: Block;
  /** Of the embeddings: Wx = We · Wxe. */
  Wxe?: Block;
}

/**
 * The other matrices the kernels see. `S` puts all heads side by side: the row s = (v of every end, then d and u of
 * every end, padding) holds what the memories need at one step, each v and the first d on a vec4 boundary.
 */
export type BlockName = 'Whp' | 'bp' | 'S' | 'bS' | 'Wo' | 'bo' | 'Ws' | 'bs' | 'Whx' | 'Wpx';

export interface Block {
  offset4: number;
  rows: number;
  /** Leading dimension: vec4s per row. */
  ld4: number;
}

export function layoutOf(spec: ModelSpec): Layout {
  const { inputs: D, hidden: H, width: M, outputs: V, embedding: X } = spec;
  const P = widthOfHeads(spec);
  const E = endsOfModel(spec);
  const in4 = (n: number): number => ceilTo(n, 4) / 4;
  const [H4, P4, M4, O4, V4, D4] = [H, P, M, spec.readout, V, D].map(in4);
  const R4 = E * M4;
  const S4 = E ? R4 + in4(2 * E) : 0;
  const gates = GATE_LAYOUTS[spec.controller];
  const recurrent = isRecurrent(spec);
  let size4 = 0;
  const block = (rows: number, ld4: number): Block => {
    const offset4 = size4;
    size4 += rows * ld4;
    return { offset4, rows, ld4 };
  };
  const xLd = gates.x * H4;
  // Matrices first, so that what decays is one range; what is derived last, for the optimiser ends before it.
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
    Whp: block(spec.deeper ? H : 0, P4),
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
      if (spec.controller === 'lstm') layer.c0 = block(1, H4);
    }
  }
  blocks.bp = block(spec.deeper ? 1 : 0, P4);
  blocks.bS = block(E ? 1 : 0, S4);
  blocks.bo = block(1, in4(O));
  blocks.bs = block(spec.readout ? 1 : 0, V4);
  const trained4 = size4;
  if (X) for (const layer of layers) layer.Wx = block(D, xLd);
  // Kernels read rows in fours: up to three rows past the end of a matrix, times zeros.
  size4 += 3 * Math.max(xLd, gates.h * H4, P4, S4, in4(O), V4, D4, in4(X));
  return { spec, E, H4, P4, M4, R4, S4, O4, V4, D4, gates, layers, blocks, We, weights4, trained4, size4 };
}

/** Where a named parameter lies: its rows, and the blocks of columns that it is made of. */
interface Place {
  block: Block;
  /** The device's row. */
  rowOf?: (row: number) => number;
  /** Columns of each block, and the device's column at which each begins. */
  columns: number;
  starts: readonly number[];
}

function placeOf(layout: Layout, name: string): Place {
  const { spec, blocks, layers, H4, M4, R4, E } = layout;
  const ends = Array.from({ length: E }, (_, e) => e);
  const matrix = (block: Block, columns: number): Place => ({ block, columns, starts: [0] });
  const gated = (block: Block | undefined, order: readonly number[]): Place => ({
    block: block!,
    columns: spec.hidden,
    starts: GATES[spec.controller].map((_, g) => (spec.controller === 'gru' ? order[g] : g) * H4 * 4),
  });
  const ofEnds = (block: Block, columns: number, start: (end: number) => number): Place => ({
    block,
    columns,
    starts: ends.map(start),
  });
  const push = (e: number): number => R4 * 4 + 2 * e;
  const pop = (e: number): number => push(e) + 1;
  const value = (e: number): number => e * M4 * 4;
  const P = widthOfHeads(spec);
  const O = spec.readout || spec.outputs;
  const places: Record<string, () => Place> = {
    W_e: () => matrix(layout.We!, spec.embedding),
    W_hp: () => matrix(blocks.Whp, P),
    b_p: () => matrix(blocks.bp, P),
    W_d: () => ofEnds(blocks.S, 1, push),
    b_d: () => ofEnds(blocks.bS, 1, push),
    W_u: () => ofEnds(blocks.S, 1, pop),
    b_u: () => ofEnds(blocks.bS, 1, pop),
    W_v: () => ofEnds(blocks.S, spec.width, value),
    b_v: () => ofEnds(blocks.bS, spec.width, value),
    W_o: () => matrix(blocks.Wo, O),
    b_o: () => matrix(blocks.bo, O),
    W_s: () => matrix(blocks.Ws, spec.outputs),
    b_s: () => matrix(blocks.bs, spec.outputs),
    W_hx: () => matrix(blocks.Whx, spec.inputs),
    W_px: () => matrix(blocks.Wpx, spec.inputs),
  };
  layers.forEach((layer, l) => {
    places[layerName('W_xh', l)] = () => gated(layer.Wxe ?? layer.Wx, GRU_X);
    places[layerName('W_yh', l)] = () => gated(layer.Wy, GRU_X);
    places[layerName('W_hh', l)] = () => gated(layer.Wh, GRU_H);
    places[layerName('W_rh', l)] = () => ({
      ...gated(layer.Wr, GRU_X),
      rowOf: row => Math.floor(row / spec.width) * M4 * 4 + (row % spec.width),
    });
    places[layerName('b_h', l)] = () => gated(layer.b, GRU_X);
    places[layerName('h_0', l)] = () => matrix(layer.h0!, spec.hidden);
    places[layerName('c_0', l)] = () => matrix(layer.c0!, spec.hidden);
  });
  return places[name]();
}

/** Named tensors as the device's parameter buffer. Names that are missing stay 0, and so does what is derived. */
export function pack(layout: Layout, tensors: Tensors): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(layout.size4 * 4);
  eachRun(layout, (name, from, count, at) => {
    const tensor = tensors.get(name);
    if (tensor) packed.set(tensor.subarray(from, from + count), at);
  });
  return packed;
}

export function unpack(layout: Layout, packed: Float32Array): Tensors {
  const tensors: Tensors = new Map(
    parameters(layout.spec).map(({ name, shape }) => [name, new Float64Array(shape[0] * shape[1])]),
  );
  eachRun(layout, (name, from, count, at) => {
    tensors.get(name)!.set(packed.subarray(at, at + count), from);
  });
  return tensors;
}

/** Calls `visit` for every run of numbers that lies in one piece here and there. */
function eachRun(
  layout: Layout,
  visit: (name: string, from: number, count: number, at: number) => void,
): void {
  for (const { name, shape } of parameters(layout.spec)) {
    const { block, rowOf = row => row, columns, starts } = placeOf(layout, name);
    for (let row = 0; row < shape[0]; row++) {
      const at = (block.offset4 + rowOf(row) * block.ld4) * 4;
      starts.forEach((start, k) => {
        visit(name, row * shape[1] + k * columns, columns, at + start);
      });
    }
  }
}

/** Indices of the push biases b_d in the parameter buffer, in floats. */
export function pushBiasesAt(layout: Layout): number[] {
  if (layout.E === 0) return [];
  const { block, starts } = placeOf(layout, 'b_d');
  return starts.map(start => block.offset4 * 4 + start);
}
