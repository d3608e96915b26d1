import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents. Node's `recursive` option is not used: it never returns if a parent exists but
 * the system answers ENOENT when something is created in it, as in /proc or in a working folder that was deleted.
 * @throws the system's error, at once
 */
export function makeFolder(path: string, mode?: number): void {
  try {
    makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    makeFolder(parent, mode);
    makeOne(path, mode);
  }
}

/** Creates one folder; a folder that exists already, or that another process creates meanwhile, is no error. */
function makeOne(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isDirectory()) throw error;
  }
}
