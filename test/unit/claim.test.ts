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
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Claim, claimFolder } from '../../src/cli/files/claim.ts';

const root = mkdtempSync(join(tmpdir(), 'pushdown-claim-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const folder = (): string => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};
const isClaim = (result: Claim | { by: string }): result is Claim => !('by' in result);
const mustClaim = async (path: string, times?: { beat: number; stale: number }): Promise<Claim> => {
  const result = await claimFolder(path, times);
  if (!isClaim(result)) throw new Error(`claimed by ${result.by}`);
  return result;
};
/** Writes the claim that a killed process leaves behind. */
const leaveClaim = (path: string, holder: object, secondsAgo = 0) => {
  const file = join(path, 'claim');
  writeFileSync(
    file,
    JSON.stringify({ token: 'left-behind', host: 'elsewhere', pid: 1, machine: 'x', ...holder }),
  );
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(file, at, at);
};
/** The name of this process's machine, as written in its claims. */
const machineOf = (path: string): string => JSON.parse(readFileSync(join(path, 'claim'), 'utf8')).machine;

describe('a claim', () => {
  test('goes to one process, names its holder to the others, and is free again when released', async () => {
    const path = folder();
    const results = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
    expect(results.filter(isClaim)).toHaveLength(1);
    expect(results.find(result => !isClaim(result))).toMatchObject({
      by: expect.stringContaining(String(process.pid)),
    });
    const mine = results.find(isClaim)!;
    expect(await mine.held()).toBe(true);
    await mine.release();
    expect(readdirSync(path)).toEqual([]);
    await (await mustClaim(path)).release();
  });

  test('of a dead process on this machine is taken over at once, by one process only', async () => {
    const path = folder();
    const first = await mustClaim(path);
    const machine = machineOf(path);
    await first.release();
    // An id above the maximum, and this process's own id: in a container, successive runs often have the same one.
    for (const pid of [99_999_999, process.pid]) {
      leaveClaim(path, { pid, machine });
      const results = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
      expect(results.filter(isClaim)).toHaveLength(1);
      expect(readdirSync(path)).toEqual(['claim']);
      await results.find(isClaim)!.release();
    }
  });

  test('of a process on another machine expires without heartbeats', async () => {
    const path = folder();
    leaveClaim(path, {}, 100);
    expect(await claimFolder(path)).toEqual({ by: 'process 1 on elsewhere' });
    leaveClaim(path, {}, 130);
    const results = await Promise.all(Array.from({ length: 20 }, () => claimFolder(path)));
    expect(results.filter(isClaim)).toHaveLength(1);
    await results.find(isClaim)!.release();
  });

  test('that is still empty expires after the same time', async () => {
    const path = folder();
    writeFileSync(join(path, 'claim'), '');
    expect(await claimFolder(path)).toEqual({ by: 'another process' });
    utimesSync(join(path, 'claim'), 0, 0);
    await (await mustClaim(path)).release();
  });

  test('is kept while its holder sends heartbeats', async () => {
    const path = folder();
    const times = { beat: 20, stale: 200 };
    const mine = await mustClaim(path, times);
    const until = performance.now() + 500;
    while (performance.now() < until) {
      expect(isClaim(await claimFolder(path, times))).toBe(false);
      await wait(50);
    }
    await mine.release();
  });

  test('that was taken over: its former holder is notified, and does not remove the new claim', async () => {
    const path = folder();
    const slow = await mustClaim(path, { beat: 100, stale: 1 });
    let notified = 0;
    slow.onLost(() => notified++);
    // In a new file, because heartbeats of `slow` overwrite the content of its own file.
    rmSync(join(path, 'claim'));
    leaveClaim(path, {}, 1000);
    const next = await mustClaim(path);
    expect(await slow.held()).toBe(false);
    await vi.waitFor(() => expect(notified).toBe(1), { timeout: 10_000 });
    await slow.release();
    expect(await next.held()).toBe(true);
    await next.release();
  });

  test('a process that died while taking over does not block the claim permanently', async () => {
    const path = folder();
    leaveClaim(path, {}, 1000);
    writeFileSync(join(path, 'claim.left-behind.taken'), '');
    expect(isClaim(await claimFolder(path))).toBe(false);
    utimesSync(join(path, 'claim.left-behind.taken'), 0, 0);
    await (await mustClaim(path)).release();
    expect(readdirSync(path)).toEqual([]);
  });
});
