import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import {
  access,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import { InputError, messageOf } from '../../base/errors.ts';

export const CHECKPOINT = 'checkpoint.safetensors';
export const CONFIG = 'config.json';
export const LOG = 'log.jsonl';
/** What shows that a folder can be written to. */
export const PROBE = 'probe';

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

/** Whether both name one file that is there. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(path => realpath(path).catch(() => undefined)));
  return a !== undefined && a === b;
}

/** @throws InputError where it cannot be read, is no regular file (a device may have no end), or too large */
export async function read(path: string, what: string, most: number): Promise<Uint8Array> {
  const no = (reason: string): never => {
    throw new InputError(`cannot read the ${what} ${path}: ${reason}.`);
  };
  // Before it is opened: to open a pipe is to wait for its writer.
  const found = await stat(path).catch(error => no(why(error)));
  if (found.isDirectory()) no('it is a folder');
  if (!found.isFile()) no('it is not a regular file');
  if (found.size > most) no(`it has ${found.size} bytes, more than a ${what} can have (${most})`);
  try {
    return await readFile(path);
  } catch (error) {
    return no(why(error));
  }
}

/** A checkpoint may be named by its folder. */
export const checkpointPath = async (path: string): Promise<string> =>
  (await isFolder(path)) ? join(path, CHECKPOINT) : path;

/** Files that must not outlive the process, however it ends. A kill leaves them all the same. */
const passing = new Set<string>();

/** Removes a file when the process ends, unless the function that comes back is called before. */
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
      // Nothing is left to be told to.
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

/** Checkpoints of before the latest, by step. */
export const EARLIER = 'earlier';

/**
 * Keeps what has just been written as that of its step too, and of those the last `count`: the latest may be lost to
 * what nobody thought of. Where the file system has no links, it is copied.
 * @throws InputError where it cannot be written
 */
export async function keepLast(folder: string, name: string, step: number, count: number): Promise<void> {
  if (count < 2) return;
  const earlier = join(folder, EARLIER);
  const kept = (at: number): string => name.replace(/(\.[^.]+)$/, `-step${at}$1`);
  const path = join(earlier, kept(step));
  try {
    await mkdir(earlier, { recursive: true });
    await rm(path, { force: true });
    const latest = join(folder, name);
    await link(latest, path).catch(() => copyFile(latest, path));
    const [before, after] = kept(0).split('0');
    const steps = (await readdir(earlier))
      .filter(file => file.startsWith(before) && file.endsWith(after))
      .map(file => Number(file.slice(before.length, -after.length)))
      .filter(Number.isSafeInteger)
      .sort((a, b) => b - a);
    // Those of a longer run that went on from further back are no longer of this one.
    for (const old of [...steps.filter(at => at > step), ...steps.filter(at => at <= step).slice(count)]) {
      await rm(join(earlier, kept(old)), { force: true });
    }
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${why(error)}.`);
  }
}

/** Makes the folder, and proves that a file can be written there. @throws InputError where it cannot */
export async function makeWritable(folder: string): Promise<void> {
  const probe = temporaryOf(folder, PROBE);
  try {
    await mkdir(folder, { recursive: true });
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw new InputError(`cannot write to the output folder ${folder}: ${why(error)}. Choose another --out.`);
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

/**
 * Gives what an earlier run left in the folder a number: checkpoint.safetensors → checkpoint.1.safetensors, earlier → earlier.1.
 * Returns the new name of the first, or undefined where none was there.
 */
export async function keepEarlier(folder: string, names: readonly string[]): Promise<string | undefined> {
  const numbered = (name: string, n: number) => {
    const { name: stem, ext } = parse(name);
    return join(folder, `${stem}.${n}${ext}`);
  };
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
