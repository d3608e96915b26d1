import { type Config, MOMENTS, type TrainConfig } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import { initialise, type ModelSpec, zeros } from '../base/parameters.ts';
import type { ModelState } from '../engine/engine.ts';
import { makeTask } from '../tasks/registry.ts';
import type { Task } from '../tasks/task.ts';

/**
 * The task and the sizes of the model that a configuration describes.
 * @throws InputError for an unknown task, or settings that do not go together
 */
export function setup({ task: taskConfig, model, train }: Config): { task: Task; spec: ModelSpec } {
  const task = makeTask(taskConfig);
  if (model.output === 'softmax') {
    if (task.zeroTargets) {
      throw new InputError(
        `task ${task.name} has steps whose target is the zero vector, which softmax cannot give: set model.output to tanh or sigmoid.`,
      );
    }
    if (train.growEvery) {
      throw new InputError(
        'the curriculum measures the absolute error of outputs, which softmax does not report: set train.growEvery to 0, or model.output to tanh or sigmoid.',
      );
    }
  }
  return { task, spec: { ...model, inputs: task.inputs, outputs: task.outputs } };
}

/** The state before the first step, or of a later attempt with other weights. */
export function initialState(spec: ModelSpec, training: TrainConfig, attempt = 0): ModelState {
  const { mean, square } = MOMENTS[training.optimiser];
  return {
    step: 0,
    parameters: initialise(spec, training.seed, attempt),
    mean: mean ? zeros(spec) : new Map(),
    square: square ? zeros(spec) : new Map(),
  };
}
