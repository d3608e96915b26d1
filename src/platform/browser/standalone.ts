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

/** In a page or a worker. See Opening. */
export const { openEngine, openEngineWith, reopening } = openingWith(() => isolatedThreads(spawn));
