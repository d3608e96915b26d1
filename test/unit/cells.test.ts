import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { RunFolder } from '../../src/cli/run/folder.ts';
import { runJob } from '../../src/cli/sweep/job.ts';
import { preset } from '../../src/train/presets.ts';
import { measurementsOf } from '../../src/train/table.ts';
import { fakeEngine } from '../support/fake-engine.ts';
import { jsonLines, pushdown } from '../support/terminal.ts';

/** Many runs from the terminal: `train --seeds` and `table`, at tiny sizes on the float64 reference. */
const folder = mkdtempSync(join(tmpdir(), 'pushdown-cells-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SIZES = ['hidden=3', 'width=2', 'batch=2', 'reportEvery=1', 'minLength=2', 'maxLength=2'];
const TINY = [...SIZES, 'evaluateFrom=4', 'evaluateLength=4', 'steps=3'].flatMap(set => ['--set', set]);
const OPTIONS = ['--engine', 'reference', ...TINY];
const read = (...path: string[]) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
const seeds = (out: string, count: string, ...more: string[]) =>
  pushdown(['train', 'reverse', ...OPTIONS, '--seeds', count, '--out', join(folder, out), '--json', ...more]);

describe('train --seeds', () => {
  test('makes a folder and a row for each seed, then counts the successes', async () => {
    const { code, out, err } = await seeds('seeds', '2');
    expect(code).toBe(0);
    expect(err).toMatch(/^engine reference · float64 reference/);
    const lines = jsonLines(out);
    expect(lines.map(({ kind, key }) => key ?? kind)).toEqual(['seed0', 'seed1', 'result']);
    expect(lines[2]).toMatchObject({
      seeds: 2,
      finished: 2,
      successes: 0,
      at: { low: 4, high: 4 },
      stopped: false,
    });
    expect(lines[2].mean.accuracy).toBeCloseTo(
      (lines[0].measured[1].accuracy + lines[1].measured[1].accuracy) / 2,
    );
    expect(readdirSync(join(folder, 'seeds', 'seed1')).sort()).toEqual([
      ...['checkpoint.safetensors', 'config.json', 'log.jsonl', 'result.json'],
    ]);
    expect(read('seeds', 'seed1', 'config.json').train.seed).toBe(1);

    // Finished runs are not trained again.
    const before = readFileSync(join(folder, 'seeds', 'seed0', 'result.json'), 'utf8');
    const more = await seeds('seeds', '0-2');
    expect(jsonLines(more.out).at(-1)).toMatchObject({ finished: 3 });
    expect(readFileSync(join(folder, 'seeds', 'seed0', 'result.json'), 'utf8')).toBe(before);
    const human = await pushdown([
      'train',
      'reverse',
      ...OPTIONS,
      '--seeds',
      '3',
      '--out',
      join(folder, 'seeds'),
    ]);
    expect(human.out).toMatch(/^seed 0: coarse 0\.000, .* at length 4; done at step 3, .*\(earlier\)\n/);
    expect(human.out).toMatch(/success \(coarse 0\.99 or better at length 4\): 0 of 3 seeds/);
  });

  test('a run of --seeds equals the run with the same --seed', async () => {
    const out = join(folder, 'alone');
    await pushdown(['train', 'reverse', ...OPTIONS, '--seed', '1', '--out', out]);
    await seeds('pair', '1-1');
    const file = 'checkpoint.safetensors';
    const tensors = (path: string) => {
      const bytes = readFileSync(join(path, file));
      return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
    };
    expect(tensors(join(folder, 'pair', 'seed1')).equals(tensors(out))).toBe(true);
  });

  test('other settings in the same folder are refused before any training', async () => {
    await seeds('settings', '1');
    const { code, err, out } = await seeds('settings', '2', '--set', 'hidden=4');
    expect(err).toMatch(
      /^pushdown: .*seed0 has a run with other settings: model\.hidden is 3 there, but 4 was requested\. .*\n$/,
    );
    expect([code, out, existsSync(join(folder, 'settings', 'seed1'))]).toEqual([2, '', false]);
  });

  test('settings that the memory does not use may differ', async () => {
    await seeds('unused', '1');
    expect(await seeds('unused', '1', '--set', 'depth=7')).toMatchObject({ code: 0, err: '' });
  });

  test('a damaged result is refused, and the error names its file', async () => {
    await seeds('broken', '1');
    writeFileSync(join(folder, 'broken', 'seed0', 'result.json'), '{"kind":"cell","key":"seed7"}');
    const { code, err } = await seeds('broken', '1');
    expect(err).toMatch(
      /^pushdown: .*result\.json must be the result of seed0, got .* Delete the file to train this run again\.\n$/,
    );
    expect(code).toBe(2);
  });
});

describe('table', () => {
  const ONLY = ['--scale', 'small', '--only', 'reverse/stack,copy/queue,reverse/lstm1', '--seeds', '1'];
  const table = (out: string, ...more: string[]) =>
    pushdown(['table', 'paper', ...OPTIONS, ...ONLY, '--out', join(folder, out), '--json', ...more]);
  const keys = ['copy/queue/seed0', 'reverse/lstm1/seed0', 'reverse/stack/seed0'];

  test('runs every cell in its folder, and writes the table', async () => {
    const { code, out } = await table('table');
    expect(code).toBe(0);
    const lines = jsonLines(out);
    expect(lines.slice(0, 3).map(({ key }) => key)).toEqual(keys);
    expect(
      lines[0].measured.map(({ name, low, high }: Record<string, unknown>) => [name, low, high]),
    ).toEqual([
      ['train', 2, 2],
      ['test', 4, 4],
      ['far', 20, 20],
    ]);
    expect(lines[3]).toMatchObject({ kind: 'table', finished: 3, runs: 3 });
    // The files contain the whole table.
    expect(read('table', 'table.json')).toMatchObject({ finished: 3, runs: 35 });
    expect(readFileSync(join(folder, 'table', 'table.md'), 'utf8')).toMatch(
      /^# table paper, scale small: 3 of 35/,
    );
    const again = await table('table');
    expect(jsonLines(again.out)).toHaveLength(1);
    const report = await table('table', '--report', '--seeds', '2');
    expect(jsonLines(report.out)[0]).toMatchObject({ finished: 3, runs: 6 });
  });

  test('two overlapping commands share the work, and together do each run once', async () => {
    const both = await Promise.all([table('shared'), table('shared')]);
    const fresh = both.flatMap(({ out }) => jsonLines(out).flatMap(({ key }) => key ?? []));
    expect(both.map(({ code, err }) => [code, err.match(/^pushdown: .*/m)?.[0]])).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
    expect(fresh.sort()).toEqual(keys);
    for (const key of keys) expect(readdirSync(join(folder, 'shared', key))).toHaveLength(4);
  });

  test('each shard runs its part of the table', async () => {
    const first = await table('shards', '--shard', '1/2');
    expect(jsonLines(first.out).at(-1)).toMatchObject({ finished: 2, runs: 3 });
    const second = await table('shards', '--shard', '2/2');
    expect(jsonLines(second.out)[0].key).toBe(keys[1]);
    expect(jsonLines(second.out).at(-1)).toMatchObject({ finished: 3 });
  });

  test('a run killed in the middle is resumed, with the same result', async () => {
    const key = keys[2];
    const path = join(folder, 'killed', key);
    const only = ['--only', 'reverse/stack'];
    await table('killed', ...only);
    const expected = read('killed', key, 'result.json');
    // The state after a kill: a checkpoint from the middle of the run, a recent claim of another machine, no result.
    await pushdown([
      'train',
      join(path, 'config.json'),
      '--engine',
      'reference',
      '--steps',
      '1',
      '--out',
      join(folder, 'part'),
    ]);
    writeFileSync(
      join(path, 'checkpoint.safetensors'),
      readFileSync(join(folder, 'part', 'checkpoint.safetensors')),
    );
    writeFileSync(join(path, '.checkpoint.safetensors.99999999.tmp'), 'half');
    writeFileSync(join(path, 'claim'), JSON.stringify({ token: 'x', host: 'x', pid: 1, machine: 'x' }));
    rmSync(join(path, 'result.json'));
    const waiting = await table('killed', ...only);
    expect(waiting.err).toMatch(/reverse\/stack\/seed0 is being trained by process 1 on x/);
    rmSync(join(path, 'claim'));
    await table('killed', ...only);
    expect(read('killed', key, 'result.json').measured).toEqual(expected.measured);
    const steps = jsonLines(readFileSync(join(path, 'log.jsonl'), 'utf8')).filter(
      ({ kind }) => kind === 'start',
    );
    expect(steps.map(({ step }) => step)).toEqual([0, 1]);
    expect(readdirSync(path)).toHaveLength(4);
  });

  test('Ctrl-C saves the current run; the same command resumes it', async () => {
    const argv = [
      'table',
      'paper',
      '--engine',
      'reference',
      ...TINY,
      ...ONLY,
      '--out',
      join(folder, 'stopped'),
    ];
    // The third line of output reports the first finished run.
    const stopped = await pushdown(argv, '', 3);
    expect(stopped.code).toBe(130);
    expect(stopped.out).toMatch(/stopped and saved in .*: the same command continues\n$/);
    expect(stopped.out).toMatch(/table paper, scale small: [12] of 3 runs finished/);
    const rest = await pushdown(argv);
    expect(rest.code).toBe(0);
    expect(rest.out).toMatch(/table paper, scale small: 3 of 3 runs finished/);
  });

  test('a run that diverges has a result; a run whose folder was taken over writes nothing more', async () => {
    const config = assign(preset('reverse'), [...SIZES, 'steps=50', 'reportEvery=10']);
    const guide = {
      measures: measurementsOf(assign(config, ['evaluateLength=4'])),
      follow: () => () => {},
      onStart: () => {},
    };
    const openFolder = (name: string, held: boolean) => {
      const path = join(folder, name);
      mkdirSync(path);
      return new RunFolder(path, { held: async () => held, onLost: () => {}, release: async () => {} });
    };
    const bad = fakeEngine({ finite: step => step < 3 });
    const diverged = openFolder('diverged', true);
    const result = await runJob(bad, diverged, 'diverged', config, guide);
    expect(result).toMatchObject({ ending: 'diverged', step: 20 });
    expect(result?.measured.map(({ name }) => name)).toEqual(['train', 'test']);
    expect(readdirSync(diverged.path)).toHaveLength(4);

    const lost = openFolder('lost', false);
    expect(await runJob(fakeEngine(), lost, 'lost', config, guide)).toBeUndefined();
    expect(readdirSync(lost.path).sort()).toEqual(['config.json', 'log.jsonl']);
  });
});
