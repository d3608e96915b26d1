import type { TrainConfig } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import type { ModelSpec } from '../base/parameters.ts';
import { compile } from '../simd/module.ts';
import { Pool, type Spawn } from '../simd/pool.ts';
import { CpuModel, type Kernels } from './cpu-model.ts';
import type { Engine, MemoryLayer, MemoryShape, Model, ModelState } from './engine.ts';
import { Lifetime } from './lifetime.ts';

export type { Spawn };

/** How a platform provides threads. */
export interface Threads {
  /** Starts a worker. Absent if there is only one thread. */
  spawn?: Spawn;
  /** Number of threads that can run at the same time. */
  cores: number;
  /** Why the platform provides only one thread. */
  whyOneThread?: string;
}

/**
 * Creates an engine that computes in float32 with the WebAssembly kernels of src/simd, for machines without a GPU.
 * @param reason why this engine was chosen, shown beside the adapter's name
 * @param requested number of threads, including the calling one (default: one per core, where possible). The
 * results are bit-identical for any number.
 * @throws DeviceError if this machine or browser has no WebAssembly SIMD
 * @throws InputError if `requested` threads are not available
 */
export async function createCpuEngine(
  reason = 'requested',
  { spawn, cores, whyOneThread }: Threads = { cores: 1 },
  requested?: number,
): Promise<Engine> {
  const threads = requested ?? cores;
  if (threads > 1 && !spawn) throw noThreads(threads, whyOneThread ?? 'this platform has none');
  const shared = threads > 1;
  const module = await compile(shared);
  const pool = new Pool(threads, spawn);
  // Starts one worker (or all that were requested) before the first job, to find out early whether workers can start.
  pool.startWorkers(requested ?? 2);
  if (requested) {
    await pool.ready();
    const { startError } = pool;
    if (startError) {
      pool.end();
      throw noThreads(threads, startError);
    }
  }
  const kernels: Kernels = { module, pool, shared };
  const lifetime = new Lifetime('engine');
  return {
    name: 'cpu',
    adapter: {
      name: 'WebAssembly SIMD',
      kind: 'cpu',
      get reason() {
        const whyOne = requested || pool.max > 1 ? '' : pool.startError || whyOneThread;
        return whyOne ? `${reason}; one thread: ${whyOne}` : reason;
      },
      get threads() {
        return pool.max;
      },
    },
    async model(spec: ModelSpec, training: TrainConfig, state: ModelState): Promise<Model> {
      lifetime.check();
      return new CpuModel(kernels, spec, training, state, new Lifetime('model', lifetime));
    },
    async memory(shape: MemoryShape): Promise<MemoryLayer> {
      lifetime.check();
      // Imported on demand, so that a page that only trains does not load it.
      const { CpuMemory } = await import('./cpu-memory.ts');
      lifetime.check();
      return new CpuMemory(kernels, shape, new Lifetime('memory', lifetime));
    },
    destroy(): void {
      if (lifetime.end()) pool.end();
    },
  };
}

/** An InputError and not a DeviceError: the user chose this number, so there must be no fallback to another engine. */
const noThreads = (count: number, reason: string): InputError =>
  new InputError(`${count} threads are not available: ${reason}. Request 1, or omit the number.`);
