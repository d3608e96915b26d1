import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fakeDevice } from '../../support/fake-device.ts';
import { jsonLines, pushdown } from '../../support/terminal.ts';

/** The command line on a GPU whose driver never finishes compiling. */

vi.mock(import('../../../src/platform/node/adapter.ts'), async original => {
  const adapter = {
    limits: {},
    features: new Set(),
    requestDevice: async () => fakeDevice({ pipelines: 'never' }).device,
  };
  const description = { name: 'a slow GPU', kind: 'gpu' as const, reason: 'a test' };
  const found = { gpu: {}, adapter, description };
  return {
    ...(await original()),
    findAdapter: async () => ({ found, tried: [] }) as never,
    release: () => undefined,
  };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushdown-slow-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const WHY =
  /did not compile and run once within 1 s; then with plan stepwise: (a slow GPU failed: )?the kernels of the stepwise plan did not compile/;
const QUICK = ['--compile-seconds', '1', '--steps', '2', '--set', 'hidden=8'];

test('train continues with the next engine, and gives the reason in the line of the engine', async () => {
  const { code, out, err } = await pushdown(['train', 'reverse', ...QUICK, '--out', join(folder, 'run')]);
  expect([code, err]).toEqual([0, '']);
  const lines = out.split('\n').filter(line => line.startsWith('engine '));
  expect(lines).toEqual([
    'engine gpu · a slow GPU · a test',
    expect.stringMatching(
      /^engine gpu · a slow GPU · a test; plan stepwise, because the kernels .*within 1 s$/,
    ),
    expect.stringMatching(/^engine cpu · /),
  ]);
  expect(lines[2]).toMatch(WHY);
});

test('train --seeds continues with the next engine too', async () => {
  const { code, out } = await pushdown([
    'train',
    'reverse',
    ...QUICK,
    '--seeds',
    '1',
    '--out',
    join(folder, 'seeds'),
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/^engine cpu · /m);
  expect(out).toMatch(WHY);
});

test('with --engine gpu the timeout is an error of one line', async () => {
  const { code, err } = await pushdown([
    'train',
    'reverse',
    ...QUICK,
    '--engine',
    'gpu',
    '--out',
    join(folder, 'x'),
  ]);
  expect(code).not.toBe(0);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(err).toMatch(WHY);
});

test('the command memory uses the next engine too', async () => {
  const operations = '{"kind":"stack","push":[[0.8]],"pop":[[0]],"value":[[[1]]]}';
  const { code, out } = await pushdown(['memory', '--compile-seconds', '1'], operations);
  expect(code).toBe(0);
  expect(jsonLines(out)[0]).toMatchObject({ engine: 'cpu' });
});

test('--compile-seconds refuses a value that is not a number', async () => {
  const { code, err } = await pushdown(['train', 'reverse', '--compile-seconds', 'soon']);
  expect(code).toBe(2);
  expect(err).toMatch(/--compile-seconds must be a whole number from 1 to 86400/);
});
