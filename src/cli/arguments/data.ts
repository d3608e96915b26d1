import { dirname, isAbsolute, join, resolve } from 'node:path';
import { assign, type Config, makeConfig, type TaskConfig } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { type Data, type DataOptions, parseData } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import { defaultsFor, withVocabulary } from '../../train/setup.ts';
import { exists, read } from '../files/read.ts';
import type { Option } from './command.ts';

/** Maximum size of a data file, in bytes. Node limits strings to 2^29 characters. */
const MAX_BYTES = 256 * 2 ** 20;

export const DATA_OPTION = {
  type: 'string',
  value: '<file>',
  help: 'your own pairs, for the task `data` (pushdown train data --data my.tsv): .tsv (source, tab, target) or .jsonl ({"source", "target"})',
} as const satisfies Option;

/** @throws InputError naming the file, and the line that is wrong */
async function readData(file: string, options: DataOptions): Promise<Data> {
  if (file === '')
    throw new InputError('task data needs a file of pairs: give --data my.tsv or --data my.jsonl.');
  const bytes = await read(file, 'data file', MAX_BYTES);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`the data file ${file} must be UTF-8 text: convert it to UTF-8.`);
  }
  return parseData(text, file, options);
}

/**
 * Finds the data file that a configuration names. A relative path may be relative to an earlier working folder. So the
 * file is looked up in the current folder, then in the folder of `namedIn` and each folder above it.
 * @param namedIn the checkpoint or config.json that names the file
 * @throws InputError if the file is not found
 */
export async function findDataFile(file: string, namedIn: string): Promise<string> {
  if (file === '' || (await exists(file))) return file;
  if (!isAbsolute(file)) {
    for (let folder = dirname(resolve(namedIn)); ; folder = dirname(folder)) {
      const candidate = join(folder, file);
      if (await exists(candidate)) return candidate;
      if (dirname(folder) === folder) break;
    }
  }
  const where = isAbsolute(file) ? '' : ` here or in a folder above ${namedIn}`;
  throw new InputError(
    `cannot read the data file ${file}: there is no such file${where}. Give --data <file>.`,
  );
}

/**
 * Reads the data of a configuration. Returns undefined for tasks other than `data`.
 * @param namedIn the checkpoint or config.json that the configuration comes from
 * @param moved the path of the data file, if it differs from the configuration's
 * @param overrides options that replace those of the configuration
 * @throws InputError for a file that cannot be read, or a file given for another task
 */
export async function dataOf(
  { task }: Config,
  namedIn: string,
  moved?: string,
  overrides: Partial<DataOptions> = {},
): Promise<Data | undefined> {
  if (task.name !== DATA) {
    if (moved === undefined) return undefined;
    throw new InputError(`--data is for task ${DATA}, but this task is ${task.name}: leave --data out.`);
  }
  return readData(moved ?? (await findDataFile(task.file, namedIn)), { ...task, ...overrides });
}

/**
 * The configuration: the defaults, overridden by a configuration file or preset (`given`), overridden by `--set`. For
 * your own data, the configuration also gets the vocabulary of the data, and by default its lengths and how it is
 * split.
 * @param namedIn the configuration file, if there is one
 * @throws InputError for a wrong setting or data file
 */
export async function configure(
  given: unknown,
  sets: readonly string[],
  namedIn?: string,
): Promise<{ config: Config; data?: Data }> {
  const plain = assign(makeConfig(given), sets);
  if (plain.task.name !== DATA) return { config: plain };
  const { task } = plain;
  const file = namedIn === undefined ? task.file : await findDataFile(task.file, namedIn);
  const data = await readData(file, { ...task, heldOut: explicitHeldOut(given, sets) });
  return { config: withVocabulary(assign(makeConfig(given, defaultsFor(data)), sets), data), data };
}

/** The share to hold out that `given` or `--set` sets; undefined if neither does. */
function explicitHeldOut(given: unknown, sets: readonly string[]): TaskConfig['heldOut'] | undefined {
  // Two different defaults give the same result only if the share is set.
  const withDefault = (heldOut: number): number =>
    assign(makeConfig(given, makeConfig({ task: { heldOut } })), sets).task.heldOut;
  return withDefault(0) === withDefault(0.5) ? withDefault(0) : undefined;
}
