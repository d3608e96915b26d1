import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** The short form of bench/faults.ts, whose long one is in the README: processes of their own, killed at random. */
test('training processes that are killed lose nothing', async () => {
  const args = ['bench/run.mjs', 'bench/faults.ts', '--kills', '3', '--seed', '3'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 200_000 });
  expect(stdout).toMatch(/3 processes killed, .* of a run that was left alone, to the last bit/);
});
