import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { pushdown } from '../../support/terminal.ts';
import { TINY, temporaryFolder, trainTiny } from '../../support/tiny-run.ts';

/** Input that does not fit a checkpoint, and unusable files: one line that names them, exit code 2. */

const folder = temporaryFolder();
const trained = join(folder, 'trained');
const checkpoint = join(trained, 'checkpoint.safetensors');
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
beforeAll(() => trainTiny(trained));

test('lengths, symbols and settings that do not fit the checkpoint are refused', async () => {
  const wrong = async (argv: string[], message: RegExp, stdin = '') => {
    const { code, err } = await pushdown(argv, stdin);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n {4}at /);
    expect(code).toBe(2);
  };
  const engine = ['--engine', 'reference'];
  await wrong(['eval', checkpoint, '--lengths', '3-1', ...engine], /goes backwards, write 1-3/);
  await wrong(['eval', checkpoint, '--lengths', '0-3', ...engine], /must be between 1 and 100000/);
  await wrong(['eval', checkpoint, '--lengths', '1,,2', ...engine], /for example 1-64 or 1,2,4, got ""/);
  await wrong(['eval', checkpoint, '--sequences', '0', ...engine], /--sequences must be/);
  await wrong(
    ['eval', checkpoint, '--sequences', '1000000', '--lengths', '1,100', ...engine],
    /--sequences must be at most 300000 at length 100, got 1000000/,
  );
  await wrong(['trace', checkpoint, 'a ? b', ...engine], /unknown symbol "\?" at position 2/);
  await wrong(['predict', checkpoint, ...engine], /line 2: unknown symbol "x"/, 'a b\nx y\n');
  const resume = ['train', '--resume', trained, ...engine];
  await wrong([...resume, '--seed', '3'], /cannot change train\.seed \(0 in the checkpoint, 3 requested/);
  await wrong(
    [...resume, '--set', 'hidden=5'],
    /cannot change model\.hidden \(4 in the checkpoint, 5 requested/,
  );
  await wrong(
    [...resume, '--set', 'optimiser=sgd'],
    /checkpoint\.safetensors: a resumed run cannot change train\.optimiser \("adam" in .*, "sgd" requested\)/,
  );
  await wrong(
    ['train', 'reverse', ...engine, '--out', trained],
    /already exists: resume that run with --resume/,
  );
  await wrong(['train', 'tutorial-part6', ...engine, '--resume', trained], /is not a run of tutorial-part6/);
});

test('an output folder that is not writable is refused before any training', async () => {
  const blocked = join(file('a-file', ''), 'folder');
  const { code, err, out } = await pushdown(['train', 'reverse', ...TINY, '--out', blocked]);
  expect(err).toMatch(/^pushdown: cannot write to the output folder .*\n$/);
  expect([code, out]).toEqual([2, '']);
});

test('damaged checkpoints are refused by eval, trace and predict', async () => {
  const good = readFileSync(checkpoint);
  const long = Buffer.from(good);
  long.writeBigUInt64LE(2n ** 62n);
  const foreign = Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1');
  const broken = {
    empty: Buffer.alloc(0),
    noise: Buffer.from('this is no checkpoint at all'),
    cut: good.subarray(0, good.length - 10),
    header: good.subarray(0, 100),
    long,
    foreign,
  };
  for (const [name, bytes] of Object.entries(broken)) {
    const path = file(`${name}.safetensors`, bytes);
    for (const command of ['eval', 'trace', 'predict']) {
      const { code, err } = await pushdown([command, path, '--engine', 'reference']);
      expect(err).toMatch(new RegExp(`^pushdown: .*${name}\\.safetensors is not a usable checkpoint.*\\n$`));
      expect(code).toBe(2);
    }
  }
});

test('a configuration that is not JSON, or has wrong keys, is refused, and the error names its file', async () => {
  const noJson = await pushdown(['train', file('bad.json', '{'), '--engine', 'reference']);
  expect(noJson.err).toMatch(/bad\.json is not JSON/);
  const wrongKey = await pushdown([
    'train',
    file('key.json', '{"model":{"hiden":3}}'),
    '--engine',
    'reference',
  ]);
  expect(wrongKey.err).toMatch(/key\.json: unknown configuration key "model\.hiden"/);
  expect([noJson.code, wrongKey.code]).toEqual([2, 2]);
  const nested = `{"model":${'['.repeat(9000)}${']'.repeat(9000)}}`;
  const deep = await pushdown(['train', file('deep.json', nested), '--engine', 'reference']);
  expect(deep.err).toMatch(/^pushdown: .*deep\.json: model must be a JSON object, got \[\[\[.*…\.\n$/);
  expect(deep.code).toBe(2);
});

test.skipIf(process.platform === 'win32')('a device, or a link to one, is not read as a file', async () => {
  const zero = join(folder, 'zero.json');
  symlinkSync('/dev/zero', zero);
  for (const argv of [
    ['eval', '/dev/zero'],
    ['train', '--resume', '/dev/zero'],
    ['train', zero],
  ]) {
    const { code, err } = await pushdown([...argv, '--engine', 'reference']);
    expect(err).toMatch(/^pushdown: cannot read .*: it is not a regular file\.\n$/);
    expect(code).toBe(2);
  }
});
