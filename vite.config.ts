import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { FIREFOX } from './test/support/firefox-path.ts';

/**
 * The published page runs and loads nothing but its own files, whatever comes into it. In development Vite adds
 * scripts and styles of its own to the page.
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
 * Kernels are WGSL in template strings, which no minifier shortens: their comments and indentation are left out of the
 * published page. Both may stand on any line of those files, and mean nothing in WGSL.
 */
export const compactWgsl: Plugin = {
  name: 'compact-wgsl',
  apply: 'build',
  transform(code, id) {
    if (!id.endsWith('.wgsl.ts')) return null;
    return { code: code.replace(/(^|\s)\/\/ .*$/gm, '$1').replace(/^[ \t]+/gm, ''), map: null };
  },
};

/** Comments and indentation of index.html are for its editors: the published page goes without them. */
const compactHtml: Plugin = {
  name: 'compact-html',
  apply: 'build',
  transformIndexHtml: {
    order: 'pre',
    handler: html => html.replace(/<!--[\s\S]*?-->/g, '').replace(/^[ \t]+|\n(?=\s*\n)/gm, ''),
  },
};

/** Tests of the page as it is published. */
const withPage = { globalSetup: 'test/support/built-page.ts' };

/** Tests that wait for Dawn leave the processor to what they wait for. */
const onDawn = { setupFiles: 'test/support/patient-dawn.ts' };

/** With these headers a page may share memory between threads: the engine `cpu` then computes on all cores. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * In development the documentation is not built, and the benchmarks have a server of their own, with the headers that fine
 * clocks need.
 */
const ELSEWHERE = {
  '/docs': 'The documentation is built by `npm run build`, into dist-page/docs. Its sources are in docs/.',
  '/bench': 'In development the benchmarks have a server of their own: npm run bench:page',
};
const elsewhere: Plugin = {
  name: 'where-the-rest-of-the-site-is',
  configureServer(server) {
    for (const [path, words] of Object.entries(ELSEWHERE)) {
      server.middlewares.use(path, (_request, response) => {
        response.setHeader('Content-Type', 'text/plain; charset=utf-8');
        response.end(words);
      });
    }
  },
};

/** Files that take longest begin first, so that none is left running alone; vitest knows no times on a fresh machine. */
const LONGEST = [
  'profiles',
  'model-stepwise',
  'model',
  'page-resumed',
  'training',
  'slices',
  'page',
  'page-look',
  'memory',
  'chrome',
];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(basename(moduleId, '.test.ts'));
      return at < 0 ? LONGEST.length : at;
    };
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

/** Tests of kernels whose launches a device's profile changes, and the profiles that a software adapter does not have. */
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
const PROFILES = ['gpu', 'gpu with subgroups'];

/** Tests of the page that any browser passes, with WebGPU or without. */
const IN_ANY_BROWSER = ['page-hand', 'page-gallery', 'page-hostile', 'page-files', 'page-guide'];

// One project a kind of test: `npm run check` needs no adapter, `npm test` runs all but `verify` and `repeated`.
const project = (name: string, testTimeout = 20_000, more: object = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    ...more,
    // A fork each: Dawn keeps a Node process alive and its device must not be shared between threads.
    pool: 'forks' as const,
    testTimeout,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  root: 'src/web',
  // Relative, so that the built page works from any folder of any host.
  base: './',
  plugins: [policy, elsewhere, compactHtml],
  server: { host: 'localhost', headers },
  preview: { headers },
  // Small files stay files: the page fetches from its own host alone, and not what is written into it.
  build: { outDir: '../../dist-page', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
  worker: { format: 'es', plugins: () => [compactWgsl] },
  test: {
    root: '.',
    // One more than there are cores, of which there are often two: pages, above all, wait a lot.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit'),
      project('gradient', 60_000),
      project('parity', 240_000, onDawn),
      project('e2e', 240_000, withPage),
      project('verify', 3_600_000, onDawn),
      // All tests of kernels as they would compute on other devices, on the adapter at hand: part of `npm run verify`.
      ...PROFILES.map(profile =>
        project(`parity as on ${profile}`, 3_600_000, {
          ...onDawn,
          include: ON_KERNELS.map(name => `test/parity/${name}.test.ts`),
          env: { PUSHDOWN_PROFILE: profile },
        }),
      ),
      // The page in Firefox: part of `npm run verify`. Where there is no Firefox, the one test that says so.
      project('firefox', 240_000, {
        ...withPage,
        include: [
          'test/firefox/*.test.ts',
          ...(FIREFOX ? IN_ANY_BROWSER.map(name => `test/e2e/${name}.test.ts`) : []),
        ],
        env: { PUSHDOWN_BROWSER: 'firefox' },
      }),
      // What `npm test` does a few times, many times: part of `npm run verify`.
      project('repeated', 3_600_000, {
        ...onDawn,
        ...withPage,
        include: ['parity/recovery', 'e2e/page-lost', 'e2e/faults'].map(name => `test/${name}.test.ts`),
        env: { PUSHDOWN_LOSSES: '20', PUSHDOWN_CRASHES: '4', PUSHDOWN_KILLS: '10' },
      }),
    ],
  },
});
