import type { Role } from './protocol.ts';

/** A worker of the page, for one thing. Nothing else of the page knows the files of `worker/`. */
export const openWorker = (role: Role): Worker =>
  new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: role });
