import { dirname, isAbsolute, join, resolve } from 'node:path';
import { assign, type Config, makeConfig, type TaskConfig } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { type Data, type DataOptions, parseData } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import { defaultsFor, withVocabulary } from '../../train/setup.ts';
import { exists, read } from '../files/read.ts';
import type { Option } from './command.ts';

/** In bytes: a string of JavaScript ends at 512 MiB. */
const LARGEST = 256 * 2 ** 20;

export const DATA_OPTION = {
  type: 'string',
  value: '<file>',
  help: 'your own pairs, for task data: .tsv (source, tab, target) or .jsonl ({"source", "target"})',
} as const satisfies Option;

/** @throws InputError naming the file, and the line at fault */
async function readData(file: string, options: DataOptions): Promise<Data> {
  if (file === '')
    throw new InputError('task data needs a file of pairs: give --data my.tsv or --data my.jsonl.');
  const bytes = await read(file, 'data file', LARGEST);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`the data file ${file} must be UTF-8 text: convert it.`);
  }
  return parseData(text, file, options);
}

/**
 * The file that a configuration names. A relative name was given in some working folder, which need not be this one: it is
 * looked for here, then in the folders above the file that names it, the nearest first.
 * @param namedIn the checkpoint or config.json
 * @throws InputError where it is nowhere
 */
export async function findDataFile(file: string, namedIn: string): Promise<string> {
  if (file === '' || (await exists(file))) return file;
  if (!isAbsolute(file)) {
    for (let folder = dirname(resolve(namedIn)); ; folder = dirname(folder)) {
      const there = join(folder, file);
      if (await exists(there)) return there;
      if (dirname(folder) === folder) break;
    }
  }
  const where = isAbsolute(file) ? '' : ` here, nor in a folder above ${namedIn}`;
  throw new InputError(
    `cannot read the data file ${file}: there is no such file${where}. Give --data <file>.`,
  );
}

/**
 * The data of a configuration, where its task is your own; from another path where the file has moved.
 * @param namedIn the file of the configuration
 * @param over options that the configuration does not decide
 */
export async function dataOf(
  { task }: Config,
  namedIn: string,
  moved?: string,
  over: Partial<DataOptions> = {},
): Promise<Data | undefined> {
  if (task.name !== DATA) {
    if (moved === undefined) return undefined;
    throw new InputError(`--data is for task ${DATA}, but the task here is ${task.name}: leave it out.`);
  }
  return readData(moved ?? (await findDataFile(task.file, namedIn)), { ...task, ...over });
}

/**
 * The defaults, overridden by a configuration file or a preset (`given`), and that by `--set`; for
 * your own data, with its vocabulary, and with its lengths and parts where nothing else is said.
 * @param namedIn the configuration file, where there is one
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

/** The share that is asked for; undefined where it is left to the default. */
function explicitHeldOut(given: unknown, sets: readonly string[]): TaskConfig['heldOut'] | undefined {
  const over = (heldOut: number): number =>
    assign(makeConfig(given, makeConfig({ task: { heldOut } })), sets).task.heldOut;
  return over(0) === over(0.5) ? over(0) : undefined;
}
