import { openingWith } from './platform.ts';
import { isolatedThreads, spawnOf } from './threads.ts';

const spawn = spawnOf(
  () => new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }),
  'the browser did not load it',
);

const opening = openingWith(() => isolatedThreads(spawn));

/**
 * Opens an engine in a page or a worker: WebGPU on a GPU, else WebAssembly SIMD, else the paper in float64. See {@link Opening.openEngine}.
 * @function
 */
export const openEngine = opening.openEngine;

/**
 * Opens an engine in a page or a worker and begins work on it; with `auto`, an engine that fails at the work is passed over for the next. See
 * {@link Opening.openEngineWith}.
 * @function
 */
export const openEngineWith = opening.openEngineWith;

/**
 * For a Trainer's `reopen`: opens an engine of the same kind after a device is lost. See {@link Opening.reopening}.
 * @function
 */
export const reopening = opening.reopening;
