import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../src/base/crc32.ts';
import { appendLines } from '../../src/cli/files/write.ts';
import { keepLast, renameEarlier } from '../../src/cli/run/earlier.ts';
import { Log } from '../../src/cli/run/log.ts';
import { EARLIER } from '../../src/cli/run/names.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { pushdown } from '../support/terminal.ts';

/** How a run is stored: nothing that was written is lost, and damage is detected. */

const folder = mkdtempSync(join(tmpdir(), 'pushdown-saving-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SMALL = [
  '--engine',
  'reference',
  '--set',
  'hidden=4',
  '--set',
  'batch=2',
  '--set',
  'minLength=1',
  '--set',
  'maxLength=2',
];
const train = (out: string, ...rest: string[]) =>
  pushdown(['train', 'reverse', ...SMALL, '--out', out, ...rest]);

test("CRC-32 equals zlib's", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * i) & 255);
  for (const length of [0, 1, 9, 1000])
    expect(crc32(bytes.subarray(0, length))).toBe(zlibCrc32(bytes.subarray(0, length)));
  expect(crc32(bytes.subarray(300), crc32(bytes.subarray(0, 300)))).toBe(zlibCrc32(bytes));
});

test('a flipped bit is detected in every seventh byte of a checkpoint', async () => {
  const out = join(folder, 'bits');
  expect((await train(out, '--steps', '3')).code).toBe(0);
  const bytes = new Uint8Array(readFileSync(join(out, 'checkpoint.safetensors')));
  decodeCheckpoint(bytes);
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = bytes.slice();
    damaged[at] ^= 1 << (at % 8);
    expect(() => decodeCheckpoint(damaged), `byte ${at}`).toThrow();
  }
}, 60_000);

describe('earlier checkpoints', () => {
  test('as many as requested are kept, and the error names their folder if the latest is damaged', async () => {
    const out = join(folder, 'kept');
    for (const steps of [2, 4, 6, 8]) {
      const args =
        steps === 2 ? ['train', 'reverse', ...SMALL] : ['train', '--engine', 'reference', '--resume'];
      const { code, err } = await pushdown([...args, '--out', out, '--steps', String(steps), '--keep', '2']);
      expect([code, err]).toEqual([0, '']);
    }
    const names = ['checkpoint-step6.safetensors', 'checkpoint-step8.safetensors'];
    expect(readdirSync(join(out, EARLIER)).sort()).toEqual(names);
    const latest = join(out, 'checkpoint.safetensors');
    const whole = readFileSync(latest);
    // The earlier checkpoints are hard links; a later write creates a new file and leaves their content unchanged.
    expect(readFileSync(join(out, EARLIER, names[1])).equals(whole)).toBe(true);
    rmSync(latest);
    writeFileSync(latest, whole.subarray(0, 500));
    const { code, err } = await pushdown(['train', '--engine', 'reference', '--resume', out]);
    expect(code).toBe(2);
    expect(err).toMatch(/is not a usable checkpoint: .*Earlier checkpoints of the run are in .*earlier/);
    const again = await pushdown([
      'train',
      '--engine',
      'reference',
      '--resume',
      join(out, EARLIER, names[0]),
      '--out',
      join(folder, 'again'),
      '--steps',
      '7',
    ]);
    expect([again.code, again.err]).toEqual([0, '']);
  });

  test('--keep 1 keeps only the latest; checkpoints of later steps are deleted after a resumption at an earlier step', async () => {
    const out = join(folder, 'one');
    await train(out, '--steps', '2', '--keep', '1');
    expect(readdirSync(out)).not.toContain(EARLIER);
    for (const step of [10, 20, 5]) await keepLast(out, 'checkpoint.safetensors', step, 3);
    expect(readdirSync(join(out, EARLIER))).toEqual(['checkpoint-step5.safetensors']);
  });

  test.each([
    [['--keep', '0'], /--keep must be a whole number from 1/],
    [['--save-every', 'often'], /--save-every must be a whole number/],
    [['--if-unsaved', 'weep'], /unknown --if-unsaved "weep"\. Known: stop, continue\./],
  ])('%j is refused', async (args, words) => {
    const { code, err } = await train(join(folder, 'refused'), ...args);
    expect(code).toBe(2);
    expect(err).toMatch(words);
  });
});

