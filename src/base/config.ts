import { CONTROLLERS, type Controller } from './cells.ts';
import { InputError, show, unknown } from './errors.ts';
import { DEPTH, MEMORY_NAMES, type MemoryName, memoryKind } from './memories.ts';
import { isPlain, type Plain } from './plain.ts';
import { RENAMED, withCurrentKeys } from './renamed-keys.ts';

/**
 * The complete configuration of a run. A preset is a Config, `config.json` holds one, and a checkpoint carries one.
 * FIELDS below is the only list of its keys; checks, `--set`, help texts and the page's form are derived from it.
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
  /** Your own data (task `data`): the file, how its lines are split into symbols, and its contents. */
  file: string;
  characters: boolean;
  heldOut: number;
  sourceSymbols: string[];
  targetSymbols: string[];
  /** Number of symbols of the longest target in the data; 0: unknown. */
  longestTarget: number;
  /** How the data is split into parts: see SplitRule. */
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
  /** Cells of a superposition stack (values pushed below the last cell are lost), or of a tape's ring. */
  depth: number;
  /** k, number of cells read: the top ones of a stack; for a tape, from the cell under the head to the right. */
  reads: number;
  /** Width of the embeddings of the inputs; 0: inputs are one-hot. */
  embedding: number;
  /** Width of o = tanh(o'·W_o + b_o) below the softmax (the paper); 0: outputs directly from o'. */
  readout: number;
  output: 'softmax' | 'tanh' | 'sigmoid';
  /** The two auto-encoder heads of the tutorial's part 6. */
  autoencoder: boolean;
  /** h_0 and r_0. trained: h_0 is a parameter and r_0 is zero (the paper). one-hot: both are one-hot (the tutorial). */
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

/** The moments that each optimiser keeps. */
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

/** One key of the configuration: its kind and limits, its default value, and one line of help. */
export type Field = FieldKind & { default: Value; help: string };
type Value = number | string | boolean | string[];

const int = (value: number, min: number, max: number, help: string): Field => ({
  kind: 'int',
  min,
  max,
  default: value,
  help,
});
const number = (value: number, min: number, max: number, help: string): Field => ({
  kind: 'number',
  min,
  max,
  default: value,
  help,
});
const choice = (choices: readonly string[], help: string): Field => ({
  kind: 'choice',
  choices,
  default: choices[0],
  help,
});

