import { open, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { InputError, messageOf } from '../base/errors.ts';
import { isAlive, removeAtExit } from './files.ts';

const LOCK = 'lock';
/** Folders that this process has locked. */
const held = new Set<string>();

/**
 * Keeps other runs out of a folder until the function that comes back is called: a file with this process's
 * id. One that a killed run has left is taken over.
 * @throws InputError where another run has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = resolve(folder, LOCK);
  const shown = join(folder, LOCK);
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await create(path)) {
        // Of several that take over a dead run's lock at once, the last to write has it.
        if (attempt > 0) await wait(50);
        if (attempt > 0 && (await holder(path, shown)) !== process.pid) continue;
        return locked(path);
      }
      const pid = await holder(path, shown);
      // A container gives the same id to every run: one's own, where this process has not locked, is dead.
      if (pid !== undefined && (pid === process.pid ? held.has(path) : isAlive(pid))) {
        throw new InputError(
          `another run (process ${pid}) writes to ${folder}: wait for its end, or choose another --out. (If that process is no run of pushdown, delete ${shown}.)`,
        );
      }
      await rm(path, { force: true });
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`cannot lock the output folder by ${shown}: ${messageOf(error)}.`);
  }
  throw new InputError(`several runs begin in ${folder} at once: choose another --out.`);
}

function locked(path: string): () => Promise<void> {
  held.add(path);
  const forget = removeAtExit(path);
  return async () => {
    held.delete(path);
    forget();
    await rm(path, { force: true }).catch(() => undefined);
  };
}

/** False where it is there already. */
async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(`${process.pid}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whose lock it is; undefined where it is gone, or was never finished. */
async function holder(path: string, shown: string): Promise<number | undefined> {
  let text = '';
  // Its maker may be between making and writing it.
  for (let attempt = 0; attempt < 5 && text === ''; attempt++) {
    if (attempt > 0) await wait(20);
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
  if (text === '') return undefined;
  if (!/^\d{1,10}\n?$/.test(text)) {
    throw new InputError(`${shown} is there and no lock of pushdown: move it, or choose another --out.`);
  }
  return Number(text);
}
