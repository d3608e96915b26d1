import { basename, dirname, join, resolve } from 'node:path';
import { assign, type Config, firstDifference, KEYS, makeConfig, settingOf } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import { renamedKeys } from '../../base/renamed-keys.ts';
import type { DataFacts } from '../../tasks/data-facts.ts';
import type { Data } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import { GROUPS, PRESETS, preset } from '../../train/all-presets.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { GALLERY } from '../../train/gallery.ts';
import { runAtLengths } from '../../train/lengths.ts';
import { withVocabulary } from '../../train/setup.ts';
import { configure, dataOf } from '../arguments/data.ts';
import { exists, isSameFile, read } from '../files/read.ts';
import { parseJson } from '../io/input.ts';
import { readCheckpoint } from './checkpoint.ts';
import { CHECKPOINT, CONFIG, EARLIER } from './names.ts';
import { dataNotes } from './notes.ts';

/** Maximum size of a configuration file, in bytes: far more than a configuration with every key has. */
const MAX_BYTES = 16 * 2 ** 20;

/** A request to `train`, complete and checked. */
export interface TrainRequest {
  config: Config;
  /** For task `data`. */
  data?: Data;
  /** The checkpoint to resume from. */
  from?: Checkpoint;
  out: string;
  /** Whether the run resumes in its own folder, from the latest checkpoint or from one in `earlier/`. */
  resumed: false | 'latest' | 'earlier';
  /** The file that `from` was read from. */
  file?: string;
  /** Notes on the data and on changes at resumption, one per line. */
  notes: string[];
  /**
   * Whether the configuration is the config.json of the output folder, written by the user: the run must not overwrite
   * it.
   */
  ownConfig: boolean;
}

/** The options --data and --characters. */
export interface OwnData {
  data?: string;
  characters?: boolean;
}

/**
 * Decides what to train, from which state and into which folder.
 * @throws InputError for a mistake in the arguments, the configuration, the data or the checkpoint
 */
export async function makeRequest(
  operand: string | undefined,
  sets: readonly string[],
  out: string | undefined,
  resume: string | undefined,
  ownData: OwnData = {},
): Promise<TrainRequest> {
  if (out === '') throw new InputError('--out needs a folder name.');
  const given = operand === undefined ? undefined : await readConfig(operand, sets, ownData);
  if (resume === undefined) {
    if (!given) {
      const single = PRESETS.map(({ name }) => name).filter(name => !name.includes('/'));
      const names = [...single, ...GROUPS.map(group => `${group}/<task>/<model>`)].join(', ');
      throw new InputError(
        `train needs a preset (${names}), a config.json, data with --data <file>, or --resume with a checkpoint. Try: pushdown train reverse`,
      );
    }
    const { config, data } = given;
    const folder = out ?? defaultFolder(given.name, config);
    if (out !== undefined && (await exists(join(out, CHECKPOINT)))) {
      throw new InputError(
        `${join(out, CHECKPOINT)} already exists: resume that run with --resume ${out}, or choose another --out.`,
      );
    }
    const notes = [...given.renamed, ...(data ? dataNotes(config, data) : [])];
    return { config, data, out: folder, resumed: false, notes, ownConfig: await isConfigOf(operand, folder) };
  }

  const source = resume || out || (given && defaultFolder(given.name, given.config));
  if (!source) throw new InputError('--resume needs a checkpoint or its folder.');
  const { file, checkpoint } = await readCheckpoint(source);
  const config = assign(checkpoint.config, [...sets, ...(ownData.characters ? ['characters=true'] : [])]);
  const advice = 'leave that setting out, or start a new run without --resume';
  checkUnchanged(checkpoint.config, config, FIXED, `${file}: a resumed run cannot change`, advice);
  if (given) {
    const differs = `${file} is not a run of ${operand}: it differs in`;
    const how = `leave out ${operand} or --resume, or give the --set options that the run started with`;
    const keys = MODEL.filter(key => !(given.data ? FROM_DATA : setLengths(sets)).includes(key));
    checkUnchanged(checkpoint.config, given.config, keys, differs, how);
  }
  if (out === undefined && source.startsWith(GALLERY) && !(await exists(source))) {
    throw new InputError(`${source} comes with pushdown: choose a folder for the run with --out <folder>.`);
  }
  const { folder, resumed } = await outputFolder(file, out);
  // The file may have moved or grown, but its symbols must be in the checkpoint's vocabulary.
  const data = await dataOf(config, file, ownData.data);
  return {
    ...resumption(checkpoint, config, data, sets),
    data,
    out: folder,
    resumed,
    file,
    ownConfig: await isConfigOf(operand, folder),
  };
}

