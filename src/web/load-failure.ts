import { messageOf, sentence } from '../base/errors.ts';

/** Handles scripts that fail to load: a stale file after an update of the site, a proxy, a lost connection. */

export const RELOAD_ADVICE = 'Reload the page: the site may have been updated, or the connection was lost.';

/** The messages of Chrome, Firefox and Safari if `import()` cannot load a script, and of Vite for a style sheet. */
const LOAD_FAILURE = /dynamically imported module|importing a module script|unable to preload css/i;

/** Whether an error means that `import()` could not load a script. */
export const isLoadFailure = (error: unknown): boolean => LOAD_FAILURE.test(messageOf(error));

export const startFailureMessage = (error: unknown): string =>
  isLoadFailure(error)
    ? 'The page did not start: one of its scripts did not load.'
    : `The page did not start in this browser: ${sentence(messageOf(error))}`;

/** The message of a worker whose script did not load. */
export const SCRIPT_MISSING = 'a script of the page did not load';

/**
 * Returns the message for an `error` event of a worker. The event has no message if the worker's first script did not
 * load.
 */
export const workerFailureMessage = (message: string | undefined): string =>
  !message || message.includes(SCRIPT_MISSING)
    ? `${SCRIPT_MISSING}. ${RELOAD_ADVICE}`
    : `a background script failed: ${sentence(message)} Reload the page; if it happens again, please report it.`;
