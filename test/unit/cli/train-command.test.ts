import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claimFolder } from '../../../src/cli/files/claim.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/train/checkpoint.ts';
import { jsonLines, pushdown } from '../../support/terminal.ts';
import { TINY_FAST, temporaryFolder } from '../../support/tiny-run.ts';

const folder = temporaryFolder();

describe('train', () => {
  test('writes checkpoint, configuration and log; --json ends with the result', async () => {
    const out = join(folder, 'json');
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '3', '--out', out, '--json', '--seed', '7'];
    const first = await pushdown(argv);
    expect(first.code).toBe(0);
    const lines = jsonLines(first.out);
    expect(lines.map(({ kind }) => kind)).toEqual([
      'start',
      'progress',
      'progress',
      'progress',
      'evaluation',
      'result',
    ]);
    expect(lines.at(-1)).toMatchObject({ ending: 'done', step: 3 });
    expect(lines.at(-1).evaluations.map(({ length }: { length: number }) => length)).toEqual([3, 6]);
    expect(first.err).toMatch(/^engine reference · float64 reference/);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoint.safetensors',
      'config.json',
      'earlier',
      'log.jsonl',
    ]);
    expect(jsonLines(readFileSync(join(out, 'log.jsonl'), 'utf8'))).toEqual(lines);
    // The written configuration gives the same run.
    const again = await pushdown([
      ...['train', join(out, 'config.json'), '--engine', 'reference'],
      ...['--out', join(folder, 'again'), '--json'],
    ]);
    const results = [first.out, again.out].map(text => jsonLines(text).at(-1).evaluations);
    expect(results[1]).toEqual(results[0]);
  });

  test('Ctrl-C saves, and --resume ends like an uninterrupted run', async () => {
    const argv = ['train', 'reverse', ...TINY_FAST, '--json'];
    const whole = join(folder, 'whole');
    await pushdown([...argv, '--steps', '12', '--out', whole]);
    const parts = join(folder, 'parts');
    const stopped = await pushdown([...argv, '--steps', '12', '--out', parts], '', 4);
    expect(stopped.code).toBe(130);
    const { ending, step } = jsonLines(stopped.out).at(-1);
    expect(ending).toBe('stopped');
    expect(step).toBeLessThan(12);
    expect(stopped.err).toMatch(/resume with: pushdown train --resume/);
    const rest = await pushdown(['train', '--resume', parts, '--engine', 'reference', '--json']);
    expect(rest.code).toBe(0);
    const [a, b] = [whole, parts].map(path =>
      jsonLines(readFileSync(join(path, 'log.jsonl'), 'utf8')).at(-1),
    );
    expect(b.step).toBe(12);
    expect(b.evaluations).toEqual(a.evaluations);
  });

  test('--resume accepts the --set options that the run started with, and refuses other settings', async () => {
    const out = join(folder, 'sets');
    const argv = ['train', 'reverse', ...TINY_FAST, '--out', out];
    await pushdown([...argv, '--steps', '1']);
    const { code, err } = await pushdown([...argv, '--steps', '2', '--resume']);
    expect([code, err]).toEqual([0, '']);
    const without = await pushdown(['train', 'reverse', '--engine', 'reference', '--resume', out]);
    expect(without.err).toMatch(
      /is not a run of reverse: it differs in task\.minLength \(1 in .*, 4 requested\)/,
    );
  });

  test('one run per folder; files that killed runs have left are removed', async () => {
    const out = join(folder, 'claimed');
    mkdirSync(out);
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '1', '--out', out];
    const claim = await claimFolder(out);
    if ('by' in claim) throw new Error(`claimed by ${claim.by}`);
    const file = join(out, 'claim');
    const ownClaim = readFileSync(file, 'utf8');
    const refused = await pushdown(argv);
    expect(refused.err).toMatch(
      new RegExp(`^pushdown: another run \\(process ${process.pid} on .*\\) is writing to .*\n$`),
    );
    expect([refused.code, readdirSync(out)]).toEqual([2, ['claim']]);
    await claim.release();
    // A process id of another container says nothing here: the claim is valid while its heartbeat is recent.
    writeFileSync(
      file,
      ownClaim.replace(/"machine":"[^"]*"/, '"machine":"another"').replace(/"pid":\d+/, '"pid":99999999'),
    );
    expect((await pushdown(argv)).err).toMatch(/another run \(process 99999999 on .*\) is writing to/);
    // An id above the maximum, and this process's own id: in a container, successive runs often have the same one.
    for (const dead of [99_999_999, process.pid]) {
      rmSync(join(out, 'checkpoint.safetensors'), { force: true });
      writeFileSync(file, ownClaim.replace(/"pid":\d+/, `"pid":${dead}`));
      writeFileSync(join(out, `.checkpoint.safetensors.${dead}.tmp`), 'half');
      writeFileSync(join(out, `.checkpoint.safetensors.${dead}.00c0ffee.tmp`), 'half');
      writeFileSync(join(out, '.other.99999999.tmp'), '');
      const { code, err } = await pushdown(argv);
      expect([code, err]).toEqual([0, '']);
      const left = readdirSync(out).filter(name => /tmp|claim/.test(name));
      expect(left).toEqual(['.other.99999999.tmp']);
    }
  });

  test('of two simultaneous runs in a folder, one is refused', async () => {
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '3', '--out', join(folder, 'two')];
    const runs = await Promise.all([pushdown(argv), pushdown(argv)]);
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 2]);
    expect(runs.map(({ err }) => err).join('')).toMatch(/^pushdown: another run .*\n$/);
  });

  test("the user's own configuration is not changed", async () => {
    const out = join(folder, 'own');
    mkdirSync(out);
    const text = '{"model":{"hidden":4},"task":{"minLength":1,"maxLength":3}}';
    writeFileSync(join(out, 'config.json'), text);
    const { code } = await pushdown([
      'train',
      join(out, 'config.json'),
      '--out',
      out,
      ...TINY_FAST,
      '--steps',
      '1',
    ]);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoint.safetensors',
      'config.json',
      'earlier',
      'log.jsonl',
    ]);
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe(text);
  });

  test('without a terminal, progress is not printed for every evaluation', async () => {
    const many = ['--set', 'reportEvery=1', '--set', 'evaluateEvery=1', '--steps', '30'];
    const { out } = await pushdown([
      ...['train', 'reverse', ...TINY_FAST, ...many],
      ...['--out', join(folder, 'quiet')],
    ]);
    expect(out.match(/^step 30\/30 .*\nstep 30: at length/m)).not.toBeNull();
    // On a slow machine, one more line is printed every ten seconds.
    expect(out.match(/^step /gm)!.length).toBeLessThan(8);
  });

  test('--if-unsaved has a former value, which is accepted with one line of advice', async () => {
    const advice = '--if-unsaved go-on is now called --if-unsaved continue';
    const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '1', '--if-unsaved'];
    const former = await pushdown([...argv, 'go-on', '--out', join(folder, 'former')]);
    expect(former).toMatchObject({ code: 0, err: '' });
    expect(former.out.split('\n').filter(line => line === advice)).toHaveLength(1);
    const current = await pushdown([...argv, 'continue', '--out', join(folder, 'current')]);
    expect(current).toMatchObject({ code: 0, err: '' });
    expect(current.out).not.toContain(advice);
  });

  test('--steps makes a finished run continue', async () => {
    const out = join(folder, 'more');
    await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '1', '--out', out]);
    const finished = await pushdown(['train', '--resume', out, '--engine', 'reference']);
    expect(finished.out).toMatch(/all steps are done: continue with --steps <n>/);
    const more = await pushdown(['train', '--resume', out, '--engine', 'reference', '--steps', '2']);
    expect(more.out).toMatch(/resumed at step 1 of 2[\s\S]*all steps done at step 2/);
  });

  test('in the default folder, an earlier run is kept under new names', async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const argv = ['train', 'reverse', ...TINY_FAST, '--steps', '1'];
      await pushdown(argv);
      const { out } = await pushdown(argv);
      expect(out).toMatch(/kept as .*checkpoint\.1\.safetensors/);
      for (const name of ['checkpoint.safetensors', 'config.1.json', 'log.1.jsonl', 'log.jsonl']) {
        expect(existsSync(join(folder, 'runs', 'reverse-seed0', name))).toBe(true);
      }
    } finally {
      process.chdir(before);
    }
  });

  describe('--resume from a file', () => {
    const trainedInThreeParts = async (name: string) => {
      const out = join(folder, name);
      const argv = ['train', '--resume', out, '--engine', 'reference', '--keep', '5'];
      await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '2', '--out', out, '--keep', '5']);
      for (const steps of ['4', '6']) await pushdown([...argv, '--steps', steps]);
      expect(readdirSync(join(out, 'earlier')).sort()).toEqual([2, 4, 6].map(kept));
      return out;
    };
    const kept = (step: number) => `checkpoint-step${step}.safetensors`;
    const stepOf = (path: string) => decodeCheckpoint(readFileSync(path)).state.step;

    test('resumes in the folder of the run, and keeps the later checkpoints', async () => {
      const out = await trainedInThreeParts('back');
      const from = join(out, 'earlier', kept(2));
      const { code, out: text } = await pushdown([
        ...['train', '--resume', from, '--engine', 'reference'],
        ...['--steps', '5', '--keep', '5'],
      ]);
      expect([code, text]).toEqual([
        0,
        expect.stringMatching(/resuming at step 2: the later checkpoint is kept as .*checkpoint\.1\.s/),
      ]);
      expect(readdirSync(join(out, 'earlier')).sort()).toEqual([kept(2), kept(5)]);
      expect(readdirSync(join(out, 'earlier.1')).sort()).toEqual([kept(4), kept(6)]);
      expect(stepOf(join(out, 'checkpoint.1.safetensors'))).toBe(6);
      expect(stepOf(join(out, 'checkpoint.safetensors'))).toBe(5);
      const next = await pushdown(['train', '--resume', out, '--engine', 'reference', '--steps', '6']);
      expect(next.out).toMatch(/resumed at step 5 of 6/);
    });

    test('works if the latest checkpoint is damaged, and if --out names the same folder', async () => {
      const out = await trainedInThreeParts('damaged');
      // Removed first, because earlier/ has a hard link to the same content.
      rmSync(join(out, 'checkpoint.safetensors'));
      writeFileSync(join(out, 'checkpoint.safetensors'), 'no checkpoint');
      const resume = [
        'train',
        '--engine',
        'reference',
        '--resume',
        join(out, 'earlier', kept(4)),
        '--out',
        out,
      ];
      const { code, err } = await pushdown([...resume, '--steps', '7']);
      expect([code, err]).toEqual([0, '']);
      expect(readFileSync(join(out, 'checkpoint.1.safetensors'), 'utf8')).toBe('no checkpoint');
      expect(stepOf(join(out, 'checkpoint.safetensors'))).toBe(7);
    });

    test('renames nothing if the checkpoint is the latest one', async () => {
      const out = await trainedInThreeParts('same');
      await pushdown([
        ...['train', '--engine', 'reference', '--resume', join(out, 'earlier', kept(6))],
        ...['--steps', '7', '--keep', '5'],
      ]);
      expect(readdirSync(out).sort()).toEqual([
        'checkpoint.safetensors',
        'config.json',
        'earlier',
        'log.jsonl',
      ]);
      expect(readdirSync(join(out, 'earlier'))).toHaveLength(4);
    });

    test('a model of the gallery needs --out', async () => {
      const resume = ['train', '--engine', 'reference', '--resume', 'gallery/reverse-stack'];
      const before = readdirSync('gallery');
      const { code, err } = await pushdown([...resume, '--steps', '1']);
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(/comes with pushdown: choose .* --out <folder>/),
      ]);
      expect(readdirSync('gallery')).toEqual(before);
    });

    test('to resume from a renamed checkpoint, --out is needed', async () => {
      const out = await trainedInThreeParts('aside');
      const resume = ['train', '--engine', 'reference', '--steps', '7', '--resume'];
      await pushdown([...resume, join(out, 'earlier', kept(2))]);
      for (const from of [join('earlier.1', kept(4)), 'checkpoint.1.safetensors']) {
        const before = readFileSync(join(out, 'checkpoint.safetensors'));
        const { code, err } = await pushdown([...resume, join(out, from)]);
        expect([code, err]).toEqual([2, expect.stringMatching(/--out/)]);
        expect(readFileSync(join(out, 'checkpoint.safetensors'))).toEqual(before);
      }
      const other = join(folder, 'other');
      const { code } = await pushdown([...resume, join(out, 'earlier.1', kept(4)), '--out', other]);
      expect([code, stepOf(join(other, 'checkpoint.safetensors'))]).toEqual([0, 7]);
    });
  });

  describe('--resume at other lengths', () => {
    const resumed = (out: string, ...more: string[]) =>
      pushdown(['train', '--resume', out, '--engine', 'reference', ...more]);

    test('trains at the new lengths, reports the change, and keeps them', async () => {
      const out = join(folder, 'lengths');
      await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '1', '--out', out]);
      const longer = ['--steps', '3', '--set', 'maxLength=9', '--set', 'task.minLength=5'];
      const { code, out: text } = await resumed(out, ...longer);
      expect(code).toBe(0);
      expect(text).toMatch(/lengths 5 to 9 · seed/);
      expect(text).toMatch(/\nlengths 5 to 9 from here on \(1 to 3 before\)\n/);
      const { config, run } = decodeCheckpoint(readFileSync(join(out, 'checkpoint.safetensors')));
      expect([config.task.minLength, config.task.maxLength, run.curriculum.length]).toEqual([5, 9, 9]);
      const again = await resumed(out, '--steps', '4');
      expect(again.out).toMatch(/lengths 5 to 9 · seed/);
      expect(again.out).not.toMatch(/from here on/);
      const preset = ['train', 'reverse', '--engine', 'reference', '--resume', out, '--steps', '5'];
      const sets = ['hidden=4', 'width=2', 'minLength=2', 'maxLength=7'].flatMap(set => ['--set', set]);
      expect((await pushdown([...preset, ...sets])).out).toMatch(/lengths 2 to 7 from here on/);
    });

    test('a run that was solved at the old lengths continues', async () => {
      const out = join(folder, 'solved');
      const solved = ['--set', 'stopAt=0.001', '--set', 'stopPasses=1', '--set', 'evaluateEvery=1'];
      await pushdown(['train', 'reverse', ...TINY_FAST, '--steps', '2', '--out', out, ...solved]);
      const path = join(out, 'checkpoint.safetensors');
      const checkpoint = decodeCheckpoint(readFileSync(path));
      writeFileSync(path, encodeCheckpoint({ ...checkpoint, run: { ...checkpoint.run, passes: 1 } }));
      expect((await resumed(out, '--steps', '3')).out).toMatch(/the task is solved/);
      expect((await resumed(out, '--steps', '3', '--set', 'maxLength=5')).out).not.toMatch(
        /the task is solved/,
      );
    });

    test('contradicting lengths are refused', async () => {
      const out = join(folder, 'lengths');
      expect((await resumed(out, '--set', 'maxLength=1')).err).toMatch(
        /task\.minLength \(2\) must not exceed/,
      );
      expect((await resumed(out, '--set', 'symbols=5')).err).toMatch(/cannot change task\.symbols/);
    });
  });
});
