import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageOf } from '../../src/base/errors.ts';
import { browserPaths } from '../../src/platform/node/browsers.ts';
import { bundleInstalled, unpackSwiftShader } from '../../src/platform/node/bundle.ts';
import { SPECS } from '../support/model-parity.ts';

/**
 * Compares the kernels with the reference on wgpu, the WebGPU implementation of Firefox,
 * through Deno. If Deno is missing, npm installs it (92 MB), which needs a registry.
 */

const DENO = 'deno@2.9';
const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushdown-wgpu-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The command `deno` of this machine, or the path of the one that npm installs. */
async function deno(): Promise<string> {
  try {
    await run('deno', ['--version']);
    return 'deno';
  } catch {
    await writeFile(join(folder, 'package.json'), '{ "private": true }');
    const shell = process.platform === 'win32';
    await run('npm', ['install', '--no-audit', '--no-fund', DENO], { cwd: folder, shell }).catch(error => {
      throw new Error(`there is no deno, and npm cannot install ${DENO}: ${messageOf(error)}`);
    });
    const command = join(folder, 'node_modules', 'deno', 'bin.cjs');
    expect(existsSync(command)).toBe(true);
    return command;
  }
}

/** The environment that selects SwiftShader on Linux; other systems have their own driver. */
async function drivers(): Promise<NodeJS.ProcessEnv> {
  if (process.platform !== 'linux' || process.env['VK_ICD_FILENAMES']) return {};
  const found = browserPaths()
    .map(dirname)
    .find(path => existsSync(join(path, 'vk_swiftshader_icd.json')));
  const path = found ?? (bundleInstalled() ? await unpackSwiftShader() : undefined);
  if (!path) return {};
  return { VK_ICD_FILENAMES: join(path, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: path };
}

test('memories and models on wgpu agree with the reference', async () => {
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'warn',
    resolve: { alias: { vitest: join(root, 'test/support/wgpu/expect.ts') } },
    ssr: { noExternal: true },
    build: {
      ssr: 'test/support/wgpu/probe.ts',
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      minify: false,
    },
  });
  const command = await deno();
  const args = ['run', '-A', '--unstable-webgpu', join(folder, 'probe.js')];
  const [file, ...more] = command.endsWith('.cjs')
    ? [process.execPath, command, ...args]
    : [command, ...args];
  const { stdout } = await run(file, more, {
    cwd: folder,
    env: { ...process.env, ...(await drivers()) },
    maxBuffer: 2 ** 24,
  });
  const [{ adapter }, ...compared] = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(
    compared.filter(({ failed }) => failed),
    `on ${adapter}`,
  ).toEqual([]);
  expect(compared.length).toBeGreaterThan(4 * Object.keys(SPECS).length);
});
