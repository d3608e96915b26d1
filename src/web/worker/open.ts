import type { Role } from './scope.ts';

/** A worker of the page, for one thing. */
export const openWorker = (role: Role): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: role });
