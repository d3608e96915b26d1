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
  /** Why there is only one thread. */
  without?: string;
}

/**
 * The kernels of src/simd as an engine, in float32, for machines without a GPU.
 * @param reason shown beside the adapter's name
 * @param asked number of threads, including the calling one (default: one per core, where possible). The results are
 * the same bit for bit.
 * @throws DeviceError where this machine or browser has no WebAssembly SIMD
 * @throws InputError where `asked` threads are not available
 */
export async function createCpuEngine(
  reason = 'requested',
  { spawn, cores, without }: Threads = { cores: 1 },
  asked?: number,
): Promise<Engine> {
  const most = asked ?? cores;
  if (most > 1 && !spawn) throw noThreads(most, without ?? 'this platform has none');
  const shared = most > 1;
  const module = await compile(shared);
  const pool = new Pool(most, spawn);
  // Starts the first worker while models are built, so that the engine knows early if workers cannot start.
  pool.want(asked ?? 2);
  if (asked) {
    await pool.ready();
    const { refused } = pool;
    if (refused) {
      pool.end();
      throw noThreads(most, refused);
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
        const alone = asked || pool.most > 1 ? '' : pool.refused || without;
        return alone ? `${reason}; one thread: ${alone}` : reason;
      },
      get threads() {
        return pool.most;
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

/** The user asked for this number, so the error must not fall back to another engine. */
const noThreads = (count: number, reason: string): InputError =>
  new InputError(`${count} threads are not available: ${reason}. Ask for 1, or leave the number out.`);
