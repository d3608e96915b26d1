import { expect } from 'vitest';
import { makeConfig, type TrainConfig } from '../../src/base/config.ts';
import { initialise, type ModelSpec, type Tensors } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import type { Engine, Forward, Model, ModelState } from '../../src/engine/engine.ts';
import { randomBatch } from './batches.ts';

/**
 * Compares a model of an engine with the reference: all results of a forward
 * pass, the gradients of all parameters, and a step of plain gradient descent.
 *
 * TOLERANCE is 2e-5 of a tensor's largest number. float32 rounds at 6e-8; WGSL allows errors of some 5e-7
 * in exp, and so in tanh and σ; and a chain of T = 9 steps through weights of order 1 amplifies them.
 * Gradients and the step may differ by five times as much.
 */
export const TOLERANCE = 2e-5;

export const SPECS: Record<string, Partial<ModelSpec>> = {
  'direct, softmax, trained start': {},
  wide: { hidden: 33, width: 8, inputs: 11, outputs: 9 },
  'projection, tanh, one-hot start (tutorial part 5)': { projection: 6, output: 'tanh', start: 'one-hot' },
  'projection, auto-encoder, σ, zero start (tutorial part 6)': {
    projection: 7,
    output: 'sigmoid',
    autoencoder: true,
    start: 'zero',
  },
  'direct, auto-encoder': { autoencoder: true, width: 4, hidden: 8 },
  smallest: { hidden: 1, width: 1, inputs: 1, outputs: 1, output: 'sigmoid' },
  'feed-forward, queue': { controller: 'feedforward', memory: 'queue' },
  'gru, deque': { controller: 'gru', memory: 'deque' },
  'two gru layers, one-hot start, auto-encoder': {
    controller: 'gru',
    layers: 2,
    start: 'one-hot',
    autoencoder: true,
  },
  'lstm, two deques, projection': {
    controller: 'lstm',
    memory: 'deque',
    memories: 2,
    projection: 6,
    width: 5,
  },
  'two layers of coupled lstm, projection, queue': {
    controller: 'lstm-coupled',
    layers: 2,
    projection: 5,
    memory: 'queue',
  },
  'three lstm layers, three stacks': { controller: 'lstm', layers: 3, memories: 3 },
  'two lstm layers, no memory, auto-encoder': {
    controller: 'lstm',
    layers: 2,
    memory: 'none',
    autoencoder: true,
    projection: 5,
  },
  // The lane form of the fused plan supports no embedding or readout: their products run outside the loop over time.
  'embedding and readout, queue': { embedding: 5, readout: 6, memory: 'queue' },
  // Rows of five vec4s: in the block form, each vec4 is loaded by a different invocation.
  'wide rows, deque': { memory: 'deque', width: 20 },
  'embedding, two layers, projection, deque': { embedding: 3, layers: 2, projection: 4, memory: 'deque' },
  'superposition stack of four cells': { memory: 'superposition', depth: 4 },
  'lstm, two superposition stacks, projection': {
    controller: 'lstm',
    memory: 'superposition',
    memories: 2,
    projection: 6,
    depth: 12,
    reads: 3,
  },
  'embedding and readout, superposition stack': { embedding: 5, readout: 6, memory: 'superposition' },
  'tape of four cells, all read': { memory: 'tape', depth: 4, reads: 4 },
  'gru, two tapes, projection': {
    controller: 'gru',
    memory: 'tape',
    memories: 2,
    projection: 6,
    width: 5,
    depth: 12,
    reads: 2,
  },
  'embedding and readout, tape of two cells': { embedding: 5, readout: 6, memory: 'tape', depth: 2 },
  'readout, no memory': { readout: 7, memory: 'none', controller: 'gru' },
};

/** Models that cover every memory: for engine variants that share nearly all code with another one. */
export const ONE_PER_MEMORY = [
  'direct, softmax, trained start',
  'lstm, two deques, projection',
  'two layers of coupled lstm, projection, queue',
  'lstm, two superposition stacks, projection',
  'gru, two tapes, projection',
];

/** Models that cover every memory and every kind of controller: for all other engine variants. */
export const FEW = [...ONE_PER_MEMORY, 'feed-forward, queue', 'gru, deque'];

export const LENGTHS = [9, 1, 5, 9, 2, 7, 3];

