import { messageOf, sentence } from '../base/errors.ts';

/** Handles scripts that fail to load: a stale file after an update of the site, a proxy, a lost connection. */

export const RELOAD = 'Reload the page: the site may have been updated, or the connection was lost.';

/** How Chrome, Firefox and Safari report a script that `import()` could not load, and Vite a style sheet. */
const UNLOADED = /dynamically imported module|importing a module script|unable to preload css/i;

/** Whether an error means that `import()` could not load a script. */
export const isUnloaded = (error: unknown): boolean => UNLOADED.test(messageOf(error));

export const startFailed = (error: unknown): string =>
  isUnloaded(error)
    ? 'The page did not start: one of its scripts did not load.'
    : `The page did not start in this browser: ${sentence(messageOf(error))}`;

/** Returns the message for an `error` event of a worker. It has no message if the script did not load. */
export const workerFailed = (message: string | undefined): string =>
  message ? `the worker failed: ${message}` : `a script of the page did not load. ${RELOAD}`;
