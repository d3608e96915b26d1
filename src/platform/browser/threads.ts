import type { Spawn, Threads } from '../../engine/cpu.ts';

/**
 * Starts threads as workers.
 * @param open creates a worker
 * @param failed the reason to report if a worker fails without a message
 */
export const spawnOf =
  (open: () => Worker, failed: string): Spawn =>
  ({ onMessage, onExit }) => {
    const worker = open();
    worker.addEventListener('message', ({ data }) => onMessage(data));
    worker.addEventListener('error', event => {
      event.preventDefault();
      onExit(event.message || failed);
    });
    return {
      post: message => worker.postMessage(message),
      hold: () => undefined,
      end: () => worker.terminate(),
    };
  };

/** Threads for the cpu engine: one per core if the page may share memory between threads, otherwise a single thread. */
export const threadsIfIsolated = (spawn: Spawn): Threads =>
  globalThis.crossOriginIsolated
    ? { spawn, cores: globalThis.navigator.hardwareConcurrency }
    : { cores: 1, whyOneThread: 'the page is not cross-origin isolated' };
