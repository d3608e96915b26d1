import { assign, type Config, makeConfig, type TaskConfig } from '../../base/config.ts';
import { InputError } from '../../base/errors.ts';
import { type Data, parseData } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import { defaultsFor, withVocabulary } from '../../train/setup.ts';
import { read } from '../files/read.ts';
import type { Option } from './command.ts';

/** In bytes: a string of JavaScript ends at 512 MiB. */
const LARGEST = 256 * 2 ** 20;

export const DATA_OPTION = {
  type: 'string',
  value: '<file>',
  help: 'your own pairs, for task data: .tsv (source, tab, target) or .jsonl ({"source", "target"})',
} as const satisfies Option;

/** @throws InputError naming the file, and the line at fault */
export async function readData({ file, characters, heldOut }: TaskConfig): Promise<Data> {
  if (file === '')
    throw new InputError('task data needs a file of pairs: give --data my.tsv or --data my.jsonl.');
  const bytes = await read(file, 'data file', LARGEST);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`the data file ${file} must be UTF-8 text: convert it.`);
  }
  return parseData(text, file, { characters, heldOut });
}

/** The data of a configuration, where its task is your own; from another path where the file has moved. */
export async function dataOf(config: Config, moved?: string): Promise<Data | undefined> {
  if (config.task.name !== DATA) {
    if (moved === undefined) return undefined;
    throw new InputError(
      `--data is for task ${DATA}, but the task here is ${config.task.name}: leave it out.`,
    );
  }
  return readData({ ...config.task, file: moved ?? config.task.file });
}

/**
 * What a configuration file or a preset (`given`), laid over the defaults, comes to with `--set` laid over that; for
 * your own data, with its vocabulary, and with its lengths where nothing else is said.
 */
export async function configure(
  given: unknown,
  sets: readonly string[],
): Promise<{ config: Config; data?: Data }> {
  const plain = assign(makeConfig(given), sets);
  if (plain.task.name !== DATA) return { config: plain };
  const data = await readData(plain.task);
  return { config: withVocabulary(assign(makeConfig(given, defaultsFor(data)), sets), data), data };
}
