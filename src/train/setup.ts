import { type Config, MOMENTS, makeConfig, type TrainConfig } from '../base/config.ts';
import { InputError, show } from '../base/errors.ts';
import { countParameters, initialise, type ModelSpec, zeros } from '../base/parameters.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { ModelState } from '../engine/engine.ts';
import { type Data, lengthsOf } from '../tasks/data-file.ts';
import { DATA } from '../tasks/names.ts';
import { makeTask } from '../tasks/registry.ts';
import { hasLength, type Split, type Task } from '../tasks/task.ts';

/**
 * The task and the sizes of the model that a configuration describes. Without the data of task `data` the model can
 * be asked, but neither trained nor evaluated.
 * @throws InputError for an unknown task, or settings that do not go together
 */
export function setup(config: Config, data?: Data): { task: Task; spec: ModelSpec } {
  const { task: taskConfig, model, train } = config;
  const task = makeTask(taskConfig, data);
  if (data || taskConfig.name !== DATA) checkLengths(task, config);
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
  const spec = { ...model, inputs: task.inputs, outputs: task.outputs };
  const parameters = countParameters(spec);
  if (parameters > MOST_PARAMETERS) {
    throw new InputError(
      `this model has ${parameters} parameters, and at most ${MOST_PARAMETERS} can be trained: make model.hidden smaller, or model.layers, model.width, model.memories or task.symbols.`,
    );
  }
  return { task, spec };
}

/** Parameters that the host still holds, with their moments, in float64 (3 GiB): beyond any model of this field. */
const MOST_PARAMETERS = 2 ** 27;

/** The lengths to train on and to evaluate at are there. */
function checkLengths(task: Task, { task: { minLength, maxLength }, train }: Config): void {
  const { evaluateLength, evaluateFrom } = train;
  const check = (low: number, high: number, split: Split): void => {
    for (let length = low; length <= high; length++) if (hasLength(task, length, split)) return;
    // Says why there is none.
    task.pair(new Rng(0, STREAM.sample), low, high, split);
  };
  check(minLength, maxLength, 'train');
  const longest = evaluateLength || 2 * maxLength;
  const shortest = evaluateFrom || longest;
  if (shortest > longest) {
    throw new InputError(
      `train.evaluateFrom (${evaluateFrom}) must not exceed the length evaluated at (train.evaluateLength, or twice task.maxLength: ${longest}).`,
    );
  }
  check(shortest, longest, 'validation');
}

/**
 * A configuration with the vocabulary of its data filled in.
 * @throws InputError where the configuration has another vocabulary, as that of a checkpoint may
 */
export function withVocabulary(config: Config, { file, sourceSymbols, targetSymbols }: Data): Config {
  for (const [key, symbols] of Object.entries({ sourceSymbols, targetSymbols })) {
    const before = config.task[key as 'sourceSymbols' | 'targetSymbols'];
    if (before.length === 0) continue;
    const [known, found] = [new Set(before), new Set(symbols)];
    const added = symbols.find(symbol => !known.has(symbol));
    const missing = before.find(symbol => !found.has(symbol));
    if (added === undefined && missing === undefined) continue;
    const differs = added === undefined ? `${show(missing)} is missing` : `${show(added)} is new`;
    throw new InputError(
      `${file} must have the vocabulary that the run began with (${before.length} ${key}), but ${differs}: give the file it began with, or begin anew.`,
    );
  }
  return { ...config, task: { ...config.task, file, sourceSymbols, targetSymbols } };
}

/** Settings that fit all of the data, to lay others over. */
export function defaultsFor(data: Data): Config {
  const { shortest, longest } = lengthsOf(data);
  return makeConfig({
    task: { name: DATA, file: data.file, minLength: shortest, maxLength: longest },
    train: { evaluateFrom: shortest, evaluateLength: longest },
  });
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
