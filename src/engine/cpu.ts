import type { TrainConfig } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import type { ModelSpec } from '../base/parameters.ts';
import { compile } from '../simd/module.ts';
import { Pool, type Spawn } from '../simd/pool.ts';
import { CpuModel, type Kernels } from './cpu-model.ts';
import type { Engine, MemoryLayer, MemoryShape, Model, ModelState } from './engine.ts';
import { Lifetime } from './lifetime.ts';

export type { Spawn };

/** How threads are had on a platform. */
export interface Threads {
  /** Absent where there is one thread only. */
  spawn?: Spawn;
  /** Threads that can run at the same time. */
  cores: number;
  /** Why there is one only. */
  without?: string;
}

/**
 * The kernels of src/simd as an engine: float32. Where there is no GPU.
 * @param asked threads, the calling one included; absent: as many as there are cores, where they can be had. Results are the
 * same, to the bit.
 * @throws DeviceError where this machine or browser has no WebAssembly SIMD; InputError where it has not the threads that are
 * asked for
 */
export async function createCpuEngine(
  reason = 'asked for',
  { spawn, cores, without }: Threads = { cores: 1 },
  asked?: number,
): Promise<Engine> {
  const most = asked ?? cores;
  if (most > 1 && !spawn) throw noThreads(most, without ?? 'none can be had here');
  const shared = most > 1;
  const module = await compile(shared);
  const pool = new Pool(most, spawn);
  // Starts while models are made; where it cannot, that is known from the beginning.
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
      // Loaded by those who want a memory on its own: a page that trains does not.
      const { CpuMemory } = await import('./cpu-memory.ts');
      lifetime.check();
      return new CpuMemory(kernels, shape, new Lifetime('memory', lifetime));
    },
    destroy(): void {
      if (lifetime.end()) pool.end();
    },
  };
}

/** Asked for by number: no other engine is to take its place. */
const noThreads = (count: number, reason: string): InputError =>
  new InputError(`${count} threads cannot be had: ${reason}. Ask for 1, or leave the number out.`);
