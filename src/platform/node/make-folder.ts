import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing. Not by Node's `recursive`: that never returns where a folder exists
 * but nothing can be made in it and the system says ENOENT, as in /proc, or in a working folder that was deleted.
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

/** A folder that is there already, also by another process, will do. */
function makeOne(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isDirectory()) throw error;
  }
}