/** Every key of a Config, by group. The defaults suit the kind of run of the `reverse` preset. */
export const FIELDS: Record<keyof Config, Record<string, Field>> = {
  task: {
    name: { kind: 'name', default: 'reverse', help: 'task to learn' },
    symbols: int(8, 1, 65_536, 'size of the alphabet, without markers'),
    minLength: int(1, 1, 100_000, 'shortest source trained on, in symbols'),
    maxLength: int(10, 1, 100_000, 'longest source trained on (at the start, where a curriculum grows it)'),
    file: { kind: 'name', default: '', help: 'your own data: a .tsv (source, tab, target) or .jsonl file' },
    characters: { kind: 'flag', default: false, help: 'your own data: symbols are single characters' },
    heldOut: number(0.1, 0, 0.5, 'your own data: share kept for validation, and as much again for the test'),
    sourceSymbols: {
      kind: 'names',
      default: [],
      help: 'your own data: its vocabulary, filled in by the tool',
    },
    targetSymbols: {
      kind: 'names',
      default: [],
      help: 'your own data: its vocabulary, filled in by the tool',
    },
    longestTarget: int(0, 0, 100_000, 'your own data: symbols of its longest target, filled in by the tool'),
    splitBy: choice(
      ['hash', 'rank'],
      'your own data: how it is split into parts; rank: as in runs started before hash existed',
    ),
  },
  model: {
    controller: choice(CONTROLLERS, 'cell; lstm-coupled: an LSTM whose forget gate is 1 - input gate'),
    layers: int(1, 1, 8, 'L, layers of the controller; each sees the inputs and the reads'),
    hidden: int(32, 1, 4096, 'H, width of the controller state h'),
    projection: int(0, 0, 4096, "P, width of o' = tanh(W_hp·h + b_p) above h; 0: o' is h itself"),
    memory: choice([...MEMORY_NAMES, 'none'], 'kind of memory'),
    memories: int(1, 1, 8, 'how many memories side by side, their reads concatenated'),
    width: int(8, 1, 4096, 'M, width of a row of the memory'),
    depth: int(
      DEPTH,
      1,
      4096,
      'cells of a superposition stack (what is pushed deeper is lost), or of a tape',
    ),
    reads: int(1, 1, 16, 'cells of it that are read, from the top, or from under the head to the right'),
    embedding: int(0, 0, 4096, 'width of the embeddings of the inputs; 0: one-hot'),
    readout: int(
      0,
      0,
      4096,
      "width of o = tanh(W_o·o' + b_o) below the softmax; 0: outputs directly from o'",
    ),
    output: choice(['softmax', 'tanh', 'sigmoid'], 'softmax with cross-entropy, else squared error'),
    autoencoder: { kind: 'flag', default: false, help: "heads from h and o' reconstruct the last input" },
    start: choice(['trained', 'zero', 'one-hot'], 'h_0: trained (r_0 zero), or h_0 and r_0 fixed'),
    init: choice(['glorot', 'uniform'], 'weights: Glorot uniform, or U(-0.1, 0.1) with biases'),
    headGain: number(0.5, 0, 100, 'Glorot gain of the push and pop weights'),
    pushBias: number(0, -20, 20, 'bias of the push head at the start; for a tape, of right'),
    bottomPushBias: number(0, -20, 20, "added to pushBias at a deque's bottom; -4: almost closed at first"),
    popBias: number(
      -1,
      -20,
      20,
      "bias of the pop head at the start (the paper's advice: -1); for a tape, of left",
    ),
    forgetBias: number(1, -20, 20, "bias of an LSTM's forget gates at the start"),
  },
  train: {
    seed: int(0, 0, Number.MAX_SAFE_INTEGER, 'seed of weights, data and noise'),
    steps: int(2000, 0, 1e9, 'maximum number of training steps (mini-batches)'),
    batch: int(32, 1, 65_536, 'B, sequences per step'),
    optimiser: choice(['adam', 'adamw', 'rmsprop', 'sgd'], 'update rule'),
    rate: number(0.01, 0, 1000, 'learning rate'),
    beta1: number(0.9, 0, 0.999999, 'Adam: decay of the first moment'),
    beta2: number(0.999, 0, 0.999999, 'Adam, RMSProp: decay of the second moment'),
    epsilon: number(1e-8, 1e-30, 1, 'Adam, RMSProp: added to the root of the second moment'),
    weightDecay: number(0.01, 0, 1, 'AdamW: fraction of a weight that decays per step, times the rate'),
    clip: choice(['norm', 'value', 'none'], 'clip gradients: by global norm, by value, or not at all'),
    clipAt: number(1, 1e-12, 1e12, 'norm or value to clip at'),
    lossPer: choice(
      ['symbol', 'batch', 'source'],
      'objective: mean over symbols, sum, or mean over b of sum/L',
    ),
    noise: number(0, 0, 100, 'standard deviation of Gaussian noise on push and pop logits, in training only'),
    noiseAfter: int(0, 0, 1e9, 'steps without noise after the start or a restart'),
    noiseSteps: int(0, 0, 1e9, 'steps over which the noise then falls to 0; 0: constant'),
    pushBiasGrowth: number(0, 0, 1, "relative growth of the push bias at every step (the tutorial's part 5)"),
    growEvery: int(0, 0, 1e9, 'curriculum: sequences between decisions; 0: no curriculum'),
    growBelowPerLength: number(
      0,
      0,
      1e9,
      'curriculum: grow when the error over 100 sequences < this × range …',
    ),
    growBelow: number(0, 0, 1e9, 'curriculum: … + this'),
    growAfter: int(0, 0, 1e9, 'curriculum: sequences before the first decision'),
    restartAfter: int(0, 0, 1e9, 'steps after which a stuck run restarts with new weights; 0: never'),
    restartAbove: number(0, 0, 1e9, 'a run is stuck if its loss per target is still above this'),
    maxRestarts: int(1e6, 0, 1e6, 'maximum number of restarts; the last weights train to the end'),
    reportEvery: int(25, 1, 1e6, 'steps per progress line'),
    evaluateEvery: int(250, 0, 1e9, 'steps between evaluations; 0: only at the end'),
    evaluateLength: int(0, 0, 100_000, 'source length of evaluations; 0: twice the longest trained'),
    evaluateFrom: int(0, 0, 100_000, 'shortest source of evaluations; 0: evaluateLength itself'),
    stopAt: number(0, 0, 1, 'stop when coarse accuracy in evaluations reaches this (stopPasses); 0: never'),
    stopPasses: int(2, 1, 1000, 'number of consecutive evaluations that must reach stopAt'),
    patience: int(
      0,
      0,
      1e6,
      'stop when the training loss has not improved for this many evaluations; 0: never',
    ),
  },
};

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
      return Array.isArray(value) && value.every(one => typeof one === 'string') && value.length < 2 ** 20
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

/** Parses the text of a field. Returns the text itself if it is not a valid value, for checkValue to reject. */
function valueIn({ kind }: Field, text: string): unknown {
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
  checkValue(key, fieldOf(key), valueIn(fieldOf(key), text.trim()));

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
  const made = config as unknown as Config;
  if (made.task.minLength > made.task.maxLength) {
    throw new InputError(
      `task.minLength (${made.task.minLength}) must not exceed task.maxLength (${made.task.maxLength}).`,
    );
  }
  const { memory, depth, reads } = made.model;
  if (memory !== 'none' && !memoryKind(memory).rows && reads > depth)
    throw new InputError(
      `model.reads (${reads}) must not exceed model.depth (${depth}), the cells of a ${memory}.`,
    );
  return made;
}

/**
 * Applies `--set` assignments: `model.hidden=64`, or `hidden=64` (every key is unique without its group).
 * @throws InputError for an unknown key or a value that does not fit
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
    over[group][key] = valueIn(fieldOf(name), text);
  }
  return makeConfig(over, config);
}