test('the earlier checkpoints of a previous run are renamed as well', async () => {
  const out = join(folder, 'two-runs');
  mkdirSync(join(out, EARLIER), { recursive: true });
  writeFileSync(join(out, 'checkpoint.safetensors'), 'first');
  await keepLast(out, 'checkpoint.safetensors', 40, 3);
  const names = ['checkpoint.safetensors', 'log.jsonl', EARLIER];
  expect(await renameEarlier(out, names)).toBe(join(out, 'checkpoint.1.safetensors'));
  writeFileSync(join(out, 'checkpoint.safetensors'), 'second');
  await keepLast(out, 'checkpoint.safetensors', 30, 3);
  expect(readdirSync(join(out, EARLIER))).toEqual(['checkpoint-step30.safetensors']);
  expect(readFileSync(join(out, 'earlier.1', 'checkpoint-step40.safetensors'), 'utf8')).toBe('first');
});

describe('the log', () => {
  test('starts a new line after an incomplete one from a killed run', async () => {
    const path = join(folder, 'half.jsonl');
    await appendLines(path, '{"a":1}\n');
    writeFileSync(path, '{"b"', { flag: 'a' });
    await appendLines(path, '{"c":3}\n{"d":4}\n');
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"b"\n{"c":3}\n{"d":4}\n');
  });

  test('periodic work does not overlap with itself, and does not start again after it was stopped', async () => {
    const log = new Log(join(folder, 'slow.jsonl'), undefined, () => false);
    let [started, ended] = [0, 0];
    const stop = log.repeat(async () => {
      started++;
      await new Promise(resolve => setTimeout(resolve, 50));
      ended++;
    }, 0);
    await new Promise(resolve => setTimeout(resolve, 220));
    stop();
    expect(started - ended).toBeLessThanOrEqual(1);
    await log.written();
    expect(started).toBe(ended);
    expect(started).toBeGreaterThan(1);
    const before = started;
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(started).toBe(before);
  });
});

/**
 * A disk that becomes full accepts the first part of a write without
 * an error. A limit of the process (ulimit -f) simulates it.
 */
test.skipIf(process.platform === 'win32')(
  'a disk that accepts only part of a write leaves the old file',
  () => {
    const path = join(folder, 'part');
    writeFileSync(path, 'good');
    const built = pathToFileURL(resolve('dist/src/cli/files/write.js')).href;
    const script = `
    process.on('SIGXFSZ', () => {});
    const { writeAtomic } = await import('${built}');
    await writeAtomic(process.argv[1], new Uint8Array(2 ** 20)).catch(error => console.log(error.message));`;
    const limited = 'ulimit -f 100 && exec "$0" --input-type=module -e "$1" "$2"';
    const { stdout } = spawnSync('sh', ['-c', limited, process.execPath, script, path], { encoding: 'utf8' });
    expect(stdout).toMatch(/^cannot write .*part: /);
    expect(readFileSync(path, 'utf8')).toBe('good');
    expect(readdirSync(folder).filter(name => name.endsWith('.tmp'))).toEqual([]);
  },
);

describe('a failed write', () => {
  const blocked = () => {
    const path = join(folder, `blocked-${Math.random()}`);
    mkdirSync(path);
    return path;
  };

  test('ends the run with a message', async () => {
    let reported: unknown;
    const log = new Log(blocked(), undefined, error => {
      reported = error;
      return false;
    });
    log.record({ a: 1 });
    await expect(log.written()).rejects.toThrow(/cannot write .*it is a folder/);
    expect(reported).toBeInstanceOf(Error);
  });

  test('is reported once if the run is to continue, and is retried until writing works again', async () => {
    const path = blocked();
    const events: string[] = [];
    const log = new Log(
      path,
      undefined,
      () => {
        events.push('failed');
        return true;
      },
      () => events.push('writable'),
    );
    log.record({ a: 1 });
    await log.written();
    log.record({ b: 2 });
    await log.written();
    rmSync(path, { recursive: true });
    log.record({ c: 3 });
    await log.written();
    expect(events).toEqual(['failed', 'writable']);
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"b":2}\n{"c":3}\n');
  });
});
