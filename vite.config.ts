import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { MEMORY_NAMES } from './src/base/memories.ts';
import { FIREFOX } from './test/support/firefox-path.ts';

/**
 * The published page runs and loads nothing but its own files, even if foreign content gets into it.
 * There is no such policy in development, because Vite then adds its own scripts and styles to the page.
 */
const policy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: {
        'http-equiv': 'Content-Security-Policy',
        content:
          "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'",
      },
      injectTo: 'head-prepend',
    },
  ],
};

/**
 * Kernels are WGSL in template strings, which no minifier shortens. This plugin removes their comments, indentation and
 * spaces around operators (except `-`: two of them would become `--`), after commas and semicolons from the published
 * page. None of these has a meaning in WGSL or TypeScript, so it does not matter whether a line is inside a template
 * string.
 */
export const compactWgsl: Plugin = {
  name: 'compact-wgsl',
  apply: 'build',
  transform(code, id) {
    if (!id.endsWith('.wgsl.ts')) return null;
    const compact = code
      .replace(/(^|\s)\/\/ .*$/gm, '$1')
      .replace(/^[ \t]+/gm, '')
      .replace(/ ([=*+/<>&|]|[=<>!+*-]=|&&|\|\|) /g, '$1')
      .replace(/([,;]) /g, '$1')
      .replace(/\) \{/g, '){');
    return { code: compact, map: null };
  },
};

/** Removes comments and indentation of index.html from the published page. */
const compactHtml: Plugin = {
  name: 'compact-html',
  apply: 'build',
  transformIndexHtml: {
    order: 'pre',
    handler: html => html.replace(/<!--[\s\S]*?-->/g, '').replace(/^[ \t]+|\n(?=\s*\n)/gm, ''),
  },
};

/** For tests of the page as it is published. */
const withPage = { globalSetup: 'test/support/built-page.ts' };

/** For all tests: equal arrays of numbers are compared fast. */
const SETUP = ['test/support/equal-arrays.ts'];

/** For tests on Dawn: a test that waits for its device leaves the CPU to other tests. */
const onDawn = { setupFiles: [...SETUP, 'test/support/dawn-polling.ts'] };

/** With these headers a page may share memory between threads, so that the engine `cpu` computes on all cores. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * In development the documentation is not built, and the benchmarks
 * have their own server, with the headers that precise clocks need.
 */
const NOT_SERVED = {
  '/docs': '`npm run build` builds the documentation into dist-page/docs. Its sources are in docs/.',
  '/bench': 'In development the benchmarks have their own server: npm run bench:page',
};
const notServed: Plugin = {
  name: 'paths-not-served-in-development',
  configureServer(server) {
    for (const [path, message] of Object.entries(NOT_SERVED)) {
      server.middlewares.use(path, (_request, response) => {
        response.setHeader('Content-Type', 'text/plain; charset=utf-8');
        response.end(message);
      });
    }
  },
};

/**
 * The slowest test files start first, so that none runs alone at the end. Tests of the page and of kernels alternate,
 * because a test of the page often waits. On a new machine vitest does not know their times.
 */
const LONGEST = [
  'page-kept',
  'model',
  'chrome',
  'profiles',
  'page-resumed',
  'memory',
  'page',
  'model-stepwise',
  'page-look',
  'memory-steps',
  'page-numbers',
  'slices',
  'page-guide',
  'recovery',
  'page-address',
  'training',
  'page-hostile',
  'transcripts',
  'page-unloaded',
  'open',
  'page-lost',
  'memory-on-device',
  'faults',
  'doctor',
  'page-gallery',
  'time-memory',
];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const isSlow = /\/(parity|e2e)\//.test(moduleId);
      const at = isSlow ? LONGEST.indexOf(basename(moduleId, '.test.ts')) : -1;
      return at < 0 ? LONGEST.length : at;
    };
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

