import { assign } from '../../src/base/config.ts';
import type { Engine, StepReport } from '../../src/engine/engine.ts';
import { trainingBatch } from '../../src/train/model.ts';
import { preset } from '../../src/train/presets.ts';
import { initialState, setup } from '../../src/train/setup.ts';

/** Reports of the first steps of a preset, with the same batches on every engine. */
export async function firstReports(
  engine: Engine,
  name: string,
  steps: number,
  sets: string[] = [],
): Promise<StepReport[]> {
  const config = assign(preset(name), sets);
  const { task, spec } = setup(config);
  const model = await engine.model(spec, config.train, initialState(spec, config.train));
  for (let k = 0; k < steps; k++) await model.step(trainingBatch(task, config, k, config.task.maxLength));
  const reports = await model.reports();
  model.destroy();
  return reports;
}
