import type { TaskConfig } from '../../base/config.ts';
import { type Data, parseData } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import type { DataText } from '../protocol.ts';

/**
 * Parses the user's own data as the configuration requires. Returns undefined without data or for another task.
 * @throws InputError naming the file and the line
 */
export const ownDataFor = (config: TaskConfig, data?: DataText): Data | undefined =>
  config.name === DATA && data ? parseData(data.text, data.file, config) : undefined;
