import type { Role } from './protocol.ts';

/** Opens a worker for one role. No other file of the page refers to the files in `worker/`. */
export const openWorker = (role: Role): Worker =>
  new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: role });
