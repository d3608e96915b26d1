import { defineConfig } from 'vite';
import { compactWgsl } from './vite.config.ts';

/** The package as one file, for pages without a bundler: dist/pushdown.js. */
export default defineConfig({
  publicDir: false,
  plugins: [compactWgsl],
  build: {
    outDir: 'dist',
    // The output of tsc is in the same folder.
    emptyOutDir: false,
    target: 'es2022',
    lib: { entry: 'src/standalone.ts', formats: ['es'], fileName: () => 'pushdown.js' },
    rolldownOptions: { output: { codeSplitting: false, minify: true } },
    // The licenses of the bundled packages.
    license: { fileName: 'pushdown.licenses.md' },
    reportCompressedSize: false,
  },
});