/** The folder that a resumed run writes to. @throws InputError if it holds another run */
async function outputFolder(
  file: string,
  out: string | undefined,
): Promise<Pick<TrainRequest, 'resumed'> & { folder: string }> {
  const source = dirname(file);
  const isLatest = basename(file) === CHECKPOINT;
  if (isLatest && (out === undefined || resolve(out) === resolve(source)))
    return { folder: source, resumed: 'latest' };
  const run = join(source, '..');
  const isEarlier = basename(resolve(source)) === EARLIER && (await isRun(run));
  if (isEarlier && (out === undefined || resolve(out) === resolve(run))) {
    return { folder: run, resumed: 'earlier' };
  }
  const folder = out ?? source;
  const parent = join(folder, '..');
  if (new RegExp(`^${EARLIER}(\\.\\d+)?$`).test(basename(resolve(folder))) && (await isRun(parent))) {
    throw new InputError(
      `${folder} keeps earlier checkpoints of the run in ${parent}: choose another folder for this run with --out <folder>.`,
    );
  }
  if (await exists(join(folder, CHECKPOINT))) {
    throw new InputError(
      `${join(folder, CHECKPOINT)} already exists, and is not the checkpoint to resume: choose another --out.`,
    );
  }
  return { folder, resumed: false };
}

/** Whether a folder is the folder of a run. */
const isRun = async (folder: string): Promise<boolean> =>
  (await exists(join(folder, CHECKPOINT))) || (await exists(join(folder, CONFIG)));

/** The configuration and state of a resumed run, with notes on what changes. */
function resumption(
  checkpoint: Checkpoint,
  config: Config,
  data: Data | undefined,
  sets: readonly string[],
): Pick<TrainRequest, 'config' | 'from' | 'notes'> {
  const before = checkpoint.data;
  const setsLengths = setLengths(sets).length > 0;
  const adapted = data && before && !setsLengths ? withLengthsOf(config, before, data.facts) : config;
  const complete = withVocabulary(adapted, data);
  const run = runAtLengths(checkpoint, complete);
  const notes = [...renamedKeys({}, sets), ...(data ? dataNotes(complete, data, before) : [])];
  const lengths = ({ minLength }: Config['task'], longest: number): string => `${minLength} to ${longest}`;
  const [old, now] = [
    lengths(checkpoint.config.task, checkpoint.run.curriculum.length),
    lengths(complete.task, run.curriculum.length),
  ];
  if (old !== now) notes.push(`lengths ${now} from here on (${old} before)`);
  return { config: complete, from: { ...checkpoint, run }, notes };
}

/** Extends the lengths of a run that was trained on all lengths of its data to those that the data has now. */
function withLengthsOf(config: Config, before: DataFacts, now: DataFacts): Config {
  const { task, train } = config;
  if (task.minLength !== before.shortest || task.maxLength !== before.longest) return config;
  const shortest = Math.min(before.shortest, now.shortest);
  const longest = Math.max(before.longest, now.longest);
  const evaluateFrom = train.evaluateFrom === before.shortest ? shortest : train.evaluateFrom;
  const evaluateLength = train.evaluateLength === before.longest ? longest : train.evaluateLength;
  return {
    ...config,
    task: { ...task, minLength: shortest, maxLength: longest },
    train: { ...train, evaluateFrom, evaluateLength },
  };
}

