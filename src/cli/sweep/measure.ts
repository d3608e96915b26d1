import { InputError } from '../../base/errors.ts';
import { memoryKind } from '../../base/memories.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import type { Model } from '../../engine/engine.ts';
import { hasLength, lengthAtMost, type Task } from '../../tasks/task.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from '../../train/evaluate.ts';
import type { Measure, Measured } from '../../train/table.ts';
import type { Trainer } from '../../train/trainer.ts';

/** Evaluation uses other sequences than those that decided when the run stopped. */
const OTHER_SEEDS = 1_000_000;

/** Evaluates a trained run by every measure that applies to its task. */
export async function measureAll(trainer: Trainer, measures: readonly Measure[]): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const one of measures) {
    // A grammar may have no sources of ten times the length.
    if (one.name === 'far' && !canGive(trainer.task, one)) continue;
    all.push(await trainer.between((model, task) => measure(trainer, model, task, one)));
  }
  return all;
}

function canGive(task: Task, { low, high }: Measure): boolean {
  if (task.pairs) return true;
  try {
    task.pair(new Rng(0, STREAM.sample), low, high);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * A memory of so many cells has as many as the sources have symbols, where it was trained with fewer: no weight depends on their
 * number.
 */
async function evaluateWithRoom(
  { engine, config }: Trainer,
  model: Model,
  task: Task,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { spec } = model;
  const depth = options.length;
  if (spec.memory === 'none' || memoryKind(spec.memory).rows || spec.depth >= depth) {
    return evaluate(model, task, options);
  }
  const roomy = await engine.model({ ...spec, depth }, config.train, await model.state());
  try {
    return await evaluate(roomy, task, options);
  } finally {
    roomy.destroy();
  }
}

async function measure(trainer: Trainer, model: Model, task: Task, one: Measure): Promise<Measured> {
  const seed = trainer.config.train.seed + OTHER_SEEDS;
  if (task.pairs) {
    // Your own data is measured by its parts, whatever their lengths.
    const split = one.name === 'train' ? 'train' : 'test';
    const all = {
      shortest: 1,
      length: Number.MAX_SAFE_INTEGER,
      sequences: one.sequences,
      seed,
      split,
    } as const;
    const { shortest, length, sequences, coarse, fine, accuracy, loss } = await evaluate(model, task, all);
    return { ...one, low: shortest, high: length, sequences, coarse, fine, accuracy, loss };
  }
  if (one.every === undefined) {
    // Twice the longest source trained on may be a length that there is none of.
    const high = one.low === one.high ? lengthAtMost(task, one.high) : one.high;
    const low = Math.min(one.low, high);
    const range = { shortest: low, length: high, sequences: one.sequences, seed };
    const { coarse, fine, accuracy, loss, bound } = await evaluate(model, task, range);
    return { ...one, low, high, coarse, fine, accuracy, loss, ...(bound !== undefined && { bound }) };
  }
  const lengths = lengthsOf(task, one.low, one.high, one.every);
  const each = Math.max(1, Math.round(one.sequences / lengths.length));
  const sums = { coarse: 0, fine: 0, accuracy: 0, loss: 0, bound: 0 };
  let bounded = false;
  for (const length of lengths) {
    const options = { length, sequences: each, seed };
    const evaluation = await evaluateWithRoom(trainer, model, task, options);
    for (const key of ['coarse', 'fine', 'accuracy', 'loss'] as const) sums[key] += evaluation[key];
    bounded = evaluation.bound !== undefined;
    sums.bound += evaluation.bound ?? 0;
  }
  const mean = (sum: number): number => sum / lengths.length;
  const { coarse, fine, accuracy, loss, bound } = sums;
  return {
    ...one,
    sequences: each * lengths.length,
    coarse: mean(coarse),
    fine: mean(fine),
    accuracy: mean(accuracy),
    loss: mean(loss),
    ...(bounded && { bound: mean(bound) }),
  };
}

/** Every so many lengths; where there are no sources of one, the next shorter that there are of, as Delétang et al. do. */
export function lengthsOf(task: Task, low: number, high: number, every: number): number[] {
  const lengths = new Set<number>();
  for (let at = low; at <= high; at += every) {
    const length = lengthAtMost(task, at);
    if (length >= low && hasLength(task, length)) lengths.add(length);
  }
  return [...lengths];
}
