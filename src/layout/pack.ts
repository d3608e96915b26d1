import { cellOf } from '../base/cells.ts';
import { memoryKind } from '../base/memories.ts';
import { headInputWidth, layerName, parameters, type Tensors } from '../base/parameters.ts';
import type { Block, Layout } from './layout.ts';

/** Conversion between named tensors (as in checkpoints) and the packed parameters of the fast engines. */

/** Location of a named parameter: its block, and the pieces of columns that it consists of. */
interface Place {
  block: Block;
  /** Row of the block that holds a row of the tensor; absent: the same row. */
  rowOf?: (row: number) => number;
  /** Columns per piece, and the column of the block at which each piece starts. */
  columns: number;
  starts: readonly number[];
}

function placeOf(layout: Layout, name: string): Place {
  const { spec, blocks, layers, gates, H4, M4, N4, E, stride } = layout;
  const ends = Array.from({ length: E }, (_, e) => e);
  const matrix = (block: Block, columns: number): Place => ({ block, columns, starts: [0] });
  const gated = (block: Block | undefined, input: 'x' | 'h'): Place => ({
    block: block!,
    columns: spec.hidden,
    starts: cellOf(spec).gates.map((_, g) => (gates.order?.[input][g] ?? g) * H4 * 4),
  });
  const ofEnds = (block: Block, columns: number, start: (end: number) => number): Place => ({
    block,
    columns,
    starts: ends.map(start),
  });
  const value = (e: number): number => e * M4 * 4;
  const P = headInputWidth(spec);
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

/** Packs named tensors into a parameter buffer of layout.size4 vec4s. Missing tensors and derived matrices are 0. */
export function pack(layout: Layout, tensors: Tensors): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(layout.size4 * 4);
  eachRange(layout, (name, from, count, at) => {
    const tensor = tensors.get(name);
    if (tensor) packed.set(tensor.subarray(from, from + count), at);
  });
  return packed;
}

/** Unpacks a parameter buffer into named tensors. */
export function unpack(layout: Layout, packed: Float32Array): Tensors {
  const tensors: Tensors = new Map(
    parameters(layout.spec).map(({ name, shape }) => [name, new Float64Array(shape[0] * shape[1])]),
  );
  eachRange(layout, (name, from, count, at) => {
    tensors.get(name)!.set(packed.subarray(at, at + count), from);
  });
  return tensors;
}

/** Calls `visit` for every range of numbers that is contiguous in the tensor (`from`) and in the buffer (`at`). */
function eachRange(
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

/** Indices of the push biases b_d in the parameter buffer, in floats. Empty if the memory has no push strength. */
export function pushBiasesAt(layout: Layout): number[] {
  if (!memoryKind(layout.spec.memory).controls.some(({ symbol }) => symbol === 'd')) return [];
  const { block, starts } = placeOf(layout, 'b_d');
  return starts.map(start => block.offset4 * 4 + start);
}