const defaultFolder = (name: string, { train: { seed } }: Config): string =>
  join('runs', `${name}-seed${seed}`);

/** Whether the operand is the config.json of the folder. */
const isConfigOf = async (operand: string | undefined, folder: string): Promise<boolean> =>
  operand?.endsWith('.json') === true && (await isSameFile(operand, join(folder, CONFIG)));

/** Settings of the task and the model. Except LENGTHS, they give the weights their shape and meaning. */
const MODEL = KEYS.filter(key => /^(task|model)\./.test(key));
/** Settings of the task that may change when a run resumes. */
const LENGTHS = ['task.minLength', 'task.maxLength'];
/**
 * Settings that must not change when a run resumes: those of the task (except LENGTHS) and the model, the optimiser,
 * which determines the optimiser's state, and the seed. train.batch may change.
 */
const FIXED = [...MODEL.filter(key => !LENGTHS.includes(key)), 'train.optimiser', 'train.seed'];
/** Settings that come from the data file, which may have moved or grown. */
const FROM_DATA = [
  ...LENGTHS,
  ...['file', 'sourceSymbols', 'targetSymbols', 'longestTarget', 'splitBy', 'heldOut'].map(
    key => `task.${key}`,
  ),
];

/** The keys of LENGTHS that --set changes. */
const setLengths = (sets: readonly string[]): string[] =>
  LENGTHS.filter(key => {
    const name = key.split('.')[1];
    return sets.some(set => [key, name].includes(set.split('=')[0].trim()));
  });

/**
 * @param message the start of the error, before the name of the setting
 * @throws InputError if one of the keys differs
 */
function checkUnchanged(
  before: Config,
  after: Config,
  keys: readonly string[],
  message: string,
  advice: string,
): void {
  const name = firstDifference(before, after, keys);
  if (name === undefined) return;
  const [old, now] = [before, after].map(config => show(settingOf(config, name)));
  throw new InputError(`${message} ${name} (${old} in the checkpoint, ${now} requested): ${advice}.`);
}

/** Reads the configuration: a preset by name, `data` for your own data, or a JSON file by path; then applies --set. */
async function readConfig(
  operand: string,
  sets: readonly string[],
  ownData: OwnData,
): Promise<{ name: string; config: Config; data?: Data; renamed: string[] }> {
  const isFile = operand.endsWith('.json');
  const input = isFile
    ? parseJson(new TextDecoder().decode(await read(operand, 'configuration', MAX_BYTES)), operand)
    : operand === DATA
      ? { task: { name: DATA } }
      : preset(operand);
  // The file's own settings are checked first, so that errors in them name the file.
  const task = await withFileName(isFile ? operand : undefined, async () => makeConfig(input).task);
  if (task.name !== DATA && ownData.data !== undefined) {
    throw new InputError(
      `--data is for task ${DATA}, but ${operand} is of task ${task.name}: leave --data out, or train ${DATA}.`,
    );
  }
  const all = [
    ...sets,
    ...(ownData.data === undefined ? [] : [`task.file=${ownData.data}`]),
    ...(ownData.characters ? ['characters=true'] : []),
  ];
  const { config, data } = await configure(
    input,
    all,
    isFile && ownData.data === undefined ? operand : undefined,
  );
  const stem = isFile ? basename(operand, '.json') : operand;
  const ofData = data && (operand === DATA || stem === 'config');
  const name = ofData
    ? basename(data.file).replace(/\.[^.]+$/, '')
    : stem === 'config'
      ? config.task.name
      : stem;
  return { name, config, data, renamed: renamedKeys(input, sets) };
}

/** Adds the name of a file to the messages of errors in its content. */
async function withFileName<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw file && error instanceof InputError ? new InputError(`${file}: ${error.message}`) : error;
  }
}
