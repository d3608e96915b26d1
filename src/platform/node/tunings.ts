import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isPlain } from '../../base/plain.ts';
import type { TuningStore } from '../../kernels/tuning-store.ts';
import { makeFolder } from './make-folder.ts';

/** The user's cache folder, for data that can be measured again. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME || join(homedir(), '.cache');
}

/**
 * Stores the measurements for an adapter in a file of the user's cache. If the file cannot be read or written, they are
 * measured again.
 * @param adapter its name, and the reason why it was chosen, which also says whether its bounds checks are on: they
 * change what is fastest
 */
export function tuningFile(
  adapter: string,
  file = join(cacheFolder(), 'pushdown', 'tuning.json'),
): TuningStore {
  const read = (): Record<string, Record<string, string>> => {
    try {
      const all: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return isPlain(all) ? (all as Record<string, Record<string, string>>) : {};
    } catch {
      return {};
    }
  };
  return {
    get: key => {
      const value: unknown = read()[adapter]?.[key];
      return typeof value === 'string' ? value : undefined;
    },
    set: (key, value) => {
      const all = read();
      all[adapter] = { ...all[adapter], [key]: value };
      try {
        makeFolder(dirname(file));
        writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
      } catch {
        // Measured again next time.
      }
    },
  };
}
