import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Spawn } from '../../engine/cpu.ts';

const ENTRY = new URL('./thread.js', import.meta.url);

const spawn: Spawn = ({ onMessage, onExit }) => {
  const worker = new Worker(ENTRY);
  worker.on('message', onMessage);
  worker.on('error', error => onExit(error.message));
  worker.on('exit', code => onExit(`its exit code is ${code}`));
  return {
    post: message => worker.postMessage(message),
    hold: on => (on ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  };
};

/**
 * Threads for the cpu engine: one per core. A single thread when run from the sources, because Node cannot load
 * thread.ts.
 */
export const nodeThreads = () =>
  existsSync(fileURLToPath(ENTRY)) ? { spawn, cores: availableParallelism() } : { cores: 1 };
