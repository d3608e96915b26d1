import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

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
          "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'",
      },
      injectTo: 'head-prepend',
    },
  ],
};

/** In development the benchmarks have a server of their own, with the headers that fine clocks need. */
const benchmarks: Plugin = {
  name: 'where-the-benchmarks-are',
  configureServer(server) {
    server.middlewares.use('/bench', (_request, response) => {
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end('In development the benchmarks have a server of their own: npm run bench:page');
    });
  },
};

// One project a kind of test: `npm run check` needs no adapter, `npm test` runs all but `verify`.
const project = (name: string, testTimeout = 20_000) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
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
  plugins: [policy, benchmarks],
  server: { host: 'localhost' },
  build: { outDir: '../../dist-page', emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
  test: {
    root: '.',
    projects: [
      project('unit'),
      project('gradient', 60_000),
      project('parity', 240_000),
      project('e2e', 240_000),
      project('verify', 3_600_000),
    ],
  },
});
