import { constants } from 'node:fs';
import { access, appendFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, messageOf } from '../base/errors.ts';

export const CHECKPOINT = 'checkpoint.safetensors';

export const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false,
  );

/** Why the system refused, in words. */
function why(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'ENOTDIR':
      return 'a part of the path is not a folder';
    case 'EEXIST':
      return 'a file has that name';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return messageOf(error);
  }
}

/** @throws InputError where it cannot be read */
export async function read(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError(`cannot read the ${what} ${path}: ${why(error)}.`);
  }
}

/** A checkpoint may be named by its folder. */
export const checkpointPath = async (path: string): Promise<string> =>
  (await isFolder(path)) ? join(path, CHECKPOINT) : path;

/**
 * Writes all or nothing: a temporary file beside it, forced to the disk, takes the name.
 * @throws InputError where it cannot be written
 */
export async function writeAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
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
  }
}

/** Makes the folder, and proves that a file can be written there. @throws InputError where it cannot */
export async function makeWritable(folder: string): Promise<void> {
  const probe = join(folder, `.probe.${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw new InputError(`cannot write to the output folder ${folder}: ${why(error)}. Choose another --out.`);
  }
}

/** @throws InputError where it cannot be written */
export async function append(path: string, text: string): Promise<void> {
  try {
    await appendFile(path, text);
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${why(error)}.`);
  }
}

/**
 * Gives what an earlier run left in the folder a number: checkpoint.safetensors → checkpoint.1.safetensors.
 * Returns the new name of the first, or undefined where none was there.
 */
export async function keepEarlier(folder: string, names: readonly string[]): Promise<string | undefined> {
  const numbered = (name: string, n: number) => join(folder, name.replace(/(\.[^.]+)$/, `.${n}$1`));
  const there: string[] = [];
  for (const name of names) if (await exists(join(folder, name))) there.push(name);
  if (there.length === 0) return undefined;
  const taken = async (n: number) => {
    for (const name of names) if (await exists(numbered(name, n))) return true;
    return false;
  };
  let n = 1;
  while (await taken(n)) n++;
  for (const name of there) await rename(join(folder, name), numbered(name, n));
  return numbered(there[0], n);
}
