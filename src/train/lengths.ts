import type { Config } from '../base/config.ts';
import type { Checkpoint } from './checkpoint.ts';
import { startPatience } from './run-state.ts';

/**
 * The run of a checkpoint at the lengths of another configuration: the longest source trained on is that of the
 * configuration, whatever a curriculum had come to. What was measured at the old lengths ends no run at the new ones.
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
