import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/**
 * The short form of bench/faults.ts (docs/reliability.md has the long one): training in separate
 * processes, killed at random. PUSHDOWN_KILLS sets the number of kills; the default is small.
 */
const KILLS = process.env['PUSHDOWN_KILLS'] ?? '2';

test('a run whose processes are killed ends with the numbers of an uninterrupted run', async () => {
  const args = ['bench/run.mjs', 'bench/faults.ts', '--kills', KILLS, '--seed', '3'];
  const timeout = 60_000 + 20_000 * Number(KILLS);
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout });
  expect(stdout).toMatch(new RegExp(`^${KILLS} processes killed`, 'm'));
  expect(stdout).toMatch(/equal those of an undisturbed run, bit for bit/);
});
