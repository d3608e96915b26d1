/** The earlier files in a run's folder: previous checkpoints of the run, and the files of a previous run. */
import { copyFile, link, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { makeFolder } from '../../platform/node/make-folder.ts';
import { exists, systemErrorText } from '../files/read.ts';
import { EARLIER } from './names.ts';

/** The file name of a step's checkpoint in `earlier/`. */
const keptName = (name: string, step: number): string => name.replace(/(\.[^.]+)$/, `-step${step}$1`);

/** Steps of the checkpoints in `earlier/`, in descending order. */
async function keptSteps(earlier: string, name: string): Promise<number[]> {
  const [before, after] = keptName(name, 0).split('0');
  return (await readdir(earlier))
    .filter(file => file.startsWith(before) && file.endsWith(after))
    .map(file => Number(file.slice(before.length, -after.length)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => b - a);
}

/**
 * Adds the newest checkpoint to `earlier/`, named by its step, and keeps only the last `count` there, including it. If
 * the newest is damaged, an earlier one can be used. Uses a hard link, or a copy if the file system has no links. Does
 * nothing if `count` is 1.
 * @throws InputError if it cannot be written
 */
export async function keepLast(folder: string, name: string, step: number, count: number): Promise<void> {
  if (count < 2) return;
  const earlier = join(folder, EARLIER);
  const path = join(earlier, keptName(name, step));
  try {
    makeFolder(earlier);
    await rm(path, { force: true });
    const latest = join(folder, name);
    await link(latest, path).catch(() => copyFile(latest, path));
    const steps = await keptSteps(earlier, name);
    // Checkpoints of later steps were written before this run resumed at an earlier step.
    for (const old of [...steps.filter(at => at > step), ...steps.filter(at => at <= step).slice(count)]) {
      await rm(join(earlier, keptName(name, old)), { force: true });
    }
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${systemErrorText(error)}.`);
  }
}

/**
 * Renames the files that a previous run left in the folder: checkpoint.safetensors → checkpoint.1.safetensors,
 * earlier → earlier.1. Returns the new name of the first, or undefined if there were none.
 */
export async function renameEarlier(folder: string, names: readonly string[]): Promise<string | undefined> {
  const existing: string[] = [];
  for (const name of names) if (await exists(join(folder, name))) existing.push(name);
  if (existing.length === 0) return undefined;
  const n = await freeNumber(folder, names);
  for (const name of existing) await rename(join(folder, name), numbered(folder, name, n));
  return numbered(folder, existing[0], n);
}

function numbered(folder: string, name: string, n: number): string {
  const { name: stem, ext } = parse(name);
  return join(folder, `${stem}.${n}${ext}`);
}

/** The smallest number for which none of these names exists. */
async function freeNumber(folder: string, names: readonly string[]): Promise<number> {
  for (let n = 1; ; n++) {
    const taken = await Promise.all(names.map(name => exists(numbered(folder, name, n))));
    if (!taken.includes(true)) return n;
  }
}

/**
 * Makes a checkpoint in `earlier/` the latest. Renames the checkpoints of later steps: the latest,
 * checkpoint.safetensors → checkpoint.1.safetensors, and those in `earlier/`, earlier/…-step9… → earlier.1/…-step9….
 * Returns the new name of the former latest; undefined if it is the same checkpoint, or there was none.
 * @throws InputError if a file cannot be written
 */
export async function rewindTo(
  folder: string,
  name: string,
  file: string,
  step: number,
): Promise<string | undefined> {
  const latest = join(folder, name);
  const [current, chosen] = await Promise.all(
    [latest, file].map(path => readFile(path).catch(() => undefined)),
  );
  if (current && chosen && current.equals(chosen)) return undefined;
  try {
    const earlier = join(folder, EARLIER);
    const n = await freeNumber(folder, [name, EARLIER]);
    const newer = (await keptSteps(earlier, name)).filter(at => at > step);
    if (newer.length > 0) makeFolder(numbered(folder, EARLIER, n));
    for (const at of newer) {
      const kept = keptName(name, at);
      await rename(join(earlier, kept), join(numbered(folder, EARLIER, n), kept));
    }
    const renamed = current && numbered(folder, name, n);
    if (renamed) await rename(latest, renamed);
    await link(file, latest).catch(() => copyFile(file, latest));
    return renamed;
  } catch (error) {
    throw new InputError(`cannot write ${latest}: ${systemErrorText(error)}.`);
  }
}
