import type { Role } from '../protocol.ts';
import { isUnloaded, RELOAD } from '../unloaded.ts';
import type { Scope } from './scope.ts';

/**
 * Entry point of all workers, so that they share loaded scripts. The name of a worker is its role. Messages that arrive
 * before the script of the role has loaded are queued.
 */

const ROLES: Record<Role, () => Promise<{ begin(scope: Scope<never, never>): void }>> = {
  training: () => import('./training.ts'),
  checking: () => import('./checking.ts'),
  verifying: () => import('./verifying.ts'),
};

const scope = globalThis as unknown as Scope<never, never>;
const waiting: MessageEvent<never>[] = [];
scope.onmessage = event => waiting.push(event);
ROLES[scope.name as Role]().then(
  ({ begin }) => {
    begin(scope);
    for (const event of waiting) scope.onmessage?.(event);
  },
  // Reports the error to the page as an `error` event; an unhandled rejection would not reach it.
  error => reportError(isUnloaded(error) ? new Error(`one of its scripts did not load. ${RELOAD}`) : error),
);
