import { constants } from 'node:fs';
import { access, readFile, realpath, stat } from 'node:fs/promises';
import { InputError, messageOf } from '../../base/errors.ts';

export const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false,
  );

/** Describes a system error, in words that can follow "cannot read …:". */
export function systemErrorText(error: unknown): string {
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

/** Whether both paths name one existing file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(path => realpath(path).catch(() => undefined)));
  return a !== undefined && a === b;
}

/**
 * Reads a file.
 * @param what the kind of file, for the error message
 * @param maxBytes the maximum size
 * @throws InputError if it cannot be read, is too large, or is not a regular file (reading a device may never end)
 */
export async function read(path: string, what: string, maxBytes: number): Promise<Uint8Array> {
  const fail = (reason: string): never => {
    throw new InputError(`cannot read the ${what} ${path}: ${reason}.`);
  };
  // Checked before opening, because opening a pipe blocks until something writes to it.
  const found = await stat(path).catch(error => fail(systemErrorText(error)));
  if (found.isDirectory()) fail('it is a folder');
  if (!found.isFile()) fail('it is not a regular file');
  if (found.size > maxBytes) {
    fail(`it has ${found.size} bytes, but a ${what} may have at most ${maxBytes}`);
  }
  try {
    return await readFile(path);
  } catch (error) {
    return fail(systemErrorText(error));
  }
}
