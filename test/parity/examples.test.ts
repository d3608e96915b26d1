import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { decodeCheckpoint } from 'pushdown';
import { build } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { runExample } from '../support/documented-commands.ts';
import { codeBlocks, readDocument } from '../support/documents.ts';

/** Runs the examples of the documents and of examples/ on the built package, as users would copy them. */

const ROOT = resolve(import.meta.dirname, '../..');
/** In node_modules, so that the package is found by its name; unique to this process. */
const FOLDER = join(ROOT, 'node_modules', `.examples-${process.pid}`);
mkdirSync(FOLDER, { recursive: true });
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Runs a program in a separate process and returns its output. Dawn keeps a process alive, so the exit is explicit. */
async function run(name: string, code: string): Promise<string> {
  const file = join(FOLDER, `${name}.mjs`);
  writeFileSync(file, `${code}\nprocess.exit(0);\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: FOLDER });
  return stdout.trim();
}

/** The paragraphs of the code in the first comment of src/index.ts. */
const examples = (): string[] => {
  const [comment] = /\/\*\*[\s\S]*?\*\//.exec(readFileSync(join(ROOT, 'src/index.ts'), 'utf8'))!;
  const text = comment.replace(/^ \* ?/gm, '');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].flatMap(([, code]) => code.trim().split(/\n{2,}/));
};

test('the example at the start of src/index.ts', async () => {
  const [imports, body, ownDeviceImports, ownDevice, ...rest] = examples();
  expect(rest).toEqual([]);
  const printed = await run(
    'index',
    `${imports}\n${body}\nconsole.log(engine.name, trainer.step, stack.shape.M);`,
  );
  expect(printed).toMatch(/^\w+ 1 8$/);

  const adapter = `import { findAdapter } from 'pushdown/node';\nconst { adapter } = (await findAdapter()).found;`;
  const output = await run(
    'own',
    `${adapter}\n${ownDeviceImports}\n${ownDevice}\nconsole.log(gpuEngine.name, gpuEngine.adapter.name);`,
  );
  expect(output).toMatch(/^gpu \S+/);
}, 60_000);

test('the example in the README: a memory as a layer', async () => {
  const { code } = codeBlocks(readDocument('README.md')).find(({ language }) => language === 'js')!;
  const numbers = (name: string) => `[...${name}].map(x => Math.round(100 * x) / 100)`;
  const printed = await run(
    'readme',
    `${code}\nconsole.log(JSON.stringify([${['read', 'dPush', 'dPop', 'dValue'].map(numbers)}]));`,
  );
  // These are the numbers in its comments.
  expect(JSON.parse(printed.split('\n').at(-1)!)).toEqual([
    [0.8, 1.5, 2.8],
    [1, 2, 6],
    [0, 0, 0],
    [2.1, 1, 2.7],
  ]);
}, 60_000);

test('examples/quick-start.js', async () => {
  const file = join(FOLDER, 'reverse.safetensors');
  const lines = await runExample('quick-start.js', file);
  expect(lines.slice(-4)).toEqual([
    'ended: solved',
    expect.stringMatching(/^right at length 32: (99|100)\.\d%$/),
    'a b c d → d c b a',
    `saved in ${file}`,
  ]);
  expect(decodeCheckpoint(readFileSync(file)).config.task.name).toBe('reverse');
}, 60_000);

test('examples/memory-layer.js', async () => {
  const [push, pop] = (await runExample('memory-layer.js')).slice(-2);
  const strengths = (line: string) => line.split(/ +/).slice(1).map(Number).map(Math.round);
  expect(strengths(push)).toEqual([1, 1, 1, 0, 0]);
  expect(strengths(pop)).toEqual([0, 0, 0, 1, 1]);
}, 60_000);

test('examples/own-controller.js', async () => {
  const lines = await runExample('own-controller.js');
  expect(lines[0]).toMatch(/^step 50 {2}right /);
  const [trained, longer] = lines.slice(-2).map(line => /^length \d+: ([\d.]+)% right$/.exec(line)?.[1]);
  expect(Number(trained)).toBe(100);
  // Twice the maximum length in training.
  expect(Number(longer)).toBeGreaterThan(95);
}, 60_000);

test('examples/on-device.js', async () => {
  // The first sequence, by hand: the last read is 0.625 v, and its
  // derivative with respect to the first push is 1.25 v; v = (0, 1, 2, 3).
  expect((await runExample('on-device.js')).map(line => line.split(' ').filter(Boolean).slice(0, 5))).toEqual(
    [
      ['read', '0.000', '0.625', '1.250', '1.875'],
      ['dPush', '7.500', expect.stringMatching(/^\d+\.\d{3}$/)],
    ],
  );
}, 60_000);

/**
 * What `npm ci --prefix bench/peers` installs: the core of TensorFlow.js without layers, in modules meant for bundlers.
 */
const TFJS = join(ROOT, 'bench/peers/node_modules/@tensorflow');

/** Bundles an example with TensorFlow.js into one file. Returns its path. */
async function bundleTfjs(name: string): Promise<string> {
  const from = (path: string) => JSON.stringify(join(TFJS, path));
  const entry = `export * from ${from('tfjs-core/dist/index.js')};
import ${from('tfjs-core/dist/register_all_gradients.js')};
import ${from('tfjs-backend-cpu/dist/index.js')};`;
  await build({
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'tfjs',
        enforce: 'pre',
        resolveId: id => (id === '@tensorflow/tfjs' ? '\0tfjs' : undefined),
        load: id => (id === '\0tfjs' ? entry : undefined),
      },
    ],
    ssr: { noExternal: [/@tensorflow/, 'long', 'seedrandom'], external: ['pushdown', 'pushdown/node'] },
    build: {
      ssr: true,
      outDir: join(FOLDER, 'tfjs'),
      target: 'node20',
      minify: false,
      rolldownOptions: {
        input: join(ROOT, 'examples', name),
        output: { entryFileNames: 'bundle.mjs' },
      },
    },
  });
  return join(FOLDER, 'tfjs/bundle.mjs');
}

test('examples/tensorflow.js', async ({ skip }) => {
  if (!existsSync(TFJS)) skip('TensorFlow.js is not installed: npm ci --prefix bench/peers');
  const { stdout } = await promisify(execFile)(process.execPath, [await bundleTfjs('tensorflow.js')]);
  const [first, ...rest] = stdout
    .trim()
    .split('\n')
    .filter(line => line.startsWith('step '));
  const loss = (line: string) => Number(line.split(' ').at(-1));
  // Without the memory nothing beats chance: ln 5 = 1.61.
  expect(loss(first)).toBeGreaterThan(1.5);
  expect(loss(rest.at(-1)!)).toBeLessThan(0.01);
  expect(stdout).toContain('symbols right: 128 of 128');
}, 120_000);

/** The packages that `npm ci --prefix bench/peers` installs; jax-js runs in Node without a bundler. */
const PEERS = join(ROOT, 'bench/peers/node_modules');

test('examples/jax-js.js', async ({ skip }) => {
  if (!existsSync(join(PEERS, '@jax-js/jax'))) skip('jax-js is not installed: npm ci --prefix bench/peers');
  // From a folder inside bench/peers/node_modules, both packages are found by their names.
  const folder = join(PEERS, `.examples-${process.pid}`);
  mkdirSync(folder);
  try {
    const file = join(folder, 'jax-js.mjs');
    copyFileSync(join(ROOT, 'examples/jax-js.js'), file);
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    const steps = stdout
      .trim()
      .split('\n')
      .map(line =>
        /^step (\d+) {2}loss (\S+) {2}symbols right: (\d+) of 128$/.exec(line)!.slice(1).map(Number),
      );
    expect(steps.map(([step]) => step)).toEqual([0, 20, 40, 60, 80, 100]);
    // Without the memory nothing beats chance: ln 5 = 1.61.
    expect(steps[0][1]).toBeGreaterThan(1.5);
    expect(steps.at(-1)![1]).toBeLessThan(0.01);
    expect(steps.at(-1)![2]).toBe(128);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test('examples/read-checkpoint.js', async () => {
  const lines = await runExample('read-checkpoint.js');
  expect(lines[0]).toBe('task reverse, lstm 32 and stack 16');
  expect(lines.filter(line => line.includes('first number'))).toHaveLength(14);
  expect(lines.slice(-5).map(line => line.split('→ ')[1])).toEqual(['d', 'c', 'b', 'a', '</s>']);
}, 60_000);

test('pushdown/browser can be imported in Node, and opens the engine cpu there', async () => {
  const code = `import { describe, openEngine } from 'pushdown/browser';
const engine = await openEngine('cpu');
console.log(engine.name, typeof describe);`;
  expect(await run('browser', code)).toBe('cpu function');
});

test("npx finds the terminal tool in the checkout, without npm's cache", async () => {
  // Two simultaneous first calls used to corrupt that cache permanently.
  const cache = join(FOLDER, 'npm-cache');
  // npm puts settings into the environment of the tests: they are removed here.
  const env = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const { stdout } = await promisify(execFile)('npx', ['pushdown', 'presets', '--help'], {
    cwd: ROOT,
    env: { ...Object.fromEntries(env), npm_config_cache: cache, npm_config_offline: 'true' },
    shell: process.platform === 'win32',
  });
  expect(stdout).toContain('pushdown presets');
  expect(existsSync(join(cache, '_npx'))).toBe(false);
}, 60_000);
