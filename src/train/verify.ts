import { type Batch, MASKED } from '../base/dims.ts';
import { controlCount, endsOfModel } from '../base/memories.ts';
import { countParameters, parameters } from '../base/parameters.ts';
import type { Engine } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { trainingBatch } from './model.ts';
import { setup } from './setup.ts';

/** The largest difference between two engines in one tensor. */
export interface Difference {
  tensor: string;
  /** Numbers in it, and the largest of the reference's by size. */
  numbers: number;
  largest: number;
  /** |a − b| at most; over `largest` it is relative. */
  difference: number;
}

export interface Verification {
  /** Training steps done before it. */
  step: number;
  sequences: number;
  /** Time steps of the longest. */
  T: number;
  engine: string;
  reference: string;
  /** Of the objective. */
  loss: { engine: number; reference: number };
  /**
   * Outputs, strengths and reads of the forward pass; gradients of every parameter; parameters after the step. The last
   * are told, not judged: where a gradient is nearly 0, Adam and RMSProp make a whole step of its sign.
   */
  forward: Difference[];
  gradients: Difference[];
  weights: Difference[];
  /** Relative difference that float32 is allowed, and whether loss, forward pass and gradients keep to it. */
  bound: number;
  /** Absolute difference that the loss and gradients are allowed beside it. */
  floor: number;
  agrees: boolean;
}

/**
 * A sum of some hundred float32 products is off by about 1e-6 of its size, and the backward pass carries that over T
 * steps; the parity tests hold gradients to a fifth of this.
 */
const BOUND = 1e-4;

/**
 * Beside it, for a model that is nearly always right: the gradient of a logit is an output less 1, and float32 has an
 * output near 1 to 6e-8 only, however small the difference is; times what a parameter moves a logit by.
 */
const ROUNDED = 1e-6;

/** Products of a sequence's way there and back that the reference does a second, about: to keep its part short. */
const PRODUCTS_PER_SECOND = 3e7;

/** Sequences of a batch that the reference can do in some seconds. */
export function sequencesFor(numbers: number, T: number, B: number, seconds = 4): number {
  // A forward pass, and the step: forward, and twice as much backward.
  const products = 4 * numbers * T;
  return Math.max(1, Math.min(B, Math.floor((seconds * PRODUCTS_PER_SECOND) / products)));
}

/**
 * Makes the next training step of a checkpoint on an engine and on the reference, from the same weights on the same
 * batch, or its first sequences. The run itself is not touched.
 * @param sequences by default as many as the reference does in some seconds
 * @throws InputError where the checkpoint is of data that is not given; DeviceError where the device is too small
 */
export async function verifyStep(
  engine: Engine,
  reference: Engine,
  { config, state, run, choices }: Checkpoint,
  data?: Data,
  sequences?: number,
): Promise<Verification> {
  const { task, spec } = setup(config, data);
  const whole = trainingBatch(task, config, state.step, run.curriculum.length, run.begun);
  const count = sequences ?? sequencesFor(countParameters(spec), whole.T, whole.B);
  const batch = firstOf(whole, count, endsOfModel(spec) * controlCount(spec.memory));
  const done = async (on: Engine) => {
    const model = await on.model(spec, config.train, { ...state, begun: run.begun }, choices);
    try {
      const { controls, trace } = await model.forward(batch, true);
      await model.step(batch);
      const [report] = await model.reports();
      const gradients = await model.gradients();
      const after = (await model.state()).parameters;
      const made: Record<string, Float32Array> = { output: trace!.output, ...controls, read: trace!.read };
      return { made, report, gradients, after };
    } finally {
      model.destroy();
    }
  };
  const [a, b] = [await done(engine), await done(reference)];
  const forward = Object.keys(a.made).map(name => compare(name, a.made[name], b.made[name]));
  const names = parameters(spec).map(({ name }) => name);
  const gradients = names.map(name => compare(name, a.gradients.get(name)!, b.gradients.get(name)!));
  const weights = names.map(name => compare(name, a.after.get(name)!, b.after.get(name)!));
  const loss = { engine: a.report.objective, reference: b.report.objective };
  const floor = ROUNDED * weightOf(batch);
  const kept = (floor: number) => (one: Difference) => one.difference <= BOUND * one.largest + floor;
  const lossKept = Math.abs(loss.engine - loss.reference) <= BOUND * Math.abs(loss.reference) + floor;
  return {
    step: state.step,
    sequences: batch.B,
    T: batch.T,
    engine: engine.adapter.name,
    reference: reference.adapter.name,
    loss,
    forward: forward.filter(({ numbers }) => numbers > 0),
    gradients,
    weights,
    bound: BOUND,
    floor,
    agrees: lossKept && forward.every(kept(0)) && gradients.every(kept(floor)),
  };
}

/** Σ of the weights of all targets: what the objective is a sum over. */
function weightOf({ B, target, weight }: Batch): number {
  return target.reduce((sum, of, n) => (of === MASKED ? sum : sum + weight[n % B]), 0);
}

function compare(tensor: string, a: ArrayLike<number>, b: ArrayLike<number>): Difference {
  let [largest, difference] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(b[i]));
    // NaN is the largest difference of all.
    const off = Math.abs(a[i] - b[i]);
    if (!(off <= difference)) difference = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
  }
  return { tensor, numbers: b.length, largest, difference };
}

/** The first `count` sequences of a batch, of a model with so many controls; their weights stay, so that the objective is that part of the whole one. */
function firstOf(batch: Batch, count: number, controls: number): Batch {
  const { B, T, K } = batch;
  if (count >= B) return batch;
  const part = <A extends Uint32Array | Uint8Array | Float32Array>(array: A, width: number): A => {
    const made = array.slice(0, T * count * width) as A;
    for (let t = 0; t < T; t++) {
      made.set(array.subarray(t * B * width, (t * B + count) * width), t * count * width);
    }
    return made;
  };
  return {
    B: count,
    T,
    K,
    lengths: batch.lengths.slice(0, count),
    sourceLengths: batch.sourceLengths.slice(0, count),
    ids: part(batch.ids, K),
    target: part(batch.target, 1),
    weight: batch.weight.slice(0, count),
    phase: part(batch.phase, 1),
    ...(batch.noise && { noise: part(batch.noise, controls) }),
  };
}
