import type { Config, TrainConfig } from '../base/config.ts';
import type { Batch } from '../base/dims.ts';
import { DeviceLost } from '../base/errors.ts';
import { controlCount, endsOfModel } from '../base/memories.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { Engine, Model } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import { lengthAtMost, makeBatch, sample, type Task } from '../tasks/task.ts';
import type { Checkpoint } from './checkpoint.ts';
import { batchFor, type Evaluation, evaluate } from './evaluate.ts';
import { initialState, setup, withVocabulary } from './setup.ts';

/** The model of a run: how it is created, its batches and buffers, and its validation. */

/** Sequences per evaluation during training. */
export const EVALUATION_SEQUENCES = 256;

/**
 * The batch of a training step (from 0). It depends on these arguments only, so a checkpoint need not store batches.
 * @param longest length of the longest training source
 * @param initialisedAt the step of the last restart (0: none), from which the noise schedule counts
 */
export function trainingBatch(
  task: Task,
  config: Config,
  step: number,
  longest: number,
  initialisedAt = 0,
): Batch {
  const { seed, batch: B, lossPer } = config.train;
  const rng = new Rng(seed, STREAM.batch, step);
  const sequences = Array.from({ length: B }, () =>
    sample(task, rng, config.task.minLength, longest, 'train'),
  );
  const batch = makeBatch(sequences, lossPer);
  const deviation = noiseAt(config.train, step - initialisedAt);
  const controls = endsOfModel(config.model) * controlCount(config.model.memory);
  if (deviation > 0 && controls > 0) {
    const noiseRng = new Rng(seed, STREAM.noise, step);
    batch.noise = Float32Array.from({ length: batch.T * B * controls }, () => deviation * noiseRng.normal());
  }
  return batch;
}

/** Standard deviation of the noise on the control logits, `age` steps after the weights were initialised. */
function noiseAt({ noise, noiseAfter, noiseSteps }: TrainConfig, age: number): number {
  if (age < noiseAfter) return 0;
  return noiseSteps ? noise * Math.max(0, 1 - (age - noiseAfter) / noiseSteps) : noise;
}

/** Creates the model of a checkpoint on an engine, with buffers for its batches. */
export async function modelFor(
  engine: Engine,
  checkpoint: Checkpoint,
  data: Data | undefined,
): Promise<Model> {
  const { config, state, run, choices } = checkpoint;
  const { task, spec } = setup(config, data);
  const model = await engine.model(
    spec,
    config.train,
    { ...state, initialisedAt: run.initialisedAt },
    choices,
  );
  reserve(model, task, config, run.curriculum.length);
  return model;
}

/**
 * Opens the model of a new run and destroys it again, to find out whether the engine can compute it. A lost device is
 * ignored here, because the run recovers from it.
 * @throws DeviceError if the engine cannot compute it
 */
export async function tryModel(engine: Engine, config: Config, data: Data | undefined): Promise<void> {
  const complete = withVocabulary(config, data);
  const { spec } = setup(complete, data);
  const { train } = complete;
  try {
    (await engine.model(spec, train, initialState(spec, train))).destroy();
  } catch (error) {
    if (!(error instanceof DeviceLost)) throw error;
  }
}

/**
 * Allocates the buffers for training and evaluation, so that a model that is too large for the current training length
 * fails at once.
 */
function reserve(model: Model, task: Task, { train }: Config, longest: number): void {
  const T = task.steps(train.evaluateLength || 2 * longest);
  try {
    model.reserve(train.batch, task.steps(longest), task.activeInputs);
    model.reserve(Math.min(EVALUATION_SEQUENCES, batchFor(T)), T, task.activeInputs);
  } catch (error) {
    model.destroy();
    throw error;
  }
}

/** Evaluates on validation sequences during training. @param longest length of the longest training source */
export function validate(
  model: Model,
  task: Task,
  { train }: Config,
  longest: number,
  step: number,
): Promise<Evaluation> {
  const length = train.evaluateLength || lengthAtMost(task, 2 * longest);
  return evaluate(model, task, {
    length,
    shortest: train.evaluateFrom || length,
    split: 'validation',
    sequences: EVALUATION_SEQUENCES,
    seed: train.seed,
    index: step,
  });
}

/**
 * A sentence about the first failed step: its batch, and a parameter whose gradient is NaN or infinite.
 * @param step counted from 0; the sentence counts from 1
 */
export async function causeOfDivergence(
  engine: Engine,
  model: Model,
  training: TrainConfig,
  batch: Batch,
  step: number,
): Promise<string> {
  const what = await whatIsNotFinite(engine, model, training, batch);
  return ` The first of them was step ${step + 1}, with batch ${step + 1} of seed ${training.seed}; not finite: ${what}.`;
}

/**
 * What is not finite in a failed step: the gradient of the first such parameter, in the order of the model, or the loss
 * if all gradients are finite. Repeats the step on a separate model: the weights are still those before the step.
 */
async function whatIsNotFinite(
  engine: Engine,
  failed: Model,
  training: TrainConfig,
  batch: Batch,
): Promise<string> {
  const model = await engine.model(failed.spec, training, await failed.state(), failed.choices);
  try {
    await model.step(batch);
    await model.reports();
    const bad = [...(await model.gradients())].find(([, values]) => !values.every(Number.isFinite));
    return bad ? `the gradient of ${bad[0]}` : 'the loss';
  } finally {
    model.destroy();
  }
}
