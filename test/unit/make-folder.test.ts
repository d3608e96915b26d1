import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeFolder } from '../../src/platform/node/make-folder.ts';
import { temporaryFolder } from '../support/tiny-run.ts';

/**
 * Creates folders, also where Node's own recursive mkdir never
 * returns: in /proc, or in a working folder that was deleted.
 */

const folder = temporaryFolder();
const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js');

test('creates missing parents, and accepts existing folders', () => {
  const deep = join(folder, 'a', 'b', 'c');
  makeFolder(deep);
  makeFolder(deep);
  makeFolder(`${deep}/`);
  expect(statSync(deep).isDirectory()).toBe(true);
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(folder, 'file', 'in'))).toThrow(/ENOTDIR/);
});

/** Runs the built program in a separate process, which is killed if it hangs. */
function pushdown(argv: readonly string[], script = `exec "$0" "$@"`) {
  const { status, stderr, signal } = spawnSync('sh', ['-c', script, process.execPath, MAIN, ...argv], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
    cwd: folder,
  });
  return { status, stderr, signal };
}

describe.runIf(existsSync('/proc/self'))('a folder that cannot be created is refused at once', () => {
  const TINY = ['--engine', 'reference', '--steps', '1'];
  test.each([
    ['train', ['train', 'reverse', ...TINY]],
    ['--seeds', ['train', 'reverse', ...TINY, '--seeds', '2']],
    ['table', ['table', 'paper', '--scale', 'small', '--only', 'copy/stack', '--engine', 'reference']],
  ])(
    '%s --out /proc/x/y',
    (_, argv) => {
      expect(pushdown([...argv, '--out', '/proc/x/y'])).toEqual({
        status: 2,
        stderr:
          'pushdown: cannot write to the output folder /proc/x/y: no folder can be created there. Choose another --out.\n',
        signal: null,
      });
    },
    30_000,
  );

  test('the default folder, in a working folder that was deleted', () => {
    mkdirSync(join(folder, 'gone'));
    const { status, stderr, signal } = pushdown(
      ['train', 'reverse', ...TINY],
      'cd gone && rmdir ../gone && exec "$0" "$@"',
    );
    expect([status, signal]).toEqual([2, null]);
    expect(stderr).toMatch(/^pushdown: cannot write to the output folder runs\/reverse-seed0: [^\n]*\n$/);
  }, 30_000);

  test('a relative --out of a resumed run, in a working folder that was deleted', () => {
    mkdirSync(join(folder, 'gone'));
    const resume = ['--resume', resolve('gallery/reverse-stack.safetensors'), '--out', 'x'];
    const { status, stderr, signal } = pushdown(
      ['train', ...resume, '--engine', 'reference'],
      'cd gone && rmdir ../gone && exec "$0" "$@"',
    );
    expect([status, signal]).toEqual([2, null]);
    expect(stderr).toBe('pushdown: the working folder no longer exists: change to another folder.\n');
  }, 30_000);
});

test("no other code uses Node's recursive mkdir", () => {
  const sources = resolve(import.meta.dirname, '../../src');
  const wrong = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .filter(name => /mkdir\w*\([^;]*recursive/.test(readFileSync(join(sources, name), 'utf8')));
  expect(wrong).toEqual([]);
});