/** The test files of kernels that depend on the profile of the device. */
const ON_KERNELS = [
  'model',
  'model-stepwise',
  'memory',
  'memory-steps',
  'memory-on-device',
  'time-memory',
  'training',
  'slices',
  'prefix-sum',
  'turns',
];
/** The profiles that a software adapter does not use by itself. */
const PROFILES = ['gpu', 'gpu with subgroups'];

/** For tests without Dawn: a process runs one file after another, which saves it the loading of all modules. */
const SHARED = { isolate: false };

/** Mocks a module, and so needs its own process. */
const MOCKING = 'test/unit/cli/slow-compiler.test.ts';

/** Compares memories of the kind PUSHDOWN_MEMORY at all sizes. */
const EVERY_MEMORY = 'test/verify/memory.test.ts';

/** Test files of the page that run in any browser, with or without WebGPU. */
const IN_ANY_BROWSER = ['page-hand', 'page-gallery', 'page-hostile', 'page-files', 'page-guide'];

// One project for each kind of test. `npm run check` runs `unit` and `gradient`, which need
// no adapter; `npm test` runs `parity` and `e2e` too; `npm run verify` runs the others.
const project = (name: string, testTimeout = 20_000, more: object = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: SETUP,
    ...more,
    // Each file runs in its own process, except with SHARED: Dawn keeps a Node process alive, and threads must not
    // share its device.
    pool: 'forks' as const,
    testTimeout,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  root: 'src/web',
  // Relative, so that the built page works from any folder of any host.
  base: './',
  plugins: [policy, notServed, compactHtml],
  server: { host: 'localhost', headers },
  preview: { headers },
  // Small files are not inlined, because the content security policy lets the page fetch files of its host only.
  build: {
    outDir: '../../dist-page',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // Safari before 17 loads the files a little later, which is better than more code for all browsers.
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es', plugins: () => [compactWgsl] },
  test: {
    root: '.',
    // More workers than cores, because tests of the page often wait.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', 20_000, { ...SHARED, exclude: [MOCKING] }),
      project('unit alone', 20_000, { include: [MOCKING] }),
      project('gradient', 60_000, SHARED),
      project('parity', 240_000, { ...onDawn, env: { PUSHDOWN_TILES: 'small' } }),
      project('e2e', 240_000, { ...withPage, ...SHARED }),
      project('verify', 3_600_000, { ...onDawn, exclude: [EVERY_MEMORY] }),
      // A process for each kind, because one would take over half an hour: part of `npm run verify`.
      ...MEMORY_NAMES.map(kind =>
        project(`memory ${kind}`, 3_600_000, {
          ...onDawn,
          include: [EVERY_MEMORY],
          env: { PUSHDOWN_MEMORY: kind },
        }),
      ),
      // The tests of kernels with the profiles of other devices, on
      // the adapter of this machine: part of `npm run verify`.
      ...PROFILES.map(profile =>
        project(`parity as on ${profile}`, 3_600_000, {
          ...onDawn,
          include: ON_KERNELS.map(name => `test/parity/${name}.test.ts`),
          env: { PUSHDOWN_PROFILE: profile },
        }),
      ),
      // The page in Firefox: part of `npm run verify`. Without Firefox, the tests are skipped, with the reason.
      project('firefox', 240_000, {
        ...withPage,
        include: [
          'test/firefox/*.test.ts',
          ...(FIREFOX ? IN_ANY_BROWSER.map(name => `test/e2e/${name}.test.ts`) : []),
        ],
        env: { PUSHDOWN_BROWSER: 'firefox' },
      }),
      // Tests of lost devices, crashes, kills and arbitrary input, with more repetitions
      // than in `npm test`: part of `npm run verify`.
      project('repeated', 3_600_000, {
        ...onDawn,
        ...withPage,
        include: ['parity/recovery', 'e2e/page-lost', 'e2e/faults', 'unit/fuzz'].map(
          name => `test/${name}.test.ts`,
        ),
        env: { PUSHDOWN_LOSSES: '20', PUSHDOWN_CRASHES: '4', PUSHDOWN_KILLS: '10', PUSHDOWN_FUZZ: '20000' },
      }),
    ],
  },
});
