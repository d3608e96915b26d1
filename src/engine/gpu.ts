import type { TrainConfig } from '../base/config.ts';
import { CompileTimeout } from '../base/errors.ts';
import type { ModelSpec } from '../base/parameters.ts';
import type { Gpu } from '../gpu/device.ts';
import type { ProfileName } from '../gpu/profile.ts';
import { openGpu } from '../kernels/open.ts';
import type { Plan } from '../kernels/plan.ts';
import type { PlanOptions } from '../kernels/prepare.ts';
import type {
  AdapterDescription,
  Choices,
  Engine,
  MemoryLayer,
  MemoryShape,
  Model,
  ModelState,
} from './engine.ts';
import type { LayerForm } from './gpu-memory.ts';
import { GpuModel } from './gpu-model.ts';
import { Lifetime } from './lifetime.ts';
import { checkCompileSeconds, compileSecondsOn, withTimeout } from './with-timeout.ts';

/** Options of the gpu engine. They can force a plan (`--plan`), or one form of the kernels for tests and benchmarks. */
export interface GpuOptions extends Omit<PlanOptions, 'choices' | 'onPlan'> {
  /** Form of memory layers, if it differs from the form of models. */
  memory?: LayerForm;
  /** A profile other than the one for the device's kind. */
  profile?: ProfileName;
  /** Time limit for compiling kernels and running them once, in seconds. Default: compileSecondsOn(). */
  compileSeconds?: number;
}

/**
 * Opens an engine on a WebGPU device. The engine owns the device from then on and destroys it in destroy().
 * @throws InputError if `options.compileSeconds` is invalid
 * @throws DeviceError if the device lacks what `options.profile` needs
 * @throws CompileTimeout if the device does not compile its first kernels in time
 */
export async function createGpuEngine(
  device: GPUDevice,
  adapter: AdapterDescription,
  options: GpuOptions = {},
): Promise<Engine> {
  const { compileSeconds: seconds = compileSecondsOn(adapter.kind) } = options;
  checkCompileSeconds(seconds);
  const opening = openGpu(device, adapter.kind, options.profile);
  const { gpu, notes } = await withTimeout(seconds, opening, () => new CompileTimeout(seconds));
  const reason = [adapter.reason, ...notes].join('; ');
  return gpuEngineOn(gpu, { ...adapter, reason }, options);
}

/**
 * Creates an engine on a device that other engines may use too. All of them share compiled kernels, and destroying one
 * of them destroys the device for all.
 */
export function gpuEngineOn(gpu: Gpu, adapter: AdapterDescription, options: GpuOptions = {}): Engine {
  const lifetime = new Lifetime('engine');
  const { plan, compileSeconds: seconds = compileSecondsOn(adapter.kind) } = options;
  return {
    name: 'gpu',
    adapter,
    ...(plan && plan !== 'auto' && { plan }),
    async model(
      spec: ModelSpec,
      training: TrainConfig,
      state: ModelState,
      choices: Choices = {},
    ): Promise<Model> {
      lifetime.check();
      // Choices made on another adapter do not apply: adapters may round differently, and differ in which tiles are
      // fastest.
      const applicable = choices.adapter === adapter.name ? choices : {};
      let kind: Plan['kind'] | undefined;
      const created = GpuModel.create(gpu, spec, training, state, new Lifetime('model', lifetime), {
        ...options,
        choices: applicable,
        onPlan(chosen) {
          kind = chosen;
        },
      });
      const timeout = (): CompileTimeout => {
        gpu.abandon();
        return new CompileTimeout(seconds, kind, kind === 'stepwise' ? undefined : 'stepwise');
      };
      const model = await withTimeout(seconds, created, timeout, late => late.destroy());
      if (model.choices) model.choices = { adapter: adapter.name, ...model.choices };
      return model;
    },
    async memory(shape: MemoryShape): Promise<MemoryLayer> {
      lifetime.check();
      // Imported on demand, so that a page that only trains does not load these kernels.
      const { gpuMemory } = await import('./gpu-memory.ts');
      lifetime.check();
      const { memory: form = options.form, sliceSteps } = options;
      const opening = gpuMemory(gpu, shape, new Lifetime('memory', lifetime), { form, sliceSteps });
      const timeout = (): CompileTimeout => {
        gpu.abandon();
        return new CompileTimeout(seconds);
      };
      return withTimeout(seconds, opening, timeout, late => late.destroy());
    },
    destroy(): void {
      if (lifetime.end()) gpu.end();
    },
  };
}
