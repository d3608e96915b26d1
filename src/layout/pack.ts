import { cellOf } from '../base/cells.ts';
import { memoryKind } from '../base/memories.ts';
import { layerName, parameters, type Tensors, widthOfHeads } from '../base/parameters.ts';
import type { Block, Layout } from './layout.ts';

/** Named tensors, as checkpoints have them, to and from the packed parameters of the fast engines. */

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
  const { spec, blocks, layers, gates, H4, M4, N4, E, stride } = layout;
  const ends = Array.from({ length: E }, (_, e) => e);
  const matrix = (block: Block, columns: number): Place => ({ block, columns, starts: [0] });
  const gated = (block: Block | undefined, of: 'x' | 'h'): Place => ({
    block: block!,
    columns: spec.hidden,
    starts: cellOf(spec).gates.map((_, g) => (gates.order?.[of][g] ?? g) * H4 * 4),
  });
  const ofEnds = (block: Block, columns: number, start: (end: number) => number): Place => ({
    block,
    columns,
    starts: ends.map(start),
  });
  const value = (e: number): number => e * M4 * 4;
  const P = widthOfHeads(spec);
  const O = spec.readout || spec.outputs;
  const places: Record<string, () => Place> = {
    W_e: () => matrix(layout.We!, spec.embedding),
    W_hp: () => matrix(blocks.Whp, P),
    b_p: () => matrix(blocks.bp, P),
    W_v: () => ofEnds(blocks.S, spec.width, value),
    b_v: () => ofEnds(blocks.bS, spec.width, value),
    W_o: () => matrix(blocks.Wo, O),
    b_o: () => matrix(blocks.bo, O),
    W_s: () => matrix(blocks.Ws, spec.outputs),
    b_s: () => matrix(blocks.bs, spec.outputs),
    W_hx: () => matrix(blocks.Whx, spec.inputs),
    W_px: () => matrix(blocks.Wpx, spec.inputs),
  };
  memoryKind(spec.memory).controls.forEach(({ symbol }, c) => {
    const control = (e: number): number => N4 * 4 + stride * e + c;
    places[`W_${symbol}`] = () => ofEnds(blocks.S, 1, control);
    places[`b_${symbol}`] = () => ofEnds(blocks.bS, 1, control);
  });
  layers.forEach((layer, l) => {
    places[layerName('W_xh', l)] = () => gated(layer.Wxe ?? layer.Wx, 'x');
    places[layerName('W_yh', l)] = () => gated(layer.Wy, 'x');
    places[layerName('W_hh', l)] = () => gated(layer.Wh, 'h');
    places[layerName('W_rh', l)] = () => ({
      ...gated(layer.Wr, 'x'),
      rowOf: row => Math.floor(row / spec.width) * M4 * 4 + (row % spec.width),
    });
    places[layerName('b_h', l)] = () => gated(layer.b, 'x');
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

/** Indices of the biases b_d of push strengths in the parameter buffer, in floats; none where nothing is pushed. */
export function pushBiasesAt(layout: Layout): number[] {
  if (!memoryKind(layout.spec.memory).controls.some(({ symbol }) => symbol === 'd')) return [];
  const { block, starts } = placeOf(layout, 'b_d');
  return starts.map(start => block.offset4 * 4 + start);
}
