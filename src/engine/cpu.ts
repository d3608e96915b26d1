import type { TrainConfig } from '../base/config.ts';
import type { ModelSpec } from '../base/parameters.ts';
import { compile } from '../simd/module.ts';
import { CpuMemory } from './cpu-memory.ts';
import { CpuModel } from './cpu-model.ts';
import type { Engine, MemoryLayer, MemoryShape, Model, ModelState } from './engine.ts';
import { Life } from './life.ts';

/**
 * The kernels of src/simd as an engine: float32, on this thread. Where there is no GPU.
 * @throws DeviceError where this machine or browser has no WebAssembly SIMD
 */
export async function createCpuEngine(reason = 'asked for'): Promise<Engine> {
  const module = await compile();
  const life = new Life('engine');
  return {
    name: 'cpu',
    adapter: { name: 'WebAssembly SIMD', kind: 'cpu', reason },
    async model(spec: ModelSpec, training: TrainConfig, state: ModelState): Promise<Model> {
      life.check();
      return new CpuModel(module, spec, training, state, new Life('model', life));
    },
    async memory(shape: MemoryShape): Promise<MemoryLayer> {
      life.check();
      return new CpuMemory(module, shape, new Life('memory', life));
    },
    destroy(): void {
      life.end();
    },
  };
}
