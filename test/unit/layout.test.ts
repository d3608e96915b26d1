import { describe, expect, test } from 'vitest';
import { type ModelSpec, parameters, type Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { type Block, layoutOf } from '../../src/layout/layout.ts';
import { pack, pushBiasesAt, unpack } from '../../src/layout/pack.ts';
import { operand } from '../../src/layout/tensors.ts';
import { makeSpec } from '../support/batches.ts';

/** The layout of packed parameters and the table of activations, which all fast engines share. */

const SPECS: Record<string, Partial<ModelSpec>> = {
  'rnn, stack': {},
  'gru, deque, projection': { controller: 'gru', memory: 'deque', projection: 6 },
  'two lstm layers, two deques, trained start': {
    controller: 'lstm',
    layers: 2,
    memory: 'deque',
    memories: 2,
    width: 5,
    start: 'trained',
  },
  'embedding, readout, queue': { embedding: 5, readout: 6, memory: 'queue' },
  'auto-encoder, no memory': { autoencoder: true, memory: 'none' },
  'feed-forward': { controller: 'feedforward' },
  'multiples of four': { hidden: 8, width: 4, inputs: 8, outputs: 4, projection: 12 },
};

/** Every parameter with distinct numbers, none of them 0. */
const numbered = (spec: ModelSpec): Tensors => {
  let next = 1;
  return new Map(
    parameters(spec).map(({ name, shape }) => [
      name,
      Float64Array.from({ length: shape[0] * shape[1] }, () => next++),
    ]),
  );
};

describe.each(Object.entries(SPECS))('%s', (_, partial) => {
  const spec = makeSpec(partial);
  const layout = layoutOf(spec);
  const blocks = [
    ...(layout.We ? [layout.We] : []),
    ...layout.layers.flatMap(layer => Object.values(layer) as Block[]),
    ...Object.values(layout.blocks),
  ].filter(({ rows, ld4 }) => rows * ld4 > 0);

  test('blocks are contiguous, matrices before biases, derived values last', () => {
    const sorted = blocks.toSorted((a, b) => a.offset4 - b.offset4);
    let at = 0;
    for (const { offset4, rows, ld4 } of sorted) {
      expect(offset4).toBe(at);
      at += rows * ld4;
    }
    // Kernels read rows in groups of four, up to three rows past the end of the last matrix.
    expect(layout.size4).toBeGreaterThanOrEqual(at + 3 * Math.max(...blocks.map(({ ld4 }) => ld4)));
    for (const { b } of layout.layers) expect(b.offset4).toBeGreaterThanOrEqual(layout.weights4);
    expect(layout.blocks.Wo.offset4).toBeLessThan(layout.weights4);
    if (layout.We) expect(layout.layers[0].Wx.offset4).toBe(layout.trained4);
  });

  test('unpack is the inverse of pack; padding stays 0', () => {
    const tensors = numbered(spec);
    const packed = pack(layout, tensors);
    expect(packed).toHaveLength(4 * layout.size4);
    expect(unpack(layout, packed)).toEqual(tensors);
    const count = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
    expect(packed.filter(x => x !== 0)).toHaveLength(count);
    expect(packed.subarray(4 * layout.trained4).every(x => x === 0)).toBe(true);
  });

  test('tensors that are not given stay 0', () => {
    const [[name, values]] = numbered(spec);
    const unpacked = unpack(layout, pack(layout, new Map([[name, values]])));
    for (const [other, numbers] of unpacked) {
      expect(
        numbers.some(x => x !== 0),
        other,
      ).toBe(other === name);
    }
  });

  test('an operand has the width of its tensor', () => {
    const names = layout.tensors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, arena, width4 } of layout.tensors) {
      expect(operand(layout, name)).toEqual({ field: name, arena, width4, skip: 0, from: 0 });
    }
  });
});

