/**
 * The one script of all workers, so that they share what they load: a worker is named after what it does. Messages that
 * come before that is loaded wait.
 */

export type Role = 'training' | 'checking' | 'verifying';

/** A worker's global, of which TypeScript's library for pages knows nothing. */
export interface Scope<In, Out> {
  readonly name: string;
  postMessage(message: Out, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<In>) => void) | null;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}

const ROLES: Record<Role, () => Promise<{ begin(scope: Scope<never, never>): void }>> = {
  training: () => import('./training.ts'),
  checking: () => import('./checking.ts'),
  verifying: () => import('./verifying.ts'),
};

const scope = globalThis as unknown as Scope<never, never>;
const waiting: MessageEvent<never>[] = [];
scope.onmessage = event => waiting.push(event);
const { begin } = await ROLES[scope.name as Role]();
begin(scope);
for (const event of waiting) scope.onmessage?.(event);
