import { openingWith } from './platform.ts';
import { isolatedThreads, spawnOf } from './threads.ts';

const spawn = spawnOf(
  () => new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }),
  'the browser did not load it',
);

/** In a page or a worker. See Opening. */
export const { openEngine, openEngineWith, reopening } = openingWith(() => isolatedThreads(spawn));
