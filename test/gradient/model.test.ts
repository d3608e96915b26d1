import { describe, expect, it } from 'vitest';
import { type Batch, NO_INPUT } from '../../src/base/dims.ts';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { type ModelSpec, type Tensors, zeros } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { strengthsOf } from '../../src/reference/memories.ts';
import { memoryForward } from '../../src/reference/memory.ts';
import { modelBackward, modelForward } from '../../src/reference/model.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, modelMargin } from '../support/margins.ts';

const LENGTHS = [6, 1, 4];

interface Draw {
  weights: Tensors;
  batch: Batch;
}

/** Random parameters in [-1, 1), including h_0 and the biases, and a batch. */
function draw(rng: Rng, spec: ModelSpec): Draw {
  const weights = zeros(spec);
  for (const w of weights.values()) for (let n = 0; n < w.length; n++) w[n] = 2 * rng.uniform() - 1;
  return { weights, batch: randomBatch(rng, spec, LENGTHS) };
}

const marginOf = (spec: ModelSpec, { weights, batch }: Draw): number =>
  modelMargin(spec, modelForward(spec, weights, batch).sequences);

const drawn = (spec: ModelSpec): Draw =>
  drawAwayFromTies(
    rng => draw(rng, spec),
    candidate => marginOf(spec, candidate),
  );

/** Compares all gradients of a model with central differences. */
function check(model: Partial<ModelSpec>): void {
  const spec = makeSpec(model);
  const { weights, batch } = drawn(spec);
  const { sequences } = modelForward(spec, weights, batch);
  const gradients = modelBackward(spec, weights, batch, sequences);
  expectGradients(() => modelForward(spec, weights, batch).objective, weights, gradients);
}

const CONTROLLERS = ['rnn', 'lstm', 'lstm-coupled', 'gru', 'feedforward'] as const;
const MEMORIES = [...MEMORY_NAMES, 'none'] as const;
const STARTS = ['trained', 'zero', 'one-hot'] as const;

describe.each(MEMORIES)('memory %s', memory => {
  it.each(CONTROLLERS.flatMap(controller => [1, 2].map(layers => ({ controller, layers }))))(
    '$controller with $layers layers',
    ({ controller, layers }) => check({ memory, controller, layers, hidden: 4, width: 2 }),
  );

  it.each(CONTROLLERS)('%s with two memories, embedding and readout', controller =>
    check({ memory, controller, memories: 2, embedding: 3, readout: 3, hidden: 4, width: 2 }),
  );

  it('with two memories, which read several cells if they have cells', () =>
    check({ memory, memories: 2, depth: 3, reads: 2, hidden: 4, width: 2 }));

  it('with every option', () =>
    check({
      memory,
      controller: 'lstm',
      layers: 3,
      memories: 2,
      embedding: 3,
      readout: 3,
      projection: 5,
      autoencoder: true,
      output: 'sigmoid',
      hidden: 3,
      width: 2,
    }));
});

describe.each(CONTROLLERS)('%s', controller => {
  it.each(STARTS.flatMap(start => [1, 3].map(layers => ({ start, layers }))))(
    'start $start, $layers layers, projection and auto-encoder',
    ({ start, layers }) =>
      check({
        controller,
        start,
        layers,
        projection: 4,
        autoencoder: true,
        output: 'tanh',
        hidden: 3,
        width: 2,
      }),
  );
});

describe.each(['softmax', 'tanh', 'sigmoid'] as const)('output %s', output => {
  describe.each(STARTS)('start %s', start => {
    it.each([
      [0, false],
      [0, true],
      [6, false],
      [6, true],
    ])('projection %i, autoencoder %s', (projection, autoencoder) => {
      check({ output, start, projection, autoencoder });
    });
  });
});

describe('the objective', () => {
  const spec = makeSpec({ output: 'tanh', autoencoder: true });
  const { weights, batch } = drawn(spec);
  const { objective, sequences } = modelForward(spec, weights, batch);

  it('ignores padding', () => {
    const other = { ...batch, ids: batch.ids.slice(), target: batch.target.slice() };
    for (let t = 0; t < batch.T; t++) {
      for (let b = 0; b < batch.B; b++) {
        if (t < batch.lengths[b]) continue;
        other.ids[(t * batch.B + b) * batch.K] = 3;
        other.target[t * batch.B + b] = 3;
      }
    }
    expect(modelForward(spec, weights, other).objective).toBe(objective);
    expect(sequences.map(({ steps }) => steps.length)).toEqual(LENGTHS);
  });

  it('is linear in the weights of the sequences', () => {
    const alone = LENGTHS.map((_, b) => {
      const weight = new Float32Array(batch.B);
      weight[b] = batch.weight[b];
      return modelForward(spec, weights, { ...batch, weight }).objective;
    });
    expect(alone.reduce((sum, x) => sum + x, 0)).toBeCloseTo(objective, 12);
  });

  it('includes the noise', () => {
    const { noise: _, ...silent } = batch;
    expect(modelForward(spec, weights, silent).objective).not.toBe(objective);
    // Without weights the logits are the noise itself, [T,B,E,C]: for each end, the push, then the pop.
    const two = makeSpec({ memory: 'deque', memories: 2 });
    const other = drawn(two).batch;
    const { steps } = modelForward(two, zeros(two), other).sequences[2];
    const n = 3 * other.B + 2;
    for (let e = 0; e < 4; e++) {
      const [d, u] = steps[3].controls;
      expect(d[e]).toBeCloseTo(1 / (1 + Math.exp(-other.noise![2 * (4 * n + e)])), 14);
      expect(u[e]).toBeCloseTo(1 / (1 + Math.exp(-other.noise![2 * (4 * n + e) + 1])), 14);
    }
    const none = { ...batch, noise: new Float32Array(batch.noise!.length) };
    expect(modelForward(spec, weights, none).objective).toBe(modelForward(spec, weights, silent).objective);
  });
});

