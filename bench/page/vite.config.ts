import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, because the page is a subfolder of the site, which may be in any folder of a host.
  base: './',
  build: {
    outDir: `${repository}/dist-page/bench`,
    emptyOutDir: true,
    target: 'es2022',
    // Peers are only for a checkout in which they are installed (`npm run bench:page`); the site does not contain them.
    rolldownOptions: { external: [/^@tensorflow\//, /^@jax-js\//] },
  },
  cacheDir: `${repository}/node_modules/.vite-bench`,
  server: {
    host: 'localhost',
    fs: { allow: [repository] },
    // With these headers the page is cross-origin isolated, so browsers give it precise clocks and threads.
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
    // A run must not restart because a file was saved.
    hmr: false,
    watch: null,
  },
});
