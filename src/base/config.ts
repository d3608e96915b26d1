import { CONTROLLERS, type Controller } from './cells.ts';
import { InputError, show, unknown } from './errors.ts';
import { DEPTH, MEMORY_NAMES, type MemoryName, memoryKind } from './memories.ts';
import { isPlain, type Plain } from './plain.ts';
import { RENAMED, withCurrentKeys } from './renamed-keys.ts';

/**
 * The complete configuration of a run. A preset is a Config; `config.json` and every checkpoint contain one. FIELDS
 * below describes its keys at run time: checks, `--set` and the page's form are derived from it. FIELD_HELP in
 * field-help.ts explains every key.
 */
export interface Config {
  task: TaskConfig;
  model: ModelConfig;
  train: TrainConfig;
}

export interface TaskConfig {
  name: string;
  symbols: number;
  minLength: number;
  maxLength: number;
  /** Your own data (task `data`): its file, whether symbols are characters, the share held out, and its vocabulary. */
  file: string;
  characters: boolean;
  heldOut: number;
  sourceSymbols: string[];
  targetSymbols: string[];
  /** Number of symbols of the longest target in the data; 0: unknown. */
  longestTarget: number;
  /** How the data is split into training, validation and test sets: see SplitRule in tasks/data-file.ts. */
  splitBy: 'hash' | 'rank';
}

export interface ModelConfig {
  controller: Controller;
  layers: number;
  hidden: number;
  /** Width of o', one layer above h; 0: o' is h itself. */
  projection: number;
  memory: MemoryName | 'none';
  /** Number of memories side by side, whose reads are concatenated. */
  memories: number;
  width: number;
  /** Number of cells of a superposition stack (values pushed below the last cell are lost), or of a tape's ring. */
  depth: number;
  /**
   * Number of cells read: the top ones of a superposition stack; of a tape, from the cell under the head rightwards.
   */
  reads: number;
  /** Width of the embeddings of the inputs; 0: inputs are one-hot. */
  embedding: number;
  /** Width of o = tanh(o'·W_o + b_o) below the softmax (the paper); 0: outputs directly from o'. */
  readout: number;
  output: 'softmax' | 'tanh' | 'sigmoid';
  /** The two auto-encoder heads of Trask's tutorial, part 6. */
  autoencoder: boolean;
  /**
   * h_0 and r_0. trained: h_0 is a parameter and r_0 is zero (the paper). one-hot: both are one-hot (Trask's tutorial,
   * part 5).
   */
  start: 'trained' | 'zero' | 'one-hot';
  init: 'glorot' | 'uniform';
  headGain: number;
  pushBias: number;
  /** Added to pushBias at a deque's bottom. */
  bottomPushBias: number;
  popBias: number;
  /** Initial bias of an LSTM's forget gates. */
  forgetBias: number;
}

export interface TrainConfig {
  seed: number;
  steps: number;
  batch: number;
  optimiser: 'sgd' | 'rmsprop' | 'adam' | 'adamw';
  rate: number;
  rateHalfLife: number;
  /** Steps at the constant rate before the half-life starts. */
  rateHold: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  clip: 'none' | 'norm' | 'value';
  clipAt: number;
  lossPer: 'symbol' | 'batch' | 'source';
  noise: number;
  noiseAfter: number;
  noiseSteps: number;
  pushBiasGrowth: number;
  growEvery: number;
  growBelowPerLength: number;
  growBelow: number;
  growAfter: number;
  restartAfter: number;
  restartAbove: number;
  maxRestarts: number;
  reportEvery: number;
  evaluateEvery: number;
  evaluateLength: number;
  evaluateFrom: number;
  stopAt: number;
  stopPasses: number;
  patience: number;
}

/** Which moments of the gradients each optimiser keeps. */
export const MOMENTS: Record<TrainConfig['optimiser'], { firstMoment: boolean; secondMoment: boolean }> = {
  sgd: { firstMoment: false, secondMoment: false },
  rmsprop: { firstMoment: false, secondMoment: true },
  adam: { firstMoment: true, secondMoment: true },
  adamw: { firstMoment: true, secondMoment: true },
};

type FieldKind =
  | { kind: 'int' | 'number'; min: number; max: number }
  | { kind: 'choice'; choices: readonly string[] }
  | { kind: 'flag' }
  | { kind: 'name' }
  | { kind: 'names' };

/** One key of the configuration: its kind and limits, and its default value. Its line of help is in field-help.ts. */
export type Field = FieldKind & { default: Value };
type Value = number | string | boolean | string[];

const int = (value: number, min: number, max: number): Field => ({
  kind: 'int',
  min,
  max,
  default: value,
});
const number = (value: number, min: number, max: number): Field => ({
  kind: 'number',
  min,
  max,
  default: value,
});
const choice = (choices: readonly string[]): Field => ({
  kind: 'choice',
  choices,
  default: choices[0],
});

