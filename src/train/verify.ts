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
  /** Number of elements of the tensor, and the largest magnitude in the reference's tensor. */
  numbers: number;
  largest: number;
  /** max |a − b|; divided by `largest` it is the relative difference. */
  difference: number;
}

export interface Verification {
  /** Number of training steps done before the one that is compared. */
  step: number;
  sequences: number;
  /** Time steps of the longest sequence. */
  T: number;
  engine: string;
  reference: string;
  /** The objective. */
  loss: { engine: number; reference: number };
  /**
   * Outputs, controls and reads of the forward pass; the gradient of every parameter; the parameters after the step.
   * The parameters are reported, but not compared with the bound: where a gradient is nearly 0, Adam and RMSProp turn
   * its sign into a whole step.
   */
  forward: Difference[];
  gradients: Difference[];
  weights: Difference[];
  /** The relative difference allowed for float32; it applies to the loss, the forward pass and the gradients. */
  bound: number;
  /** The absolute difference allowed in addition, for the loss and the gradients. */
  floor: number;
  agrees: boolean;
}

/**
 * The relative bound. A sum of a few hundred float32 products has a relative error of about 1e-6, and the backward pass
 * accumulates it over T steps.
 */
export const BOUND = 1e-4;

/**
 * The additional absolute bound, for a model that is nearly always correct. The gradient of a correct symbol's logit is
 * its output minus 1, and float32 represents an output near 1 only to 6e-8, however small the difference is. That error
 * is multiplied by the effect of a parameter on the logit.
 */
const FLOOR_PER_WEIGHT = 1e-6;

/** Multiplications per second of the reference in the forward and backward passes, roughly: used to limit its work. */
const PRODUCTS_PER_SECOND = 3e7;

/**
 * The number of sequences of a batch that the reference can process within `seconds`.
 * @param numbers number of parameters of the model
 */
export function sequencesFor(numbers: number, T: number, B: number, seconds = 4): number {
  // One forward pass, then one step: a forward pass, and a backward pass of twice the work.
  const products = 4 * numbers * T;
  return Math.max(1, Math.min(B, Math.floor((seconds * PRODUCTS_PER_SECOND) / products)));
}

/**
 * Does the next training step of a checkpoint on an engine and on the reference, from the same weights and with the
 * same batch, or its first sequences. The run itself is not changed.
 * @param sequences by default as many as the reference can process within four seconds
 * @throws InputError if the checkpoint needs data that is not given; DeviceError if the device is too small
 */
export async function verifyStep(
  engine: Engine,
  reference: Engine,
  { config, state, run, choices }: Checkpoint,
  data?: Data,
  sequences?: number,
): Promise<Verification> {
  const { task, spec } = setup(config, data);
  const whole = trainingBatch(task, config, state.step, run.curriculum.length, run.initialisedAt);
  const count = sequences ?? sequencesFor(countParameters(spec), whole.T, whole.B);
  const batch = firstSequences(whole, count, endsOfModel(spec) * controlCount(spec.memory));
  const runStep = async (engine: Engine) => {
    const model = await engine.model(
      spec,
      config.train,
      { ...state, initialisedAt: run.initialisedAt },
      choices,
    );
    try {
      const { controls, trace } = await model.forward(batch, true);
      await model.step(batch);
      const [report] = await model.reports();
      const gradients = await model.gradients();
      const after = (await model.state()).parameters;
      const forward: Record<string, Float32Array> = { output: trace!.output, ...controls, read: trace!.read };
      return { forward, report, gradients, after };
    } finally {
      model.destroy();
    }
  };
  const [a, b] = [await runStep(engine), await runStep(reference)];
  const forward = Object.keys(a.forward).map(name => compare(name, a.forward[name], b.forward[name]));
  const names = parameters(spec).map(({ name }) => name);
  const gradients = names.map(name => compare(name, a.gradients.get(name)!, b.gradients.get(name)!));
  const weights = names.map(name => compare(name, a.after.get(name)!, b.after.get(name)!));
  const loss = { engine: a.report.objective, reference: b.report.objective };
  const floor = FLOOR_PER_WEIGHT * weightOf(batch);
  const isWithin =
    (floor: number) =>
    ({ difference, largest }: Difference) =>
      difference <= BOUND * largest + floor;
  const lossIsWithin = Math.abs(loss.engine - loss.reference) <= BOUND * Math.abs(loss.reference) + floor;
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
    agrees: lossIsWithin && forward.every(isWithin(0)) && gradients.every(isWithin(floor)),
  };
}

/** Sum of the weights of all targets in the objective. */
function weightOf({ B, target, weight }: Batch): number {
  return target.reduce((sum, id, n) => (id === MASKED ? sum : sum + weight[n % B]), 0);
}

/** Compares one tensor of two engines. @param b the reference's values, which `largest` is taken from */
export function compare(tensor: string, a: ArrayLike<number>, b: ArrayLike<number>): Difference {
  let [largest, difference] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(b[i]));
    // NaN counts as an infinite difference.
    const off = Math.abs(a[i] - b[i]);
    if (!(off <= difference)) difference = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
  }
  return { tensor, numbers: b.length, largest, difference };
}

/**
 * The first `count` sequences of a batch, for a model with `controls` controls per step. Their weights are kept, so the
 * objective is the corresponding part of the whole batch's objective.
 */
function firstSequences(batch: Batch, count: number, controls: number): Batch {
  const { B, T, K } = batch;
  if (count >= B) return batch;
  const part = <A extends Uint32Array | Uint8Array | Float32Array>(array: A, width: number): A => {
    const copy = array.slice(0, T * count * width) as A;
    for (let t = 0; t < T; t++) {
      copy.set(array.subarray(t * B * width, (t * B + count) * width), t * count * width);
    }
    return copy;
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
