import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** A user's project that uses the package as npm installs it, with compilers to check it. */

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = join(import.meta.dirname, 'consumer');
const run = promisify(execFile);
const shell = process.platform === 'win32';

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

/** Copies the package's files into a temporary project beside its declared dependencies. Returns its folder. */
export async function installPackage(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'pushdown-consumer-'));
  const installed = join(project, 'node_modules', 'pushdown');
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    shell,
    maxBuffer: 2 ** 24,
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  for (const { path } of files) {
    await mkdir(dirname(join(installed, path)), { recursive: true });
    await cp(join(ROOT, path), join(installed, path));
  }
  const { dependencies } = await readJson(join(ROOT, 'package.json'));
  for (const name of Object.keys(dependencies)) await link(project, name);
  for (const name of await readdir(SOURCES)) await cp(join(SOURCES, name), join(project, name));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

/** Links a package of this checkout into a project. */
async function link(project: string, name: string): Promise<void> {
  const target = join(project, 'node_modules', name);
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(ROOT, 'node_modules', name), target, 'junction');
}

/** A TypeScript installation in its own folder. */
export interface Compiler {
  version: string;
  folder: string;
}

/** The TypeScript of this checkout; it needs no network. */
export async function checkoutCompiler(): Promise<Compiler> {
  const folder = join(ROOT, 'node_modules', 'typescript');
  return { version: (await readJson(join(folder, 'package.json'))).version, folder };
}

/** Installs another version with npm. */
export async function installCompiler(range: string): Promise<Compiler> {
  const project = await mkdtemp(join(tmpdir(), 'pushdown-typescript-'));
  await writeFile(join(project, 'package.json'), '{ "private": true }');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `typescript@${range}`];
  await run('npm', args, { cwd: project, shell, timeout: 180_000 });
  const folder = join(project, 'node_modules', 'typescript');
  return { version: (await readJson(join(folder, 'package.json'))).version, folder };
}

/** Compiler options of a user's program, and the files compiled with them. */
export interface Setting {
  name: string;
  lib: string[];
  /** Packages of global types. */
  types: string[];
  module: 'nodenext' | 'preserve';
  files: string[];
}

const DOM = ['ES2022', 'DOM'];
/** Programs without WebGPU's types. */
const UNTYPED = ['node.ts', 'page.ts', 'own-device.ts'];

/** The settings to check with a version of TypeScript. From TypeScript 6 on, lib dom has the types of WebGPU. */
export function settingsFor(version: string): Setting[] {
  const knowsWebGpu = Number.parseInt(version, 10) >= 6;
  const typed = [...UNTYPED, 'typed-device.ts'];
  return [
    { name: 'no dom', lib: ['ES2022'], types: [], module: 'nodenext', files: UNTYPED },
    { name: 'no dom, types of Node', lib: ['ES2022'], types: ['node'], module: 'nodenext', files: UNTYPED },
    { name: 'dom', lib: DOM, types: [], module: 'nodenext', files: knowsWebGpu ? typed : UNTYPED },
    {
      name: 'dom, for a bundler',
      lib: DOM,
      types: [],
      module: 'preserve',
      files: knowsWebGpu ? typed : UNTYPED,
    },
    ...(knowsWebGpu
      ? []
      : [
          {
            name: 'dom, @webgpu/types',
            lib: DOM,
            types: ['@webgpu/types'],
            module: 'nodenext' as const,
            files: typed,
          },
        ]),
  ];
}

/**
 * Runs the compiler on the project with this setting, checking every declaration.
 * Returns its output: '' if there are no errors and no listing was requested.
 */
async function compile(
  project: string,
  { folder }: Compiler,
  { lib, types, module, files }: Setting,
  ...flags: string[]
): Promise<string> {
  const config = join(project, 'tsconfig.json');
  const compilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: false, target: 'es2022' },
    ...{ lib, types, typeRoots: [join(ROOT, 'node_modules/@types'), join(ROOT, 'node_modules')], module },
    moduleResolution: module === 'nodenext' ? 'nodenext' : 'bundler',
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  try {
    const args = [join(folder, 'bin/tsc'), '-p', config, ...flags];
    return (await run(process.execPath, args, { maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}`.trim() || String(error);
  }
}

/** The compiler's errors in the project's types. */
export const typeErrors = (project: string, compiler: Compiler, setting: Setting): Promise<string> =>
  compile(project, compiler, setting);

/** The package's declarations that the compiler reads. */
export async function declarationsRead(
  project: string,
  compiler: Compiler,
  setting: Setting,
): Promise<string[]> {
  const files = await compile(project, compiler, setting, '--listFilesOnly');
  return files.split(/\r?\n/).filter(file => /node_modules[\\/]pushdown[\\/]/.test(file));
}
