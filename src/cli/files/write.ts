import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { makeFolder } from '../../platform/node/make-folder.ts';
import { why } from './read.ts';

/** What shows that a folder can be written to. */
export const PROBE = 'probe';

/** Files that must not outlive the process, however it ends. A kill leaves them all the same. */
const passing = new Set<string>();

/** Removes a file when the process ends, unless the returned function is called before. */
export function removeAtExit(path: string): () => void {
  if (passing.size === 0) process.once('exit', removePassing);
  passing.add(path);
  return () => {
    passing.delete(path);
    if (passing.size === 0) process.off('exit', removePassing);
  };
}

function removePassing(): void {
  for (const path of passing) {
    try {
      rmSync(path, { force: true });
    } catch {
      // The process ends: there is nobody left to report it to.
    }
  }
}

/** Whether a process is there. One that may not be asked (EPERM) is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Of this write alone: containers that share a folder may all have the same process id. */
const temporaryOf = (folder: string, name: string): string =>
  join(folder, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);

/** Removes temporary files of these names (see temporaryOf) that killed runs have left in the folder. */
export async function clearTemporaries(folder: string, names: readonly string[]): Promise<void> {
  for (const left of await readdir(folder).catch(() => [])) {
    const [, name, pid] = /^\.(.+?)\.(\d+)(?:\.[\da-f]{8})?\.tmp$/.exec(left) ?? [];
    if (!names.includes(name) || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    await rm(join(folder, left), { force: true }).catch(() => undefined);
  }
}

/**
 * Writes all or nothing: a temporary file beside it, forced to the disk, takes the name.
 * @throws InputError where it cannot be written
 */
export async function writeAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = temporaryOf(dirname(path), basename(path));
  const forget = removeAtExit(temporary);
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new InputError(`cannot write ${path}: ${why(error)}.`);
  } finally {
    forget();
  }
}

/** Makes the folder, and proves that a file can be written there. @throws InputError where it cannot */
export async function makeWritable(folder: string): Promise<void> {
  const probe = temporaryOf(folder, PROBE);
  try {
    makeFolder(folder);
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    // Where a parent was missing, it would have been made.
    const nowhere = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = nowhere ? 'nothing can be made there' : why(error);
    throw new InputError(`cannot write to the output folder ${folder}: ${reason}. Choose another --out.`);
  }
}

/**
 * Appends whole lines: all of them or, where the disk is full, none; after a line that a killed run has left half, on a
 * line of their own.
 * @throws InputError where they cannot be written
 */
export async function appendLines(path: string, lines: string): Promise<void> {
  try {
    const file = await open(path, 'a+');
    try {
      const { size } = await file.stat();
      const end = new Uint8Array(1);
      if (size > 0) await file.read(end, 0, 1, size - 1);
      const whole = size === 0 || end[0] === '\n'.charCodeAt(0);
      await file.appendFile(whole ? lines : `\n${lines}`).catch(async error => {
        await file.truncate(size).catch(() => undefined);
        throw error;
      });
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${why(error)}.`);
  }
}
