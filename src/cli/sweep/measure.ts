import { InputError } from '../../base/errors.ts';
import { memoryKind } from '../../base/memories.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import type { Model } from '../../engine/engine.ts';
import { hasLength, type Task } from '../../tasks/task.ts';
import { type EvaluateOptions, evaluate } from '../../train/evaluate.ts';
import type { Measure, Measured } from '../../train/table.ts';
import type { Trainer } from '../../train/trainer.ts';

/** Measured on other sequences than the ones that the run has stopped by. */
const OTHER_SEEDS = 1_000_000;

/** What a trained run comes to, by every measure that its task can give. */
export async function measureAll(trainer: Trainer, measures: readonly Measure[]): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const one of measures) {
    // Ten times the length may be more than a grammar can give.
    if (one.name === 'far' && !canGive(trainer.task, one)) continue;
    all.push(
      await trainer.between((model, task) =>
        withRoom(trainer, model, one, roomy => measure(roomy, task, one, trainer.config.train.seed)),
      ),
    );
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
 * A memory of so many cells has as many in the test as the longest source has symbols, where it was trained with fewer: no weight
 * depends on their number.
 */
async function withRoom<T>(
  { engine, config }: Trainer,
  model: Model,
  { high }: Measure,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const { spec } = model;
  if (spec.memory === 'none' || memoryKind(spec.memory).rows || spec.depth >= high) return work(model);
  const roomy = await engine.model({ ...spec, depth: high }, config.train, await model.state());
  try {
    return await work(roomy);
  } finally {
    roomy.destroy();
  }
}

async function measure(model: Model, task: Task, one: Measure, seed: number): Promise<Measured> {
  const options = (shortest: number, length: number, sequences: number): EvaluateOptions => ({
    shortest,
    length,
    sequences,
    seed: seed + OTHER_SEEDS,
  });
  if (one.every === undefined || task.pairs) {
    const evaluation = await evaluate(model, task, {
      ...options(one.low, one.high, one.sequences),
      // Your own data is measured by its parts, whatever their lengths.
      ...(task.pairs && {
        shortest: 1,
        length: Number.MAX_SAFE_INTEGER,
        split: one.name === 'train' ? 'train' : 'test',
      }),
    });
    const { shortest, length, sequences, coarse, fine, accuracy, loss, bound } = evaluation;
    const measured = task.pairs ? { low: shortest, high: length, sequences } : {};
    return { ...one, ...measured, coarse, fine, accuracy, loss, ...(bound !== undefined && { bound }) };
  }
  const lengths = lengthsOf(task, one.low, one.high, one.every);
  const each = Math.max(1, Math.round(one.sequences / lengths.length));
  const sums = { coarse: 0, fine: 0, accuracy: 0, loss: 0, bound: 0 };
  let bounded = false;
  for (const length of lengths) {
    const evaluation = await evaluate(model, task, options(length, length, each));
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
export function lengthsOf(
  task: Pick<Task, 'lengthStep' | 'has'>,
  low: number,
  high: number,
  every: number,
): number[] {
  const lengths = new Set<number>();
  for (let at = low; at <= high; at += every) {
    let length = at;
    while (length >= low && !hasLength(task as Task, length)) length--;
    if (length >= low) lengths.add(length);
  }
  return [...lengths];
}
