import { defineConfig } from 'vitest/config';

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