/** Every key of a Config, by group. The defaults suit runs like the `reverse` preset. */
export const FIELDS: Record<keyof Config, Record<string, Field>> = {
  task: {
    name: { kind: 'name', default: 'reverse' },
    symbols: int(8, 1, 65_536),
    minLength: int(1, 1, 100_000),
    maxLength: int(10, 1, 100_000),
    file: { kind: 'name', default: '' },
    characters: { kind: 'flag', default: false },
    heldOut: number(0.1, 0, 0.5),
    sourceSymbols: {
      kind: 'names',
      default: [],
    },
    targetSymbols: {
      kind: 'names',
      default: [],
    },
    longestTarget: int(0, 0, 100_000),
    splitBy: choice(['hash', 'rank']),
  },
  model: {
    controller: choice(CONTROLLERS),
    layers: int(1, 1, 8),
    hidden: int(32, 1, 4096),
    projection: int(0, 0, 4096),
    memory: choice([...MEMORY_NAMES, 'none']),
    memories: int(1, 1, 8),
    width: int(8, 1, 4096),
    depth: int(DEPTH, 1, 4096),
    reads: int(1, 1, 16),
    embedding: int(0, 0, 4096),
    readout: int(0, 0, 4096),
    output: choice(['softmax', 'tanh', 'sigmoid']),
    autoencoder: { kind: 'flag', default: false },
    start: choice(['trained', 'zero', 'one-hot']),
    init: choice(['glorot', 'uniform']),
    headGain: number(0.5, 0, 100),
    pushBias: number(0, -20, 20),
    bottomPushBias: number(0, -20, 20),
    popBias: number(-1, -20, 20),
    forgetBias: number(1, -20, 20),
  },
  train: {
    seed: int(0, 0, Number.MAX_SAFE_INTEGER),
    steps: int(2000, 0, 1e9),
    batch: int(32, 1, 65_536),
    optimiser: choice(['adam', 'adamw', 'rmsprop', 'sgd']),
    rate: number(0.01, 0, 1000),
    rateHalfLife: int(0, 0, 1e9),
    rateHold: int(0, 0, 1e9),
    beta1: number(0.9, 0, 0.999999),
    beta2: number(0.999, 0, 0.999999),
    epsilon: number(1e-8, 1e-30, 1),
    weightDecay: number(0.01, 0, 1),
    clip: choice(['norm', 'value', 'none']),
    clipAt: number(1, 1e-12, 1e12),
    lossPer: choice(['symbol', 'batch', 'source']),
    noise: number(0, 0, 100),
    noiseAfter: int(0, 0, 1e9),
    noiseSteps: int(0, 0, 1e9),
    pushBiasGrowth: number(0, 0, 1),
    growEvery: int(0, 0, 1e9),
    growBelowPerLength: number(0, 0, 1e9),
    growBelow: number(0, 0, 1e9),
    growAfter: int(0, 0, 1e9),
    restartAfter: int(0, 0, 1e9),
    restartAbove: number(0, 0, 1e9),
    maxRestarts: int(1e6, 0, 1e6),
    reportEvery: int(25, 1, 1e6),
    evaluateEvery: int(250, 0, 1e9),
    evaluateLength: int(0, 0, 100_000),
    evaluateFrom: int(0, 0, 100_000),
    stopAt: number(0, 0, 1),
    stopPasses: int(2, 1, 1000),
    patience: int(0, 0, 1e6),
  },
};

/**
 * Learning rate of a step, `age` steps after the weights were initialised (at the start or at the last restart). With a
 * half-life, unlike a schedule over `steps`, the weights at a given step do not depend on `steps`, so a finished run
 * can be extended.
 */
export const rateAt = ({ rate, rateHalfLife, rateHold }: TrainConfig, age: number): number =>
  rateHalfLife ? rate * 2 ** (-Math.max(0, age - rateHold) / rateHalfLife) : rate;

/** Dotted names of all keys, such as `model.hidden`. */
export const KEYS = Object.entries(FIELDS).flatMap(([group, fields]) =>
  Object.keys(fields).map(key => `${group}.${key}`),
);

function checkValue(name: string, field: Field, value: unknown): Value {
  const bad = (expected: string): never => {
    throw new InputError(`${name} must be ${expected}, got ${show(value)}.`);
  };
  switch (field.kind) {
    case 'flag':
      return typeof value === 'boolean' ? value : bad('true or false');
    case 'name':
      return typeof value === 'string' ? value : bad('a name');
    case 'names':
      return Array.isArray(value) && value.every(entry => typeof entry === 'string') && value.length < 2 ** 20
        ? [...value]
        : bad('a list of names');
    case 'choice':
      if (typeof value !== 'string') return bad(`one of ${field.choices.join(', ')}`);
      return field.choices.includes(value) ? value : unknown(name, value, field.choices);
    default: {
      const whole = field.kind === 'int' ? 'a whole number' : 'a number';
      const ok =
        typeof value === 'number' &&
        value >= field.min &&
        value <= field.max &&
        (field.kind === 'number' || Number.isInteger(value));
      // Convert -0 to 0: JSON does not preserve -0.
      return ok ? value || 0 : bad(`${whole} from ${field.min} to ${field.max}`);
    }
  }
}

