import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/**
 * The short form of bench/faults.ts, whose long one is in the README: processes of their own, killed at random.
 * PUSHDOWN_KILLS asks for more than the few of every test run.
 */
const KILLS = process.env['PUSHDOWN_KILLS'] ?? '3';

test('training processes that are killed lose nothing', async () => {
  const args = ['bench/run.mjs', 'bench/faults.ts', '--kills', KILLS, '--seed', '3'];
  const timeout = 60_000 + 20_000 * Number(KILLS);
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout });
  expect(stdout).toMatch(new RegExp(`^${KILLS} processes killed`, 'm'));
  expect(stdout).toMatch(/equal those of an undisturbed run, to the last bit/);
});
