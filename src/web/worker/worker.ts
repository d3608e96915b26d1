import type { Role } from '../protocol.ts';
import { isUnloaded, RELOAD } from '../unloaded.ts';
import type { Scope } from './scope.ts';

/**
 * The one script of all workers, so that they share what they load: a worker is named after what it does. Messages that
 * come before that is loaded wait.
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
  // The page hears it as an `error` event: a rejection alone would not reach it.
  error => reportError(isUnloaded(error) ? new Error(`one of its scripts did not load. ${RELOAD}`) : error),
);
