/** What a folder had before: the last checkpoints of its run, and the files of an earlier one. */
import { copyFile, link, readdir, rename, rm } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { makeFolder } from '../../platform/node/make-folder.ts';
import { exists, why } from '../files/read.ts';
import { EARLIER } from './names.ts';

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
    makeFolder(earlier);
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
