import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { pushdown } from './terminal.ts';

/** Options of the smallest possible run. */
export const TINY = [
  ...['--engine', 'reference'],
  ...['hidden=4', 'width=2', 'minLength=1', 'maxLength=3'].flatMap(set => ['--set', set]),
];
export const TINY_FAST = [...TINY, '--set', 'batch=4', '--set', 'reportEvery=1'];

/** A folder for one test file, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushdown-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Trains the smallest model for two steps, and saves the run in a folder. */
export async function trainTiny(out: string): Promise<void> {
  const { code, err } = await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '2', '--out', out]);
  expect([code, err]).toEqual([0, '']);
}