export const PLAIN: Partial<TrainConfig> = { optimiser: 'sgd', rate: 1, clip: 'none' };

/** The largest difference relative to the largest expected number. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  let largest = 0;
  for (let k = 0; k < expected.length; k++) {
    const distance = Math.abs(actual[k] - expected[k]);
    worst = Math.max(worst, Number.isFinite(distance) ? distance : Infinity);
    largest = Math.max(largest, Math.abs(expected[k]));
  }
  return worst === 0 ? 0 : worst / Math.max(largest, 1e-6);
}

export const startOf = (spec: ModelSpec): ModelState => {
  const parameters = initialise(spec, 7);
  const rng = new Rng(7, 99);
  // Biases that start at 0 would hide an error in their index.
  for (const values of parameters.values()) {
    values.forEach((x, k) => {
      values[k] = Math.fround(x + 0.6 * rng.uniform() - 0.3);
    });
  }
  return { step: 0, parameters, firstMoment: new Map(), secondMoment: new Map() };
};

export const configOf = (train: Partial<TrainConfig>): TrainConfig => makeConfig({ train }).train;

export async function modelsOn(
  engines: readonly Engine[],
  spec: ModelSpec,
  train: Partial<TrainConfig>,
): Promise<Model[]> {
  return Promise.all(engines.map(engine => engine.model(spec, configOf(train), startOf(spec))));
}

export function expectSame(actual: Tensors, expected: Tensors, tolerance: number): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected) {
    expect(difference(actual.get(name)!, values), name).toBeLessThanOrEqual(tolerance);
  }
}

const minus = (a: Tensors, b: Tensors): Tensors =>
  new Map([...a].map(([name, values]) => [name, values.map((x, k) => x - b.get(name)![k])]));

/** Compares a forward pass and its trace. */
export async function expectSameForward(engines: readonly Engine[], spec: ModelSpec): Promise<void> {
  const batch = randomBatch(new Rng(3, 1), spec, LENGTHS);
  const pair = await modelsOn(engines, spec, PLAIN);
  const [a, e] = await Promise.all(pair.map(model => model.forward(batch, true)));
  expect(Object.keys(a.controls)).toEqual(Object.keys(e.controls));
  for (const [name, numbers] of Object.entries(e.controls)) {
    expect(difference(a.controls[name], numbers), name).toBeLessThanOrEqual(TOLERANCE);
  }
  expect(difference(a.trace!.output, e.trace!.output), 'output').toBeLessThanOrEqual(TOLERANCE);
  expect(difference(a.trace!.read, e.trace!.read), 'read').toBeLessThanOrEqual(TOLERANCE);
  const flat = (f: Forward): number[] => f.trace!.strengths.flat(2).flatMap(row => [...row]);
  expect(difference(flat(a), flat(e)), 'strengths').toBeLessThanOrEqual(TOLERANCE);
  expect([...a.predicted]).toEqual([...e.predicted]);
  for (const [name, value] of Object.entries(e.report)) {
    const got = Number(a.report[name as keyof typeof a.report]);
    expect(difference([got], [Number(value)]), name).toBeLessThanOrEqual(TOLERANCE);
  }
  for (const model of pair) model.destroy();
}

/** Compares the gradients, and the changes of the parameters by a step of plain gradient descent at rate 1. */
export async function expectSameGradients(
  engines: readonly Engine[],
  spec: ModelSpec,
  { lengths = LENGTHS, state = startOf(spec), noise = true } = {},
): Promise<void> {
  const batch = randomBatch(new Rng(3, 1), spec, lengths, 2, noise);
  const pair = await Promise.all(engines.map(engine => engine.model(spec, configOf(PLAIN), state)));
  for (const model of pair) await model.step(batch);
  const [a, e] = await Promise.all(pair.map(model => model.gradients()));
  expectSame(a, e, 5 * TOLERANCE);
  const [after, expected] = await Promise.all(pair.map(async model => (await model.state()).parameters));
  expectSame(minus(state.parameters, after), minus(state.parameters, expected), 5 * TOLERANCE);
  const [[ours], [truth]] = await Promise.all(pair.map(model => model.reports()));
  expect(ours.gradientNorm / truth.gradientNorm).toBeCloseTo(1, 4);
  expect(ours.finite).toBe(true);
  for (const model of pair) model.destroy();
}
