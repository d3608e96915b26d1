import { isLoadFailure, SCRIPT_MISSING } from '../load-failure.ts';
import type { Role } from '../protocol.ts';
import type { Scope } from './scope.ts';

/**
 * One entry point for all workers, so that the bundler emits the modules they have in common only once. The name of a
 * worker is its role. Messages that arrive before the script of the role has loaded are queued.
 */

const ROLES: Record<Role, () => Promise<{ start(scope: Scope<never, never>): void }>> = {
  training: () => import('./training.ts'),
  checking: () => import('./checking.ts'),
  verifying: () => import('./verifying.ts'),
  examining: () => import('./examining.ts'),
};

const scope = globalThis as unknown as Scope<never, never>;
const queued: MessageEvent<never>[] = [];
scope.onmessage = event => queued.push(event);
ROLES[scope.name as Role]().then(
  ({ start }) => {
    start(scope);
    for (const event of queued) scope.onmessage?.(event);
  },
  // Reports the error to the page as an `error` event; an unhandled rejection would not reach it.
  error => reportError(isLoadFailure(error) ? new Error(SCRIPT_MISSING) : error),
);