/** Parses the text of a field. If it is not a valid value, returns the text itself, which checkValue then rejects. */
function parseText({ kind }: Field, text: string): unknown {
  switch (kind) {
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'int':
    case 'number': {
      const value = text === '' ? Number.NaN : Number(text);
      return Number.isFinite(value) ? value : text;
    }
    case 'names':
      return text.split(',').filter(Boolean);
    default:
      return text;
  }
}

/** The field of a dotted key. */
export function fieldOf(key: string): Field {
  const [group, name] = key.split('.') as [keyof Config, string];
  return FIELDS[group][name];
}

/** The value of a setting. @param key dotted, such as `model.hidden` */
export function settingOf(config: Config, key: string): unknown {
  const [group, name] = key.split('.') as [keyof Config, string];
  return (config[group] as unknown as Record<string, unknown>)[name];
}

/** The first of these settings in which a and b differ. Lists are compared by their contents. */
export const firstDifference = (a: Config, b: Config, keys: readonly string[]): string | undefined =>
  keys.find(key => JSON.stringify(settingOf(a, key)) !== JSON.stringify(settingOf(b, key)));

/**
 * Parses and checks a value that a person entered in a form.
 * @throws InputError naming the key, what was expected and what was given
 */
export const readValue = (key: string, text: string): unknown =>
  checkValue(key, fieldOf(key), parseText(fieldOf(key), text.trim()));

/**
 * Merges `given` over `base` (default: the defaults of FIELDS) and checks every value. `given` is any JSON value in the
 * shape of Config; keys may be missing.
 * @throws InputError naming the key, what was expected and what was given
 */
export function makeConfig(given: unknown, base?: Config): Config {
  if (!isPlain(given)) {
    const got = Array.isArray(given) ? 'an array' : show(given);
    throw new InputError(`a configuration is a JSON object with task, model and train, got ${got}.`);
  }
  const input = withCurrentKeys(given);
  const config: Record<string, Plain> = {};
  for (const group of Object.keys(input)) {
    if (!Object.hasOwn(FIELDS, group)) unknown('configuration group', group, Object.keys(FIELDS));
  }
  for (const [group, fields] of Object.entries(FIELDS) as [keyof Config, Record<string, Field>][]) {
    const given = input[group] === undefined ? {} : input[group];
    if (!isPlain(given)) throw new InputError(`${group} must be a JSON object, got ${show(given)}.`);
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(fields, key)) unknown('configuration key', `${group}.${key}`, KEYS);
    }
    const defaults: Plain = base ? { ...base[group] } : {};
    config[group] = {};
    for (const [key, field] of Object.entries(fields)) {
      config[group][key] = checkValue(
        `${group}.${key}`,
        field,
        key in given ? given[key] : (defaults[key] ?? field.default),
      );
    }
  }
  const checked = config as unknown as Config;
  if (checked.task.minLength > checked.task.maxLength) {
    throw new InputError(
      `task.minLength (${checked.task.minLength}) must not exceed task.maxLength (${checked.task.maxLength}).`,
    );
  }
  const { memory, depth, reads } = checked.model;
  if (memory !== 'none' && !memoryKind(memory).rows && reads > depth)
    throw new InputError(
      `model.reads (${reads}) must not exceed model.depth (${depth}), the cells of a ${memory}.`,
    );
  return checked;
}

/**
 * Applies `--set` assignments: `model.hidden=64`, or `hidden=64` (every key is unique without its group).
 * @throws InputError for an unknown key or an invalid value
 */
export function assign(config: Config, assignments: readonly string[]): Config {
  const over: Record<string, Plain> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1)
      throw new InputError(`--set takes key=value (for example model.hidden=64), got ${show(assignment)}.`);
    const word = assignment.slice(0, at).trim();
    const text = assignment.slice(at + 1).trim();
    const name =
      KEYS.find(key => key === word || key.endsWith(`.${word}`)) ??
      Object.entries(RENAMED).find(([key]) => key === word || key.endsWith(`.${word}`))?.[1];
    if (!name)
      unknown('configuration key', word, word.includes('.') ? KEYS : KEYS.map(key => key.split('.')[1]));
    const [group, key] = name.split('.');
    over[group] ??= {};
    over[group][key] = parseText(fieldOf(name), text);
  }
  return makeConfig(over, config);
}
