import { type Config, MOMENTS, makeConfig, type TrainConfig } from '../base/config.ts';
import { InputError, show } from '../base/errors.ts';
import { countParameters, initialise, type ModelSpec, zeros } from '../base/parameters.ts';
import { isPlain } from '../base/plain.ts';
import { Rng, STREAM } from '../base/rng.ts';
import type { ModelState } from '../engine/engine.ts';
import type { Data } from '../tasks/data-file.ts';
import { DATA } from '../tasks/names.ts';
import { makeTask } from '../tasks/registry.ts';
import { symbolFinder } from '../tasks/symbols.ts';
import { hasLength, lengthAtMost, type Split, type Task } from '../tasks/task.ts';

/**
 * The task and the sizes of the model that a configuration describes. Without the data of task `data` the model can
 * be asked, but neither trained nor evaluated.
 * @param purpose to train, data must have the lengths to train on; to evaluate, it may have any
 * @throws InputError for an unknown task, or settings that do not go together
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
  const longest = evaluateLength || lengthAtMost(task, 2 * maxLength);
  const shortest = evaluateFrom || longest;
  if (shortest > longest) {
    throw new InputError(
      `train.evaluateFrom (${evaluateFrom}) must not exceed the length evaluated at (train.evaluateLength, or twice task.maxLength: ${longest}).`,
    );
  }
  check(shortest, longest, 'validation');
}

/**
 * A configuration with what its data fills in: the vocabulary, where it has none yet, the longest target, and how the data
 * is divided.
 * @throws InputError where the data has symbols that the configuration, as that of a checkpoint, does not have
 */
export function withVocabulary(config: Config, data: Data | undefined): Config {
  if (!data) return config;
  const { file, splitBy, heldOut } = data;
  const symbols = (key: 'sourceSymbols' | 'targetSymbols'): string[] => {
    const before = config.task[key];
    if (before.length === 0) return data[key];
    const find = symbolFinder(before);
    const added = data[key].find(symbol => find(symbol) === undefined);
    if (added === undefined) return before;
    throw new InputError(
      `${file} must have the vocabulary that the run began with (${before.length} ${key}), or a part of it, but ${show(added)} is new: leave those pairs out, or train a new model.`,
    );
  };
  const [sourceSymbols, targetSymbols] = [symbols('sourceSymbols'), symbols('targetSymbols')];
  const longestTarget = Math.max(config.task.longestTarget, data.longestTarget);
  const found = { file, sourceSymbols, targetSymbols, longestTarget, heldOut, splitBy };
  return { ...config, task: { ...config.task, ...found } };
}

/** @throws InputError where the data is divided otherwise than a run's configuration says */
export function checkDivision(config: Config, data: Data): void {
  for (const key of ['splitBy', 'heldOut'] as const) {
    if (config.task[key] === data[key]) continue;
    throw new InputError(
      `${data.file} must be divided as it was when the run began, by task.${key} ${config.task[key]}, got ${data[key]}: parse it with the options of the configuration.`,
    );
  }
}

/**
 * A configuration as a run has written it. Data was divided by rank before configurations said how.
 * @throws InputError naming what in it cannot be used
 */
export function storedConfig(given: unknown): Config {
  const config = makeConfig(given);
  const says = isPlain(given) && isPlain(given.task) && 'splitBy' in given.task;
  if (config.task.name === DATA && !says) config.task.splitBy = 'rank';
  return config;
}

/** Settings that fit all of the data, to lay others over. */
export function defaultsFor(data: Data): Config {
  const { file, splitBy, heldOut, facts } = data;
  const { shortest, longest } = facts;
  return makeConfig({
    task: { name: DATA, file, splitBy, heldOut, minLength: shortest, maxLength: longest },
    train: { evaluateFrom: shortest, evaluateLength: longest },
  });
}

/** The state before the first step, or of a later attempt with other weights. */
export function initialState(spec: ModelSpec, training: TrainConfig, attempt = 0): ModelState {
  const { firstMoment, secondMoment } = MOMENTS[training.optimiser];
  return {
    step: 0,
    parameters: initialise(spec, training.seed, attempt),
    firstMoment: firstMoment ? zeros(spec) : new Map(),
    secondMoment: secondMoment ? zeros(spec) : new Map(),
  };
}
