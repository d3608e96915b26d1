import { ceilTo } from '../base/dims.ts';
import { type ModelSpec, parameters, type Tensors, widthOfHeads } from '../base/parameters.ts';

/**
 * Where everything of a model lies on the device. Rows are padded to multiples of 4 floats, so that all kernels
 * load vec4s; padding is 0 and stays 0, because its gradients are sums of products with zeros.
 */
export interface Layout {
  spec: ModelSpec;
  /** Sizes in vec4s: of h, o', r, the heads' row s, outputs, inputs. */
  H4: number;
  P4: number;
  M4: number;
  S4: number;
  V4: number;
  D4: number;
  /** Blocks of parameters, in vec4s. */
  blocks: Record<BlockName, Block>;
  /** Length of the parameter buffer in vec4s. */
  size4: number;
}

/**
 * The matrices the kernels see. `S` puts the three heads side by side: the row s = (v, padding, d, u, 0, 0)
 * holds what the memory needs at one step, with v and (d, u) on vec4 boundaries.
 */
export type BlockName =
  | 'Wx'
  | 'Wh'
  | 'Wr'
  | 'bh'
  | 'h0'
  | 'Whp'
  | 'bp'
  | 'S'
  | 'bS'
  | 'Wo'
  | 'bo'
  | 'Whx'
  | 'Wpx';

export interface Block {
  offset4: number;
  rows: number;
  /** Leading dimension: vec4s per row. */
  ld4: number;
}

/** Where a named parameter lies: first float, floats per row. */
interface Place {
  offset: number;
  ld: number;
}

export function layoutOf(spec: ModelSpec): Layout {
  const { inputs: D, hidden: H, width: M, outputs: V } = spec;
  const P = widthOfHeads(spec);
  const in4 = (n: number): number => ceilTo(n, 4) / 4;
  const [H4, P4, M4, V4, D4] = [H, P, M, V, D].map(in4);
  const S4 = M4 + 1;
  let size4 = 0;
  const block = (rows: number, ld4: number): Block => {
    const offset4 = size4;
    size4 += rows * ld4;
    return { offset4, rows, ld4 };
  };
  const blocks: Layout['blocks'] = {
    Wx: block(D, H4),
    Wh: block(H, H4),
    Wr: block(M, H4),
    bh: block(1, H4),
    h0: block(spec.start === 'trained' ? 1 : 0, H4),
    Whp: block(spec.deeper ? H : 0, P4),
    bp: block(spec.deeper ? 1 : 0, P4),
    S: block(P, S4),
    bS: block(1, S4),
    Wo: block(P, V4),
    bo: block(1, V4),
    Whx: block(spec.autoencoder ? H : 0, D4),
    Wpx: block(spec.autoencoder ? P : 0, D4),
  };
  // Kernels read rows in fours: up to three rows past the end of a matrix, times zeros.
  size4 += 3 * Math.max(H4, P4, S4, V4, D4);
  return { spec, H4, P4, M4, S4, V4, D4, blocks, size4 };
}

function placeOf({ blocks, M4 }: Layout, name: string): Place {
  const at = (block: BlockName, column = 0): Place => ({
    offset: blocks[block].offset4 * 4 + column,
    ld: blocks[block].ld4 * 4,
  });
  const column = { v: 0, d: M4 * 4, u: M4 * 4 + 1 };
  const places: Record<string, () => Place> = {
    W_xh: () => at('Wx'),
    W_hh: () => at('Wh'),
    W_rh: () => at('Wr'),
    b_h: () => at('bh'),
    h_0: () => at('h0'),
    W_hp: () => at('Whp'),
    b_p: () => at('bp'),
    W_v: () => at('S', column.v),
    W_d: () => at('S', column.d),
    W_u: () => at('S', column.u),
    b_v: () => at('bS', column.v),
    b_d: () => at('bS', column.d),
    b_u: () => at('bS', column.u),
    W_o: () => at('Wo'),
    b_o: () => at('bo'),
    W_hx: () => at('Whx'),
    W_px: () => at('Wpx'),
  };
  return places[name]();
}

/** Named tensors as the device's parameter buffer. Names that are missing stay 0. */
export function pack(layout: Layout, tensors: Tensors): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(layout.size4 * 4);
  eachPlace(layout, (name, row, columns, at) => {
    const tensor = tensors.get(name);
    if (tensor) packed.set(tensor.subarray(row * columns, (row + 1) * columns), at);
  });
  return packed;
}

export function unpack(layout: Layout, packed: Float32Array): Tensors {
  const tensors: Tensors = new Map(
    parameters(layout.spec).map(({ name, shape }) => [name, new Float64Array(shape[0] * shape[1])]),
  );
  eachPlace(layout, (name, row, columns, at) => {
    tensors.get(name)!.set(packed.subarray(at, at + columns), row * columns);
  });
  return tensors;
}

function eachPlace(
  layout: Layout,
  visit: (name: string, row: number, columns: number, at: number) => void,
): void {
  for (const { name, shape } of parameters(layout.spec)) {
    const { offset, ld } = placeOf(layout, name);
    for (let row = 0; row < shape[0]; row++) visit(name, row, shape[1], offset + row * ld);
  }
}

/** Index of the push bias b_d in the parameter buffer, in floats. */
export const pushBiasAt = (layout: Layout): number => placeOf(layout, 'b_d').offset;
