/**
 * The measured problems as data: pushdown and every peer get the same inputs, so that their
 * outputs can be compared before they are timed. This file needs neither Node nor a browser.
 */
import { assign, type Config } from '../src/base/config.ts';
import type { Batch } from '../src/base/dims.ts';
import type { MemoryName } from '../src/base/memories.ts';
import { initialise, type ModelSpec, type Tensors } from '../src/base/parameters.ts';
import { Rng } from '../src/base/rng.ts';
import { trainingBatch } from '../src/train/model.ts';
import { preset } from '../src/train/presets.ts';
import { setup } from '../src/train/setup.ts';

/** The range of push strengths: near 1 as in trained memories, uniform, or near 0, where a read takes many rows. */
export const STRENGTHS = ['near 1', 'uniform', 'near 0'] as const;
export type Strengths = (typeof STRENGTHS)[number];

export interface MemoryProblem {
  kind: MemoryName;
  B: number;
  T: number;
  M: number;
  strengths: Strengths;
}

export interface MemoryInputs {
  /** [B,T,E], where E is 2 for a deque and 1 otherwise. */
  push: Float32Array;
  pop: Float32Array;
  /** [B,T,E,M] */
  value: Float32Array;
  /** [B,T,E,M] gradient of the reads. */
  dRead: Float32Array;
}

const RANGES: Record<Strengths, [min: number, max: number]> = {
  'near 1': [0.5, 1],
  uniform: [0, 1],
  'near 0': [0, 0.1],
};

/**
 * Push strengths from their range, and pop strengths from 0 to three quarters of the maximum push strength, so that the
 * memory gets deeper all the time. Strengths are multiples of 2^-12: float32 sums are exact at these depths, so all
 * implementations take the same branches.
 */
export function memoryInputs({ kind, B, T, M, strengths }: MemoryProblem): MemoryInputs {
  const rng = new Rng(1, 0, T);
  const [min, max] = RANGES[strengths];
  const E = kind === 'deque' ? 2 : 1;
  const numbers = (count: number, min: number, max: number, grid = 0): Float32Array =>
    Float32Array.from({ length: count }, () => {
      const x = min + (max - min) * rng.uniform();
      return grid ? Math.ceil(x * grid) / grid : x;
    });
  const N = B * T * E;
  const push = numbers(N, min, max, 4096);
  const pop = numbers(N, 0, 0.75 * max, 4096);
  // No branch depends on the values, so about a thousand different ones are enough; they are repeated, which is fast.
  const vectors = numbers(1009, -1, 1);
  const cycle = (offset: number): Float32Array =>
    Float32Array.from({ length: N * M }, (_, i) => vectors[(i * 7 + offset) % 1009]);
  return { push, pop, value: cycle(0), dRead: cycle(500) };
}

/** The input of a batched prefix sum and the gradient of its result, [R,L] each. */
export function prefixSumInputs(R: number, L: number): { x: Float32Array; dy: Float32Array } {
  const rng = new Rng(2, 0, L);
  const numbers = (): Float32Array => Float32Array.from({ length: R * L }, () => rng.uniform() - 0.5);
  return { x: numbers(), dy: numbers() };
}

/**
 * One training step with plain gradient descent, so that a peer only computes gradients and subtracts them, scaled by
 * the rate.
 */
export interface TrainingProblem {
  name: string;
  config: Config;
  spec: ModelSpec;
  batch: Batch;
  parameters: Tensors;
}

export const TRAINING = ['tutorial', 'page', 'paper-130', 'paper-258'] as const;
export type TrainingName = (typeof TRAINING)[number];

const SGD = ['optimiser=sgd', 'clip=none', 'lossPer=batch', 'pushBiasGrowth=0', 'noise=0', 'weightDecay=0'];
/** Smaller than in real training: the outputs of the timed steps must stay finite. */
const RATE = 'rate=0.001';

const SIZES: Record<TrainingName, { preset: string; set: string[] }> = {
  tutorial: { preset: 'tutorial-part5', set: ['minLength=10', 'maxLength=10', 'batch=128'] },
  page: { preset: 'reverse', set: ['minLength=10', 'maxLength=10'] },
  'paper-130': { preset: 'paper/reverse/stack', set: ['minLength=64', 'maxLength=64'] },
  'paper-258': { preset: 'paper/reverse/stack', set: ['minLength=128', 'maxLength=128'] },
};

/** @param B number of sequences; by default that of the problem */
export function trainingProblem(name: TrainingName, B?: number, more: string[] = []): TrainingProblem {
  const size = SIZES[name];
  const config = assign(preset(size.preset), [
    ...size.set,
    ...SGD,
    RATE,
    ...(B ? [`batch=${B}`] : []),
    ...more,
  ]);
  const { task, spec } = setup(config);
  const batch = trainingBatch(task, config, 0, config.task.maxLength);
  return { name, config, spec, batch, parameters: initialise(spec, config.train.seed) };
}
