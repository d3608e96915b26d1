/** Claims of folders that several processes share, perhaps of several machines: one works on each. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { InputError, messageOf } from '../../base/errors.ts';
import { isAlive, removeAtExit } from './write.ts';

export const CLAIM = 'claim';
/** Time between two signs of life, and after how long without one a claim counts as left behind; in ms. */
const TIMES = { beat: 15_000, stale: 120_000 };

interface Holder {
  /** Of this claim alone: no two are mistaken for each other. */
  token: string;
  host: string;
  pid: number;
  /** Where process ids mean the same: the host since it started, or one container of it. */
  machine: string;
}

/** A folder that is ours until it is released, or lost to a process that took ours for dead. */
export interface Claim {
  /** Whether it is still ours, by the file itself. */
  held(): Promise<boolean>;
  /** Called once when a sign of life finds that it is not. */
  onLost(listener: () => void): void;
  release(): Promise<void>;
}

/** Stands for the token of a claim that cannot be read. */
const UNREADABLE = 'unreadable';
/** Tokens that this process holds. */
const held = new Set<string>();

/**
 * Claims a folder by a file in it, `claim`, whose modification time is a sign of life. Of all processes that ask, one gets
 * it. The claim of a killed run is taken over: at once where its process is known to be gone, else after two minutes.
 *
 * Time is that of the folder's file system, by files written to it: the clocks of the machines need not agree.
 * @throws InputError where the folder cannot be written to
 */
export async function claimFolder(folder: string, times = TIMES): Promise<Claim | { by: string }> {
  const path = join(folder, CLAIM);
  const me: Holder = { token: randomUUID(), host: hostname(), pid: process.pid, machine: await machine() };
  // Before there is a file: by it, and this process's id, the claim would seem dead.
  held.add(me.token);
  const without = <T>(outcome: T): T => {
    held.delete(me.token);
    return outcome;
  };
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      const made = await create(path, me);
      if (made) return holding(path, me, made, times.beat);
      const other = await look(path);
      if (!other) continue;
      if (!(await isStale(other, folder, me.machine, times.stale)))
        return without({ by: nameOf(other.holder) });
      const taken = await takeOver(path, other.holder?.token ?? UNREADABLE, me, times.stale);
      if (taken) return holding(path, me, taken, times.beat);
      await wait(20 + 30 * attempt);
    }
    return without({ by: 'another process, this moment' });
  } catch (error) {
    held.delete(me.token);
    throw new InputError(`cannot claim ${folder} by ${path}: ${messageOf(error)}.`);
  }
}

const textOf = (holder: Holder): string => `${JSON.stringify(holder)}\n`;
const nameOf = (holder: Holder | undefined): string =>
  holder ? `process ${holder.pid} on ${holder.host}` : 'another process';

/** The open file of a new claim; undefined where there is one already. */
async function create(path: string, me: Holder): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  await file.write(textOf(me), 0);
  return file;
}

interface Seen {
  /** Undefined where it cannot be read: its maker may not have written it yet. */
  holder: Holder | undefined;
  /** Time of its last sign of life. */
  at: number;
}

/** Undefined where there is none. */
async function look(path: string): Promise<Seen | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { holder: parse(text), at: mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { token, host, pid, machine } = JSON.parse(text) as Record<string, unknown>;
    if (typeof token !== 'string' || !/^[\w-]{1,64}$/.test(token) || !Number.isInteger(pid)) return undefined;
    return { token, host: String(host), pid: pid as number, machine: String(machine) };
  } catch {
    return undefined;
  }
}

async function isStale({ holder, at }: Seen, folder: string, here: string, stale: number): Promise<boolean> {
  if (holder?.machine === here) {
    // A container gives the same id to every run: one's own, where this process does not hold it, is dead.
    if (holder.pid === process.pid ? !held.has(holder.token) : !isAlive(holder.pid)) return true;
  }
  return (await timeIn(folder)) - at > stale;
}

/** What time it is, by the clock that stamps the files of a folder. */
async function timeIn(folder: string): Promise<number> {
  const path = join(folder, `.clock.${randomUUID()}.tmp`);
  const file = await open(path, 'wx');
  try {
    await file.write('.');
    return (await file.stat()).mtimeMs;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/**
 * Replaces a dead claim by ours, by renaming. A process must first create a file named after the dead claim: so one of
 * several that find it dead wins, and none can remove the winner's claim.
 */
async function takeOver(
  path: string,
  token: string,
  me: Holder,
  stale: number,
): Promise<FileHandle | undefined> {
  const folder = dirname(path);
  const permit = `${path}.${token}.taken`;
  let marker: FileHandle;
  try {
    marker = await open(permit, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Its maker may have died in between.
    const since = await stat(permit).catch(() => undefined);
    if (since && (await timeIn(folder)) - since.mtimeMs > stale) await rm(permit, { force: true });
    return undefined;
  }
  try {
    await marker.close();
    const now = await look(path);
    if (!now || (now.holder?.token ?? UNREADABLE) !== token) return undefined;
    const own = join(folder, `.${basename(path)}.${me.token}.tmp`);
    const file = await create(own, me);
    await rename(own, path);
    return file;
  } finally {
    await rm(permit, { force: true });
  }
}

function holding(path: string, me: Holder, file: FileHandle, every: number): Claim {
  const forget = removeAtExit(path);
  const listeners: (() => void)[] = [];
  let lost = false;
  const isOurs = async () => !lost && (await look(path))?.holder?.token === me.token;
  const end = async () => {
    clearInterval(timer);
    held.delete(me.token);
    forget();
    await file.close().catch(() => undefined);
  };
  const beat = async () => {
    // Through the open file: should the name be another's by now, his claim is not touched.
    await file.write(textOf(me), 0);
    if (lost || (await isOurs())) return;
    lost = true;
    await end();
    for (const listener of listeners) listener();
  };
  // A file system that is away for a moment is no reason to give up; the next beat may find it again.
  const timer = setInterval(() => beat().catch(() => undefined), every);
  timer.unref();
  return {
    held: isOurs,
    onLost: listener => {
      if (lost) listener();
      else listeners.push(listener);
    },
    async release() {
      if (lost) return;
      const ours = await isOurs().catch(() => false);
      await end();
      if (ours) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

let known: Promise<string> | undefined;

/** Where process ids mean the same thing. */
function machine(): Promise<string> {
  known ??= (async () => {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    const space = await readlink('/proc/self/ns/pid').catch(() => '');
    return [hostname(), boot.trim(), space].join(' ');
  })();
  return known;
}
