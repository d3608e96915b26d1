import { openingWith } from './platform.ts';
import { isolatedThreads, spawnOf } from './threads.ts';

/**
 * The package as one file, which a page may load from any host. Browsers start no worker from a script of another
 * origin: a thread is a script of the page's own that imports this file, and calls its serveThread().
 */
const script = `import { serveThread } from ${JSON.stringify(import.meta.url)}; serveThread();`;

/** Kept: the same for every worker. */
let url: string | undefined;

const spawn = spawnOf(() => {
  url ??= URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  return new Worker(url, { type: 'module' });
}, 'the browser did not start a worker: where the page has a Content-Security-Policy, it must allow worker-src blob:');

const opening = openingWith(() => isolatedThreads(spawn));

/**
 * Opens an engine in a page or a worker: WebGPU on a GPU, else WebAssembly SIMD, else the paper in float64. See {@link Opening.openEngine}.
 * @function
 */
export const openEngine = opening.openEngine;

/**
 * Opens an engine in a page or a worker and begins work on it; with `auto`, an engine that fails at the work is passed over for the next. See
 * {@link Opening.openEngineWith}.
 * @function
 */
export const openEngineWith = opening.openEngineWith;

/**
 * For a Trainer's `reopen`: opens an engine of the same kind after a device is lost. See {@link Opening.reopening}.
 * @function
 */
export const reopening = opening.reopening;
