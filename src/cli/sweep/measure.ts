import { InputError } from '../../base/errors.ts';
import { memoryKind } from '../../base/memories.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import type { Model } from '../../engine/engine.ts';
import { hasLength, lengthAtMost, type Task } from '../../tasks/task.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from '../../train/evaluate.ts';
import type { Measured, Measurement } from '../../train/table.ts';
import type { Trainer } from '../../train/trainer.ts';

/** Added to the seed, so that the sequences differ from those that decided when the run stopped. */
const SEED_OFFSET = 1_000_000;

/** Evaluates a finished run by every measure that its task allows. */
export async function measureAll(trainer: Trainer, measures: readonly Measurement[]): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const measure of measures) {
    // A grammar may have no sources of ten times the length.
    if (measure.name === 'far' && !hasSources(trainer.task, measure)) continue;
    all.push(await trainer.betweenSteps((model, task) => evaluateMeasure(trainer, model, task, measure)));
  }
  return all;
}

function hasSources(task: Task, { low, high }: Measurement): boolean {
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
 * Evaluates a model. If its memory has a fixed number of cells, fewer than the sources have symbols, a copy of the
 * model with one cell per symbol is evaluated instead: no weight depends on the number of cells.
 */
async function evaluateWithCells(
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
  const larger = await engine.model({ ...spec, depth }, config.train, await model.state());
  try {
    return await evaluate(larger, task, options);
  } finally {
    larger.destroy();
  }
}

async function evaluateMeasure(
  trainer: Trainer,
  model: Model,
  task: Task,
  measure: Measurement,
): Promise<Measured> {
  const seed = trainer.config.train.seed + SEED_OFFSET;
  if (task.pairs) {
    // Of your own data, each measure covers one part, at all its lengths.
    const split = measure.name === 'train' ? 'train' : 'test';
    const all = {
      shortest: 1,
      length: Number.MAX_SAFE_INTEGER,
      sequences: measure.sequences,
      seed,
      split,
    } as const;
    const { shortest, length, sequences, coarse, fine, accuracy, loss } = await evaluate(model, task, all);
    return { ...measure, low: shortest, high: length, sequences, coarse, fine, accuracy, loss };
  }
  if (measure.every === undefined) {
    // The task may have no sources of exactly twice the training length.
    const high = measure.low === measure.high ? lengthAtMost(task, measure.high) : measure.high;
    const low = Math.min(measure.low, high);
    const range = { shortest: low, length: high, sequences: measure.sequences, seed };
    const { coarse, fine, accuracy, loss, bound } = await evaluate(model, task, range);
    return { ...measure, low, high, coarse, fine, accuracy, loss, ...(bound !== undefined && { bound }) };
  }
  const lengths = lengthsWithSources(task, measure.low, measure.high, measure.every);
  const each = Math.max(1, Math.round(measure.sequences / lengths.length));
  const sums = { coarse: 0, fine: 0, accuracy: 0, loss: 0, bound: 0 };
  let bounded = false;
  for (const length of lengths) {
    const options = { length, sequences: each, seed };
    const evaluation = await evaluateWithCells(trainer, model, task, options);
    for (const key of ['coarse', 'fine', 'accuracy', 'loss'] as const) sums[key] += evaluation[key];
    bounded = evaluation.bound !== undefined;
    sums.bound += evaluation.bound ?? 0;
  }
  const mean = (sum: number): number => sum / lengths.length;
  const { coarse, fine, accuracy, loss, bound } = sums;
  return {
    ...measure,
    sequences: each * lengths.length,
    coarse: mean(coarse),
    fine: mean(fine),
    accuracy: mean(accuracy),
    loss: mean(loss),
    ...(bounded && { bound: mean(bound) }),
  };
}

/**
 * The lengths low, low + every, … up to high. A length without sources is replaced by the next shorter one that has
 * sources, as in Delétang et al.
 */
export function lengthsWithSources(task: Task, low: number, high: number, every: number): number[] {
  const lengths = new Set<number>();
  for (let at = low; at <= high; at += every) {
    const length = lengthAtMost(task, at);
    if (length >= low && hasLength(task, length)) lengths.add(length);
  }
  return [...lengths];
}
