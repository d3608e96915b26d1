import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Part of the site: see `build:page`. Relative, as the page above it.
  base: './',
  build: {
    outDir: `${repository}/dist-page/bench`,
    emptyOutDir: true,
    target: 'es2022',
    // Peers are for a checkout that has them (`npm run bench:page`): a site does not carry other libraries.
    rolldownOptions: { external: [/^@tensorflow\//, /^@jax-js\//] },
  },
  cacheDir: `${repository}/node_modules/.vite-bench`,
  server: {
    host: 'localhost',
    fs: { allow: [repository] },
    // A page of its own sources alone: browsers give such a page clocks of microseconds, and threads.
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
    // A run must not restart because a file was saved.
    hmr: false,
    watch: null,
  },
});
