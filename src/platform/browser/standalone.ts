import { openingWith } from './platform.ts';
import { spawnOf, threadsIfIsolated } from './threads.ts';

/**
 * The package as one file, which a page may load from any host. Browsers do not start workers from scripts of another
 * origin. So each worker runs this small script of the page's origin, which imports the file and calls its
 * serveThread().
 */
const script = `import { serveThread } from ${JSON.stringify(import.meta.url)}; serveThread();`;

/** The URL of the script, created once for all workers. */
let url: string | undefined;

const spawn = spawnOf(() => {
  url ??= URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  return new Worker(url, { type: 'module' });
}, 'the browser did not start a worker: if the page has a Content-Security-Policy, it must allow worker-src blob:');

const opening = openingWith(() => threadsIfIsolated(spawn));

/**
 * Opens an engine in a page or a worker: WebGPU on a GPU, else WebAssembly SIMD, else the float64 reference. See
 * {@link Opening.openEngine}.
 * @function
 */
export const openEngine = opening.openEngine;

/**
 * Opens an engine in a page or a worker and runs `work` on it. With `auto`, if an engine fails during `work`, the next
 * one is tried. See {@link Opening.openEngineWith}.
 * @function
 */
export const openEngineWith = opening.openEngineWith;

/**
 * For a Trainer's `reopen`: opens an engine of the same kind after a device was lost. See {@link Opening.reopening}.
 * @function
 */
export const reopening = opening.reopening;
