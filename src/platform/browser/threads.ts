import type { Spawn } from '../../engine/cpu.ts';

const spawn: Spawn = ({ heard, died }) => {
  const worker = new Worker(new URL('./thread.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }) => heard(data));
  worker.addEventListener('error', event => {
    event.preventDefault();
    died(event.message || 'the browser did not load it');
  });
  return {
    post: message => worker.postMessage(message),
    hold: () => undefined,
    end: () => worker.terminate(),
  };
};

/** Threads for the cpu engine: as many as there are cores, where pages may share memory between them. */
export const browserThreads = () =>
  globalThis.crossOriginIsolated
    ? { spawn, cores: globalThis.navigator.hardwareConcurrency }
    : { cores: 1, without: 'the page is not cross-origin isolated' };
