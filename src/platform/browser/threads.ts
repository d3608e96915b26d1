import type { Spawn, Threads } from '../../engine/cpu.ts';

/** @param failed the reason to give where a worker fails without one */
export const spawnOf =
  (open: () => Worker, failed: string): Spawn =>
  ({ heard, died }) => {
    const worker = open();
    worker.addEventListener('message', ({ data }) => heard(data));
    worker.addEventListener('error', event => {
      event.preventDefault();
      died(event.message || failed);
    });
    return {
      post: message => worker.postMessage(message),
      hold: () => undefined,
      end: () => worker.terminate(),
    };
  };

/** Threads for the cpu engine: as many as there are cores, where pages may share memory between them. */
export const isolatedThreads = (spawn: Spawn): Threads =>
  globalThis.crossOriginIsolated
    ? { spawn, cores: globalThis.navigator.hardwareConcurrency }
    : { cores: 1, without: 'the page is not cross-origin isolated' };
