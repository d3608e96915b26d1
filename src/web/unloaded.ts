import { messageOf, sentence } from '../base/errors.ts';

/** Scripts that do not load: a stale file after an update of the site, a proxy, a lost connection. */

export const RELOAD =
  'Reload the page: the site may have been updated meanwhile, or the connection was lost.';

/** How Chrome, Firefox and Safari name a script that an `import()` did not get; Vite names style sheets. */
const UNLOADED = /dynamically imported module|importing a module script|unable to preload css/i;

/** Whether an error is that of an `import()` whose script did not load. */
export const isUnloaded = (error: unknown): boolean => UNLOADED.test(messageOf(error));

export const startFailed = (error: unknown): string =>
  isUnloaded(error)
    ? 'The page did not start: one of its scripts did not load.'
    : `The page did not start in this browser: ${sentence(messageOf(error))}`;

/** Of an `error` event of a worker: without a message where its script did not load. */
export const workerFailed = (message: string | undefined): string =>
  message ? `the worker failed: ${message}` : `a script of the page did not load. ${RELOAD}`;
