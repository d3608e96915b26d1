import type { Config } from '../base/config.ts';
import type { Checkpoint } from './checkpoint.ts';
import { startPatience } from './run-state.ts';

/**
 * Adapts the run state of a checkpoint to the lengths of another configuration. If maxLength differs, training
 * continues with sources up to the new maxLength, regardless of the length that a curriculum has reached. Results at
 * the old lengths (stopAt, patience) do not end the run at the new ones.
 */
export function runAtLengths({ config: before, run }: Checkpoint, { task }: Config): Checkpoint['run'] {
  const { minLength, maxLength } = task;
  if (minLength === before.task.minLength && maxLength === before.task.maxLength) return run;
  const { curriculum } = run;
  const length = maxLength === before.task.maxLength ? Math.max(minLength, curriculum.length) : maxLength;
  return {
    ...run,
    curriculum: { ...curriculum, length, grow: false, windowSequences: 0, windowError: 0 },
    patience: startPatience(),
    passes: 0,
  };
}
