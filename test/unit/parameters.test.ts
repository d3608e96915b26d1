import { describe, expect, it } from 'vitest';
import { endsOfModel } from '../../src/base/memories.ts';
import { countParameters, initialise, type ModelSpec, parameters, zeros } from '../../src/base/parameters.ts';
import { makeSpec } from '../support/batches.ts';
import { countLikePaper } from '../support/paper-count.ts';

const shapes = (model: Partial<ModelSpec>): Record<string, [number, number]> =>
  Object.fromEntries(parameters(makeSpec(model)).map(({ name, shape }) => [name, shape]));

describe("the paper's counts", () => {
  // 128 symbols with separate embeddings for source and target, and their markers among the inputs.
  const paper = (model: Partial<ModelSpec>): number =>
    countLikePaper(makeSpec({ controller: 'lstm', embedding: 64, inputs: 259, outputs: 129, ...model }));

  it.each([
    ['stack', 256, 673_602],
    ['queue', 256, 673_602],
    ['deque', 256, 1_002_052],
    ['stack', 512, 1_871_170],
    ['queue', 512, 1_871_170],
    ['deque', 512, 2_527_812],
  ] as const)('%s, h = %i: exactly %i', (memory, hidden, count) => {
    expect(paper({ memory, hidden, width: 256, readout: 64 })).toBe(count);
  });

  it.each([
    [1, 256, 3.3, 1e5],
    [2, 256, 9.1, 1e5],
    [4, 256, 2.1, 1e6],
    [8, 256, 4.5, 1e6],
    [1, 512, 1.2, 1e6],
    [2, 512, 3.4, 1e6],
    [4, 512, 7.8, 1e6],
    [8, 512, 1.7, 1e7],
  ])('%i layers of h = %i without a memory: %f·%i', (layers, hidden, digits, power) => {
    const count = paper({ memory: 'none', layers, hidden, readout: 0 });
    expect(Math.abs(count / power - digits)).toBeLessThan(0.1);
  });
});

describe('the table of parameters', () => {
  it('of the default model: rnn and one stack', () => {
    expect(shapes({})).toEqual({
      W_xh: [6, 5],
      W_hh: [5, 5],
      W_rh: [3, 5],
      b_h: [1, 5],
      h_0: [1, 5],
      W_d: [5, 1],
      b_d: [1, 1],
      W_u: [5, 1],
      b_u: [1, 1],
      W_v: [5, 3],
      b_v: [1, 3],
      W_o: [5, 4],
      b_o: [1, 4],
    });
  });

  it('of two layers, two deques, embedding, readout and the projection layer', () => {
    const model: Partial<ModelSpec> = { controller: 'gru', layers: 2, memory: 'deque', memories: 2 };
    expect(endsOfModel(makeSpec(model))).toBe(4);
    expect(shapes({ ...model, embedding: 7, readout: 8, projection: 9 })).toEqual({
      W_e: [6, 7],
      W_xh: [7, 15],
      W_hh: [5, 15],
      W_rh: [12, 15],
      b_h: [1, 15],
      h_0: [1, 5],
      W_xh_2: [7, 15],
      W_yh_2: [5, 15],
      W_hh_2: [5, 15],
      W_rh_2: [12, 15],
      b_h_2: [1, 15],
      h_0_2: [1, 5],
      W_hp: [5, 9],
      b_p: [1, 9],
      W_d: [9, 4],
      b_d: [1, 4],
      W_u: [9, 4],
      b_u: [1, 4],
      W_v: [9, 12],
      b_v: [1, 12],
      W_o: [9, 8],
      b_o: [1, 8],
      W_s: [8, 4],
      b_s: [1, 4],
    });
  });

  it('has c_0 only for an LSTM, and neither state nor W_hh for a feed-forward controller', () => {
    expect(Object.keys(shapes({ controller: 'lstm', layers: 2 }))).toEqual(
      expect.arrayContaining(['h_0', 'c_0', 'h_0_2', 'c_0_2']),
    );
    expect(shapes({ controller: 'lstm', start: 'zero' })).not.toHaveProperty('c_0');
    const names = Object.keys(shapes({ controller: 'feedforward' }));
    for (const name of ['W_hh', 'h_0', 'c_0']) expect(names).not.toContain(name);
  });

  it('of a model without a memory has no heads and no W_rh', () => {
    const names = Object.keys(shapes({ memory: 'none' }));
    for (const name of ['W_rh', 'W_d', 'b_d', 'W_u', 'b_u', 'W_v', 'b_v']) expect(names).not.toContain(name);
  });

  it('zeros() has as many numbers as countParameters() returns', () => {
    const spec = makeSpec({ controller: 'lstm', layers: 3, memory: 'deque', embedding: 2 });
    const sizes = [...zeros(spec).values()].map(({ length }) => length);
    expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(countParameters(spec));
  });
});

describe('starting values', () => {
  it('the configuration sets the forget bias of every LSTM layer, and push and pop biases of every end', () => {
    const spec = makeSpec({
      ...{ controller: 'lstm', layers: 2, memory: 'deque', memories: 2, hidden: 2 },
      ...{ forgetBias: 3, pushBias: 0.5, popBias: -2 },
    });
    const w = initialise(spec, 1);
    for (const name of ['b_h', 'b_h_2']) expect([...w.get(name)!]).toEqual([0, 0, 3, 3, 0, 0, 0, 0]);
    expect([...w.get('b_d')!]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...w.get('b_u')!]).toEqual([-2, -2, -2, -2]);
    const closedBottom = initialise({ ...spec, bottomPushBias: -4 }, 1);
    expect([...closedBottom.get('b_d')!]).toEqual([0.5, -3.5, 0.5, -3.5]);
  });

  it("are within Glorot's bound for one gate or end, exact in float32, and different in every attempt", () => {
    const spec = makeSpec({ controller: 'gru', memory: 'deque' });
    const w = initialise(spec, 1);
    const largest = (name: string) => Math.max(...w.get(name)!.map(Math.abs));
    expect(largest('W_hh')).toBeLessThanOrEqual(Math.sqrt(6 / 10));
    expect(largest('W_hh')).toBeGreaterThan(0.8 * Math.sqrt(6 / 10));
    expect(largest('W_d')).toBeLessThanOrEqual(0.5 * Math.sqrt(6 / 6));
    for (const x of w.values()) for (const value of x) expect(Math.fround(value)).toBe(value);
    expect(initialise(spec, 1)).toEqual(w);
    expect(initialise(spec, 1, 1).get('W_hh')).not.toEqual(w.get('W_hh'));
  });
});
