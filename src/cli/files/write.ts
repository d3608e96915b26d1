import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { makeFolder } from '../../platform/node/make-folder.ts';
import { systemErrorText } from './read.ts';

/** The name of the file that tests whether a folder can be written to. */
export const PROBE = 'probe';

/** Files to remove when the process exits. A process that is killed leaves them behind. */
const temporaryFiles = new Set<string>();

/** Removes a file when the process exits, unless the returned function is called first. */
export function removeAtExit(path: string): () => void {
  if (temporaryFiles.size === 0) process.once('exit', removeTemporaryFiles);
  temporaryFiles.add(path);
  return () => {
    temporaryFiles.delete(path);
    if (temporaryFiles.size === 0) process.off('exit', removeTemporaryFiles);
  };
}

function removeTemporaryFiles(): void {
  for (const path of temporaryFiles) {
    try {
      rmSync(path, { force: true });
    } catch {
      // The process is exiting: the error can no longer be reported.
    }
  }
}

/** Whether a process exists. EPERM means that it exists and belongs to another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A path that is unique to one write: processes in containers that share a folder may have the same id. */
const temporaryOf = (folder: string, name: string): string =>
  join(folder, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);

/** Removes temporary files for these names (see temporaryOf) that killed runs have left in the folder. */
export async function clearTemporaries(folder: string, names: readonly string[]): Promise<void> {
  for (const file of await readdir(folder).catch(() => [])) {
    const [, name, pid] = /^\.(.+?)\.(\d+)(?:\.[\da-f]{8})?\.tmp$/.exec(file) ?? [];
    if (!names.includes(name) || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    await rm(join(folder, file), { force: true }).catch(() => undefined);
  }
}

/**
 * Writes a file completely or not at all: writes a temporary file beside it, flushes it to disk, then renames it.
 * @throws InputError if it cannot be written
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
    throw new InputError(`cannot write ${path}: ${systemErrorText(error)}.`);
  } finally {
    forget();
  }
}

/** Creates the folder if needed, and checks that files can be created in it. @throws InputError if they cannot */
export async function makeWritable(folder: string): Promise<void> {
  const probe = temporaryOf(folder, PROBE);
  const isENOENT = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
  const tryWriting = async (): Promise<void> => {
    makeFolder(folder);
    await (await open(probe, 'w')).close();
    await rm(probe);
  };
  try {
    // Another process may delete the folder between these steps: try once more.
    await tryWriting().catch(error => (isENOENT(error) ? tryWriting() : Promise.reject(error)));
  } catch (error) {
    // makeFolder() creates missing parents, so a missing parent here cannot be created.
    const isMissing = isENOENT(error);
    const reason = isMissing ? 'no folder can be created there' : systemErrorText(error);
    throw new InputError(`cannot write to the output folder ${folder}: ${reason}. Choose another --out.`);
  }
}

/**
 * Appends complete lines: all of them, or none if the disk is full. If a killed run left an incomplete last line, the
 * new lines start on a line of their own.
 * @throws InputError if they cannot be written
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
    throw new InputError(`cannot write ${path}: ${systemErrorText(error)}.`);
  }
}
