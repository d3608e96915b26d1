import type { TaskConfig } from '../../base/config.ts';
import { type Data, parseData } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import type { DataText } from '../protocol.ts';

/**
 * Your own data, taken apart as a configuration says; nothing where its task is another one.
 * @throws InputError naming the file and the line
 */
export const ownDataFor = (config: TaskConfig, data?: DataText): Data | undefined =>
  config.name === DATA && data ? parseData(data.text, data.file, config) : undefined;
