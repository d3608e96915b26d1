/**
 * Claims on folders that several processes share, possibly on several machines: each folder has one owner at a time.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { InputError, messageOf } from '../../base/errors.ts';
import { isAlive, removeAtExit } from './write.ts';

export const CLAIM = 'claim';
/** In ms: the interval of the heartbeat, and the age of the last heartbeat after which a claim is stale. */
const TIMES = { beat: 15_000, stale: 120_000 };

interface Holder {
  /** Unique to this claim. */
  token: string;
  host: string;
  pid: number;
  /** The scope in which process ids are unique: a host since it booted, or one container on it. */
  machine: string;
}

/**
 * The claim of this process on a folder. It ends when the process releases it, or when another process finds it stale
 * and takes it over.
 */
export interface Claim {
  /** Reads the claim file to check that this process still owns the folder. */
  held(): Promise<boolean>;
  /** Calls the listener once, when a heartbeat finds that another process owns the folder. */
  onLost(listener: () => void): void;
  release(): Promise<void>;
}

/** Used as the token of a claim that cannot be read. */
const UNREADABLE = 'unreadable';
/** Tokens of the claims that this process holds. */
const ownTokens = new Set<string>();

/**
 * Claims a folder with a file in it, `claim`. The file's modification time is the heartbeat. Of several processes that
 * claim a folder, exactly one succeeds. The claim of a killed process is taken over at once if the process is known to
 * be gone, else two minutes after the last heartbeat.
 *
 * Times are measured by the folder's file system, from files written to it, so the machines' clocks need not agree.
 * @returns the claim, or `by`: the process that holds the folder
 * @throws InputError if the folder cannot be written to
 */
export async function claimFolder(folder: string, times = TIMES): Promise<Claim | { by: string }> {
  const path = join(folder, CLAIM);
  const self: Holder = { token: randomUUID(), host: hostname(), pid: process.pid, machine: await machine() };
  // Added before the file exists, because a claim file with this process's id and an unknown token counts as stale.
  ownTokens.add(self.token);
  const withoutClaim = <T>(outcome: T): T => {
    ownTokens.delete(self.token);
    return outcome;
  };
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      const created = await create(path, self);
      if (created) return hold(path, self, created, times.beat);
      const other = await readClaim(path);
      if (!other) continue;
      if (!(await isStale(other, folder, self.machine, times.stale)))
        return withoutClaim({ by: nameOf(other.holder) });
      const taken = await takeOver(path, other.holder?.token ?? UNREADABLE, self, times.stale);
      if (taken) return hold(path, self, taken, times.beat);
      await wait(20 + 30 * attempt);
    }
    return withoutClaim({ by: 'another process that is claiming it now' });
  } catch (error) {
    ownTokens.delete(self.token);
    throw new InputError(`cannot claim ${folder} with the file ${path}: ${messageOf(error)}.`);
  }
}

const textOf = (holder: Holder): string => `${JSON.stringify(holder)}\n`;
const nameOf = (holder: Holder | undefined): string =>
  holder ? `process ${holder.pid} on ${holder.host}` : 'another process';

/** Opens a new claim file; returns undefined if the file exists already. */
async function create(path: string, self: Holder): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  await file.write(textOf(self), 0);
  return file;
}

/** The content of a claim file. */
interface FoundClaim {
  /** Undefined if the file cannot be parsed: its owner may not have written it yet. */
  holder: Holder | undefined;
  /** Time of the last heartbeat. */
  at: number;
}

/** Reads the claim file; returns undefined if there is none. */
async function readClaim(path: string): Promise<FoundClaim | undefined> {
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

async function isStale(
  { holder, at }: FoundClaim,
  folder: string,
  here: string,
  stale: number,
): Promise<boolean> {
  if (holder?.machine === here) {
    // In containers all processes may have the same id. A claim with this process's id that it does not hold is stale.
    if (holder.pid === process.pid ? !ownTokens.has(holder.token) : !isAlive(holder.pid)) return true;
  }
  return (await timeIn(folder)) - at > stale;
}

/** The current time, by the clock of the folder's file system. */
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
 * Replaces a stale claim with the claim of this process, by renaming a file. A process must first create the permit, a
 * file named after the stale claim's token. So if several processes find the claim stale, one of them wins, and none
 * can remove the winner's claim.
 */
async function takeOver(
  path: string,
  token: string,
  self: Holder,
  stale: number,
): Promise<FileHandle | undefined> {
  const folder = dirname(path);
  const permit = `${path}.${token}.taken`;
  let marker: FileHandle;
  try {
    marker = await open(permit, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // The process that created the permit may have died before removing it.
    const since = await stat(permit).catch(() => undefined);
    if (since && (await timeIn(folder)) - since.mtimeMs > stale) await rm(permit, { force: true });
    return undefined;
  }
  try {
    await marker.close();
    const current = await readClaim(path);
    if (!current || (current.holder?.token ?? UNREADABLE) !== token) return undefined;
    const temporary = join(folder, `.${basename(path)}.${self.token}.tmp`);
    const file = await create(temporary, self);
    await rename(temporary, path);
    return file;
  } finally {
    await rm(permit, { force: true });
  }
}

/** Keeps a claim alive with heartbeats. @param every ms between heartbeats */
function hold(path: string, self: Holder, file: FileHandle, every: number): Claim {
  const forget = removeAtExit(path);
  const listeners: (() => void)[] = [];
  let lost = false;
  const isOurs = async () => !lost && (await readClaim(path))?.holder?.token === self.token;
  const end = async () => {
    clearInterval(timer);
    ownTokens.delete(self.token);
    forget();
    await file.close().catch(() => undefined);
  };
  const beat = async () => {
    // Written through the open file: if the path now names another process's claim, that claim is not changed.
    await file.write(textOf(self), 0);
    if (lost || (await isOurs())) return;
    lost = true;
    await end();
    for (const listener of listeners) listener();
  };
  // Errors are ignored: if the file system is briefly unavailable, the next heartbeat may succeed.
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

/** Identifies the scope in which process ids are unique: host, boot and process namespace. */
function machine(): Promise<string> {
  known ??= (async () => {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    const space = await readlink('/proc/self/ns/pid').catch(() => '');
    return [hostname(), boot.trim(), space].join(' ');
  })();
  return known;
}
