import { openingWith } from './platform.ts';
import { spawnOf, threadsIfIsolated } from './threads.ts';

const spawn = spawnOf(
  () => new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }),
  'the browser did not load it',
);

const opening = openingWith(() => threadsIfIsolated(spawn));

/**
 * Opens an engine in a page or a worker: WebGPU on a GPU, else WebAssembly SIMD, else the float64 reference. See
 * {@link Opening.openEngine}.
 * @function
 */
export const openEngine = opening.openEngine;

/**
 * Opens an engine in a page or a worker and runs `work` on it. With `auto`, if an engine fails during `work`, the next
 * one is tried. See {@link Opening.openEngineWith}.
 * @function
 */
export const openEngineWith = opening.openEngineWith;

/**
 * For a Trainer's `reopen`: opens an engine of the same kind after a device was lost. See {@link Opening.reopening}.
 * @function
 */
export const reopening = opening.reopening;
