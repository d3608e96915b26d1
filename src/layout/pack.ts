import { GATES, layerName, parameters, type Tensors, widthOfHeads } from '../base/parameters.ts';
import type { Block, Layout } from './layout.ts';

/** Named tensors, as checkpoints have them, to and from the packed parameters of the fast engines. */

/** Where the blocks of columns of the checkpoint (base/parameters.ts) stand: of W_xh and its like, of W_hh. */
const GRU_X = [1, 2, 0];
const GRU_H = [0, 1, 2];

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