describe('several memories', () => {
  it('have their own ends: controls, values and reads of memory k are those of ends 2k and 2k + 1', () => {
    const spec = makeSpec({ memory: 'deque', memories: 2 });
    const { weights, batch } = drawn(spec);
    const [M, E] = [spec.width, 4];
    const { steps } = modelForward(spec, weights, batch).sequences[0];
    for (const k of [0, 1]) {
      const ends = (all: Float64Array, width = 1) => [...all.subarray(2 * k * width, 2 * (k + 1) * width)];
      const { read, strengths } = memoryForward(
        'deque',
        [0, 1].map(c => steps.flatMap(({ controls }) => ends(controls[c]))),
        steps.flatMap(({ v }) => ends(v, M)),
      );
      expect(steps.flatMap(({ r }) => ends(r, M))).toEqual([...read]);
      expect(steps.map(({ memories }) => strengthsOf(spec, memories)[k])).toEqual(strengths);
    }
    expect(steps[0].v).toHaveLength(E * M);
    // At the first step, the read of each end takes the value pushed at that end, then the rest from the other end.
    const first = steps[0];
    const [d] = first.controls;
    for (let e = 0; e < E; e++) {
      const other = e % 2 === 0 ? e + 1 : e - 1;
      for (let m = 0; m < M; m++) {
        const rest = Math.min(d[other], 1 - d[e]);
        expect(first.r[e * M + m]).toBeCloseTo(d[e] * first.v[e * M + m] + rest * first.v[other * M + m], 14);
      }
    }
  });

  it('if there are none, a step has no heads and no reads', () => {
    const spec = makeSpec({ memory: 'none', controller: 'lstm' });
    const { weights, batch } = drawn(spec);
    const [step] = modelForward(spec, weights, batch).sequences[0].steps;
    expect([step.controls, step.v, step.r, step.memories].map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  });
});

it('the forward pass equals one written out here: two layers, a deque, embeddings of several inputs, a readout', () => {
  const spec = makeSpec({
    layers: 2,
    memory: 'deque',
    embedding: 4,
    readout: 6,
    start: 'one-hot',
    output: 'tanh',
  });
  const { weights, batch } = draw(new Rng(1, 106), spec);
  const { hidden: H, width: M } = spec;
  /** x·W, where W has x.length rows. */
  const map = (x: number[], name: string): number[] => {
    const W = weights.get(name)!;
    const O = W.length / x.length;
    return Array.from({ length: O }, (_, o) => x.reduce((sum, xi, i) => sum + xi * W[i * O + o], 0));
  };
  const add = (...terms: number[][]): number[] => terms[0].map((_, i) => terms.reduce((s, a) => s + a[i], 0));
  const bias = (name: string): number[] => [...weights.get(name)!];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const unit = (n: number): number[] => Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0));

  let [h1, h2, r] = [unit(H), new Array<number>(H).fill(0), unit(2 * M)];
  const [push, pop, value]: number[][] = [[], [], []];
  const { steps } = modelForward(spec, weights, batch).sequences[0];
  steps.forEach((step, t) => {
    const n = t * batch.B;
    const hot = new Array<number>(spec.inputs).fill(0);
    for (const id of batch.ids.subarray(n * batch.K, (n + 1) * batch.K)) if (id !== NO_INPUT) hot[id] += 1;
    const x = map(hot, 'W_e');
    h1 = add(map(x, 'W_xh'), map(h1, 'W_hh'), map(r, 'W_rh'), bias('b_h')).map(Math.tanh);
    const a2 = [map(x, 'W_xh_2'), map(h1, 'W_yh_2'), map(h2, 'W_hh_2'), map(r, 'W_rh_2'), bias('b_h_2')];
    h2 = add(...a2).map(Math.tanh);
    const noise = (k: number): number[] => [0, 1].map(e => batch.noise![(2 * n + e) * 2 + k]);
    push.push(...add(map(h2, 'W_d'), bias('b_d'), noise(0)).map(sigmoid));
    pop.push(...add(map(h2, 'W_u'), bias('b_u'), noise(1)).map(sigmoid));
    value.push(...add(map(h2, 'W_v'), bias('b_v')).map(Math.tanh));
    const { read } = memoryForward('deque', [push, pop], value);
    r = [...read.slice(-2 * M)];
    const o = add(map(h2, 'W_o'), bias('b_o')).map(Math.tanh);
    const y = add(map(o, 'W_s'), bias('b_s')).map(Math.tanh);
    for (const [actual, expected] of [
      [step.r, r],
      [step.output, y],
    ] as const) {
      expect(actual).toHaveLength(expected.length);
      expected.forEach((w, i) => {
        expect(actual[i]).toBeCloseTo(w, 12);
      });
    }
  });
});