test('the positions of an RNN of 5 units with a stack of width 3, computed by hand', () => {
  // 6 inputs, 4 outputs. In vec4s: H = 5 takes 2, M = 3 takes 1, and the heads' row s takes 2: v, then d and u.
  // Without a projection, o' = h.
  const layout = layoutOf(makeSpec({ hidden: 5, width: 3, inputs: 6, outputs: 4 }));
  expect([layout.H4, layout.M4, layout.R4, layout.S4, layout.V4, layout.E]).toEqual([2, 1, 1, 2, 1, 1]);
  const [{ Wx, Wh, Wr, b, h0 }] = layout.layers;
  expect(Wx).toEqual({ offset4: 0, rows: 6, ld4: 2 });
  expect(Wh).toEqual({ offset4: 12, rows: 5, ld4: 2 });
  expect(Wr).toEqual({ offset4: 22, rows: 4, ld4: 2 });
  expect(layout.blocks.S).toEqual({ offset4: 30, rows: 5, ld4: 2 });
  expect(layout.blocks.Wo).toEqual({ offset4: 40, rows: 5, ld4: 1 });
  expect(layout.weights4).toBe(45);
  expect([b.offset4, h0?.offset4, layout.blocks.bS.offset4, layout.blocks.bo.offset4]).toEqual([
    45, 47, 49, 51,
  ]);
  expect(layout.trained4).toBe(52);

  const rng = new Rng(1, 2);
  const spec = layout.spec;
  const tensors: Tensors = new Map(
    parameters(spec).map(({ name, shape }) => [
      name,
      Float64Array.from({ length: shape[0] * shape[1] }, () => Math.fround(rng.normal())),
    ]),
  );
  const packed = pack(layout, tensors);
  // Row 2, column 4 of W_hh; row 1, column 2 of W_v; row 1 of W_d and of W_u, side by side in the vec4 after v.
  expect(packed[4 * (12 + 2 * 2) + 4]).toBe(tensors.get('W_hh')![2 * 5 + 4]);
  expect(packed[4 * (30 + 1 * 2) + 2]).toBe(tensors.get('W_v')![1 * 3 + 2]);
  expect(packed[4 * (30 + 1 * 2) + 4]).toBe(tensors.get('W_d')![1]);
  expect(packed[4 * (30 + 1 * 2) + 5]).toBe(tensors.get('W_u')![1]);
  expect(pushBiasesAt(layout)).toEqual([4 * 49 + 4]);
  expect(packed[4 * 49 + 4]).toBe(tensors.get('b_d')![0]);
});

test('a GRU packs its blocks in this order: the part of n from the inputs, z, r, the part of n from h', () => {
  const layout = layoutOf(makeSpec({ controller: 'gru', hidden: 4 }));
  const tensors = numbered(layout.spec);
  const packed = pack(layout, tensors);
  // Checkpoints have the columns z, r, n.
  const W_xh = tensors.get('W_xh')!;
  const W_hh = tensors.get('W_hh')!;
  const [{ Wx, Wh }] = layout.layers;
  expect([...packed.subarray(4 * Wx.offset4, 4 * Wx.offset4 + 12)]).toEqual([
    ...W_xh.subarray(8, 12),
    ...W_xh.subarray(0, 4),
    ...W_xh.subarray(4, 8),
  ]);
  expect([...packed.subarray(4 * Wh!.offset4, 4 * Wh!.offset4 + 12)]).toEqual([...W_hh.subarray(0, 12)]);
});

test('models without a memory have no push biases, and a deque has one per end', () => {
  expect(pushBiasesAt(layoutOf(makeSpec({ memory: 'none' })))).toEqual([]);
  const layout = layoutOf(makeSpec({ memory: 'deque', memories: 2 }));
  const at = pushBiasesAt(layout);
  expect(at).toHaveLength(4);
  const packed = pack(layout, numbered(layout.spec));
  expect(at.map(i => packed[i])).toEqual([...numbered(layout.spec).get('b_d')!]);
});

test('an operand may omit the starting state, or start at a column; an unknown operand is an error', () => {
  const layout = layoutOf(makeSpec({ controller: 'lstm', layers: 2 }));
  expect(operand(layout, 'c1', { skip: 1 })).toEqual({
    field: 'c1',
    arena: 'acts',
    width4: 2,
    skip: 1,
    from: 0,
  });
  expect(operand(layout, 'dA0', { from: 4 })).toEqual({
    field: 'dA0',
    arena: 'grads',
    width4: 8,
    skip: 0,
    from: 4,
  });
  expect(() => operand(layout, 'dZ')).toThrow(/no tensor dZ: it has h0, c0, h1/);
});
