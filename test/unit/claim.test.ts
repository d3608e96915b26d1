import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type Claim, claimFolder } from '../../src/cli/files/claim.ts';

const root = mkdtempSync(join(tmpdir(), 'pushdown-claim-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const folder = (): string => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};
const isClaim = (made: Claim | { by: string }): made is Claim => !('by' in made);
const got = async (path: string, times?: { beat: number; stale: number }): Promise<Claim> => {
  const made = await claimFolder(path, times);
  if (!isClaim(made)) throw new Error(`claimed by ${made.by}`);
  return made;
};
/** The files that a killed process leaves. */
const leave = (path: string, holder: object, secondsAgo = 0) => {
  const file = join(path, 'claim');
  writeFileSync(
    file,
    JSON.stringify({ token: 'left-behind', host: 'elsewhere', pid: 1, machine: 'x', ...holder }),
  );
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(file, at, at);
};
/** This process's machine, as written in its claims. */
const machineOf = (path: string): string => JSON.parse(readFileSync(join(path, 'claim'), 'utf8')).machine;

describe('a claim', () => {
  test('goes to one process, tells the others who holds it, and is free again when released', async () => {
    const path = folder();
    const made = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
    expect(made.filter(isClaim)).toHaveLength(1);
    expect(made.find(one => !isClaim(one))).toMatchObject({
      by: expect.stringContaining(String(process.pid)),
    });
    const mine = made.find(isClaim)!;
    expect(await mine.held()).toBe(true);
    await mine.release();
    expect(readdirSync(path)).toEqual([]);
    await (await got(path)).release();
  });

  test('of a dead process on this machine is taken over at once, by one process only', async () => {
    const path = folder();
    const first = await got(path);
    const machine = machineOf(path);
    await first.release();
    // An id above the maximum, and this process's own id, as every run in a container has.
    for (const pid of [99_999_999, process.pid]) {
      leave(path, { pid, machine });
      const made = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
      expect(made.filter(isClaim)).toHaveLength(1);
      expect(readdirSync(path)).toEqual(['claim']);
      await made.find(isClaim)!.release();
    }
  });

  test('of a live process, or of another machine, expires without heartbeats', async () => {
    const path = folder();
    leave(path, {}, 100);
    expect(await claimFolder(path)).toEqual({ by: 'process 1 on elsewhere' });
    leave(path, {}, 130);
    const made = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
    expect(made.filter(isClaim)).toHaveLength(1);
    await made.find(isClaim)!.release();
  });

  test('that was never written is left to its owner for the same time', async () => {
    const path = folder();
    writeFileSync(join(path, 'claim'), '');
    expect(await claimFolder(path)).toEqual({ by: 'another process' });
    utimesSync(join(path, 'claim'), 0, 0);
    await (await got(path)).release();
  });

  test('is kept while its holder sends heartbeats', async () => {
    const path = folder();
    const times = { beat: 20, stale: 200 };
    const mine = await got(path, times);
    const until = performance.now() + 500;
    while (performance.now() < until) {
      expect(isClaim(await claimFolder(path, times))).toBe(false);
      await wait(50);
    }
    await mine.release();
  });

  test('that was taken over notifies its former holder, who leaves the new one alone', async () => {
    const path = folder();
    const slow = await got(path, { beat: 100, stale: 1 });
    let told = 0;
    slow.onLost(() => told++);
    leave(path, {}, 1000);
    const next = await got(path);
    expect(await slow.held()).toBe(false);
    await wait(250);
    expect(told).toBe(1);
    await slow.release();
    expect(await next.held()).toBe(true);
    await next.release();
  });

  test('a process that died while taking over does not block the claim permanently', async () => {
    const path = folder();
    leave(path, {}, 1000);
    writeFileSync(join(path, 'claim.left-behind.taken'), '');
    expect(isClaim(await claimFolder(path))).toBe(false);
    utimesSync(join(path, 'claim.left-behind.taken'), 0, 0);
    await (await got(path)).release();
    expect(readdirSync(path)).toEqual([]);
  });
});
