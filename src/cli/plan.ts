import { basename, dirname, join, resolve } from 'node:path';
import { assign, type Config, KEYS, makeConfig } from '../base/config.ts';
import { InputError, show } from '../base/errors.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { PRESETS, preset } from '../train/presets.ts';
import { readCheckpoint } from './checkpoint.ts';
import { CHECKPOINT, CONFIG, exists, isSameFile, read } from './files.ts';
import { parseJson } from './input.ts';

/** In bytes: far more than every key of a configuration takes. */
const LONGEST_CONFIG = 16 * 2 ** 20;

/** What a run of `train` is to do. */
export interface Plan {
  config: Config;
  from?: Checkpoint;
  out: string;
  /** It goes on in the folder that it comes from. */
  resumed: boolean;
  /** The configuration of the output folder is the user's own file, given as such: it stays as it is. */
  ownConfig: boolean;
}

/** What to train, from where, and where to: everything that can be wrong before an engine is opened. */
export async function makePlan(
  operand: string | undefined,
  sets: readonly string[],
  out: string | undefined,
  resume: string | undefined,
): Promise<Plan> {
  if (out === '') throw new InputError('--out needs the name of a folder.');
  const given = operand === undefined ? undefined : await readConfig(operand);
  if (resume === undefined) {
    if (!given) {
      const names = PRESETS.map(({ name }) => name).join(', ');
      throw new InputError(
        `train needs a preset (${names}) or a config.json, or --resume with a checkpoint. Try: pushdown train reverse`,
      );
    }
    const config = assign(given.config, sets);
    const folder = out ?? defaultFolder(given.name, config);
    if (out !== undefined && (await exists(join(out, CHECKPOINT)))) {
      throw new InputError(
        `${join(out, CHECKPOINT)} is there already: go on with it by --resume ${out}, or choose another --out.`,
      );
    }
    return { config, out: folder, resumed: false, ownConfig: await isOwn(operand, folder) };
  }

  const source = resume || out || (given && defaultFolder(given.name, assign(given.config, sets)));
  if (!source) throw new InputError('--resume needs a checkpoint or its folder.');
  const { file, checkpoint } = await readCheckpoint(source);
  const config = assign(checkpoint.config, sets);
  const advice = 'leave it out, or begin anew without --resume';
  checkUnchanged(checkpoint.config, config, FIXED, `${file}: a checkpoint cannot change`, advice);
  if (given) {
    const differs = `${file} is not of ${operand}: it differs in`;
    const both = 'leave one of the two out, or give the --set options that it began with';
    checkUnchanged(checkpoint.config, assign(given.config, sets), MODEL, differs, both);
  }
  const folder = out ?? dirname(file);
  const resumed = resolve(folder) === resolve(dirname(file));
  if (!resumed && (await exists(join(folder, CHECKPOINT)))) {
    throw new InputError(
      `${join(folder, CHECKPOINT)} is there already, and not what --resume names: choose another --out.`,
    );
  }
  return { config, from: checkpoint, out: folder, resumed, ownConfig: await isOwn(operand, folder) };
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
    if (old !== now) {
      throw new InputError(
        `${words} ${name} (${show(old)} in the checkpoint, ${show(now)} asked for): ${advice}.`,
      );
    }
  }
}

/** A preset by its name, or a JSON file by its path. */
async function readConfig(operand: string): Promise<{ name: string; config: Config }> {
  if (!operand.endsWith('.json')) return { name: operand, config: preset(operand) };
  const text = new TextDecoder().decode(await read(operand, 'configuration', LONGEST_CONFIG));
  const input = parseJson(text, operand);
  try {
    const config = makeConfig(input);
    const name = basename(operand, '.json');
    return { name: name === 'config' ? config.task.name : name, config };
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${operand}: ${error.message}`) : error;
  }
}
