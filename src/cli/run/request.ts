import { basename, dirname, join, resolve } from 'node:path';
import { assign, type Config, KEYS, makeConfig } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import type { Data } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { GROUPS, PRESETS, preset } from '../../train/presets.ts';
import { withVocabulary } from '../../train/setup.ts';
import { configure, dataOf } from '../arguments/data.ts';
import { exists, isSameFile, read } from '../files/read.ts';
import { parseJson } from '../io/input.ts';
import { readCheckpoint } from './checkpoint.ts';
import { CHECKPOINT, CONFIG } from './names.ts';

/** In bytes: far more than every key of a configuration takes. */
const LONGEST_CONFIG = 16 * 2 ** 20;

/** What `train` is asked to do. */
export interface TrainRequest {
  config: Config;
  /** Of task `data`. */
  data?: Data;
  from?: Checkpoint;
  out: string;
  /** It resumes in the folder that it comes from. */
  resumed: boolean;
  /** The configuration of the output folder is the user's own file, given as such: it stays as it is. */
  ownConfig: boolean;
}

/** What --data and --characters say. */
export interface OwnData {
  data?: string;
  characters?: boolean;
}

/** What to train, from where, and where to: everything that can be wrong before an engine is opened. */
export async function makeRequest(
  operand: string | undefined,
  sets: readonly string[],
  out: string | undefined,
  resume: string | undefined,
  own: OwnData = {},
): Promise<TrainRequest> {
  if (out === '') throw new InputError('--out needs the name of a folder.');
  const given = operand === undefined ? undefined : await readConfig(operand, sets, own);
  if (resume === undefined) {
    if (!given) {
      const single = PRESETS.map(({ name }) => name).filter(name => !name.includes('/'));
      const names = [...single, ...GROUPS.map(group => `${group}/<task>/<model>`)].join(', ');
      throw new InputError(
        `train needs a preset (${names}) or a config.json, or --resume with a checkpoint. Try: pushdown train reverse`,
      );
    }
    const { config, data } = given;
    const folder = out ?? defaultFolder(given.name, config);
    if (out !== undefined && (await exists(join(out, CHECKPOINT)))) {
      throw new InputError(
        `${join(out, CHECKPOINT)} is there already: go on with it by --resume ${out}, or choose another --out.`,
      );
    }
    return { config, data, out: folder, resumed: false, ownConfig: await isOwn(operand, folder) };
  }

  const source = resume || out || (given && defaultFolder(given.name, given.config));
  if (!source) throw new InputError('--resume needs a checkpoint or its folder.');
  const { file, checkpoint } = await readCheckpoint(source);
  const config = assign(checkpoint.config, [...sets, ...(own.characters ? ['characters=true'] : [])]);
  const advice = 'leave it out, or begin anew without --resume';
  checkUnchanged(checkpoint.config, config, FIXED, `${file}: a checkpoint cannot change`, advice);
  if (given) {
    const differs = `${file} is not of ${operand}: it differs in`;
    const both = 'leave one of the two out, or give the --set options that it began with';
    // The data may have moved: what matters of it is its vocabulary.
    const keys = MODEL.filter(key => key !== 'task.file');
    checkUnchanged(checkpoint.config, given.config, keys, differs, both);
  }
  const folder = out ?? dirname(file);
  const resumed = resolve(folder) === resolve(dirname(file));
  if (!resumed && (await exists(join(folder, CHECKPOINT)))) {
    throw new InputError(
      `${join(folder, CHECKPOINT)} is there already, and not what --resume names: choose another --out.`,
    );
  }
  // The file may have moved, but must hold the same vocabulary.
  const data = await dataOf(config, own.data);
  const whole = data ? withVocabulary(config, data) : config;
  return {
    config: whole,
    data,
    from: checkpoint,
    out: folder,
    resumed,
    ownConfig: await isOwn(operand, folder),
  };
}

const defaultFolder = (name: string, { train: { seed } }: Config): string =>
  join('runs', `${name}-seed${seed}`);

const isOwn = async (operand: string | undefined, folder: string): Promise<boolean> =>
  operand?.endsWith('.json') === true && (await isSameFile(operand, join(folder, CONFIG)));

/** What weights are for, and what they are: the same for as long as they live. */
const MODEL = KEYS.filter(key => /^(task|model)\./.test(key));
/** And what the optimiser keeps beside them, and the data that they have seen. */
const FIXED = [...MODEL, 'train.optimiser', 'train.seed'];

function checkUnchanged(
  before: Config,
  after: Config,
  keys: readonly string[],
  words: string,
  advice: string,
): void {
  for (const name of keys) {
    const [group, key] = name.split('.') as [keyof Config, string];
    const [old, now] = [before, after].map(of => (of[group] as unknown as Record<string, unknown>)[key]);
    // Vocabularies are lists.
    if (JSON.stringify(old) !== JSON.stringify(now)) {
      throw new InputError(
        `${words} ${name} (${show(old)} in the checkpoint, ${show(now)} asked for): ${advice}.`,
      );
    }
  }
}

/** A preset by its name, `data` for your own data, or a JSON file by its path; with all that is set on top. */
async function readConfig(
  operand: string,
  sets: readonly string[],
  own: OwnData,
): Promise<{ name: string; config: Config; data?: Data }> {
  const file = operand.endsWith('.json');
  const input = file
    ? parseJson(new TextDecoder().decode(await read(operand, 'configuration', LONGEST_CONFIG)), operand)
    : operand === DATA
      ? { task: { name: DATA } }
      : preset(operand);
  // What the file itself says is checked first, so that its mistakes have its name.
  const task = await named(file ? operand : undefined, async () => makeConfig(input).task);
  if (task.name !== DATA && own.data !== undefined) {
    throw new InputError(
      `--data is for task ${DATA}, but ${operand} is of task ${task.name}: train ${DATA} instead.`,
    );
  }
  const all = [
    ...sets,
    ...(own.data === undefined ? [] : [`task.file=${own.data}`]),
    ...(own.characters ? ['characters=true'] : []),
  ];
  const { config, data } = await configure(input, all);
  const stem = file ? basename(operand, '.json') : operand;
  const ofData = data && (operand === DATA || stem === 'config');
  const name = ofData
    ? basename(data.file).replace(/\.[^.]+$/, '')
    : stem === 'config'
      ? config.task.name
      : stem;
  return { name, config, data };
}

/** Errors of what was read from a file get its name. */
async function named<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw file && error instanceof InputError ? new InputError(`${file}: ${error.message}`) : error;
  }
}
