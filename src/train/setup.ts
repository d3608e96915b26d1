import { type Config, MOMENTS, makeConfig, type TrainConfig } from '../base/config.ts';
import { InputError, show } from '../base/errors.ts';
import { countParameters, initialise, type ModelSpec, zeros } from '../base/parameters.ts';
import { isPlain } from '../base/plain.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { ModelState } from '../engine/engine.ts';
import { type Data, firstUnknown, type Side } from '../tasks/data-file.ts';
import { DATA } from '../tasks/names.ts';
import { makeTask } from '../tasks/registry.ts';
import { hasLength, lengthAtMost, type Split, type Task } from '../tasks/task.ts';

/**
 * The task and the model sizes of a configuration. Without its data, a model of task `data` can answer, but it cannot
 * be trained or evaluated.
 * @param purpose `train`: the data must have the training lengths; `evaluate`: it may have any lengths
 * @throws InputError for an unknown task, settings that contradict each other, or too many parameters
 */
export function setup(
  config: Config,
  data?: Data,
  purpose: 'train' | 'evaluate' = 'train',
): { task: Task; spec: ModelSpec } {
  const { task: taskConfig, model, train } = config;
  const task = makeTask(taskConfig, data);
  if (taskConfig.name !== DATA || (data && purpose === 'train')) checkLengths(task, config);
  if (model.output === 'softmax') {
    if (task.zeroTargets) {
      throw new InputError(
        `task ${task.name} has steps whose target is the zero vector, which softmax cannot produce: set model.output to tanh or sigmoid.`,
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
  if (parameters > MAX_PARAMETERS) {
    throw new InputError(
      `this model has ${parameters} parameters, but at most ${MAX_PARAMETERS} can be trained: reduce model.hidden, model.layers, model.width, model.memories or task.symbols.`,
    );
  }
  return { task, spec };
}

/**
 * Maximum number of parameters, which the host holds in float64 with their moments (3 GiB at this number). More than
 * any model of this field has.
 */
const MAX_PARAMETERS = 2 ** 27;

/** Checks that the task has the lengths for training and evaluation. @throws InputError */
function checkLengths(task: Task, { task: { minLength, maxLength }, train }: Config): void {
  const { evaluateLength, evaluateFrom } = train;
  const check = (low: number, high: number, split: Split): void => {
    for (let length = low; length <= high; length++) if (hasLength(task, length, split)) return;
    // Throws an error that gives the reason.
    task.pair(new Rng(0, STREAM.sample), low, high, split);
  };
  check(minLength, maxLength, 'train');
  const longest = evaluateLength || lengthAtMost(task, 2 * maxLength);
  const shortest = evaluateFrom || longest;
  if (shortest > longest) {
    throw new InputError(
      `train.evaluateFrom (${evaluateFrom}) must not exceed the longest length evaluated (train.evaluateLength, or twice task.maxLength: ${longest}).`,
    );
  }
  check(shortest, longest, 'validation');
}

/**
 * Completes a configuration from its data: the file, the vocabulary (if the configuration has none yet), the longest
 * target, and how the data is split.
 * @throws InputError if the data has symbols that are not in the configuration (of a checkpoint, for example)
 */
export function withVocabulary(config: Config, data: Data | undefined): Config {
  if (!data) return config;
  const { file, splitBy, heldOut } = data;
  const symbols = (side: Side): string[] => {
    const before = config.task[`${side}Symbols`];
    if (before.length === 0) return data[`${side}Symbols`];
    const unknown = firstUnknown(data, side, before);
    if (!unknown) return before;
    throw new InputError(
      `${file} line ${unknown.line}: a ${side} may only have symbols of the run's vocabulary (${before.length} ${side} symbols), but ${show(unknown.symbol)} is new: leave such pairs out, or train a new model.`,
    );
  };
  const [sourceSymbols, targetSymbols] = [symbols('source'), symbols('target')];
  const longestTarget = Math.max(config.task.longestTarget, data.longestTarget);
  const fromData = { file, sourceSymbols, targetSymbols, longestTarget, heldOut, splitBy };
  return { ...config, task: { ...config.task, ...fromData } };
}

/** Checks that the data is split by the rule and share of a run's configuration. @throws InputError if it is not */
export function checkSplit(config: Config, data: Data): void {
  for (const key of ['splitBy', 'heldOut'] as const) {
    if (config.task[key] === data[key]) continue;
    throw new InputError(
      `${data.file} must be split as at the start of the run, with task.${key} ${config.task[key]}, got ${data[key]}: parse it with the options of the configuration.`,
    );
  }
}

/**
 * Parses a stored configuration. Older configurations have no task.splitBy: their data is split by rank.
 * @throws InputError naming the setting that is wrong
 */
export function storedConfig(given: unknown): Config {
  const config = makeConfig(given);
  const hasRule = isPlain(given) && isPlain(given.task) && 'splitBy' in given.task;
  if (config.task.name === DATA && !hasRule) config.task.splitBy = 'rank';
  return config;
}

/** Default settings that use all lengths of the data. */
export function defaultsFor(data: Data): Config {
  const { file, splitBy, heldOut, facts } = data;
  const { shortest, longest } = facts;
  return makeConfig({
    task: { name: DATA, file, splitBy, heldOut, minLength: shortest, maxLength: longest },
    train: { evaluateFrom: shortest, evaluateLength: longest },
  });
}

/**
 * The state before the first step. @param attempt 0, or the number of the restart: each restart has different weights
 */
export function initialState(spec: ModelSpec, training: TrainConfig, attempt = 0): ModelState {
  const { firstMoment, secondMoment } = MOMENTS[training.optimiser];
  return {
    step: 0,
    parameters: initialise(spec, training.seed, attempt),
    firstMoment: firstMoment ? zeros(spec) : new Map(),
    secondMoment: secondMoment ? zeros(spec) : new Map(),
  };
}
