import { DeviceLost } from '../../src/base/errors.ts';
import type { Engine, Model } from '../../src/engine/engine.ts';
import { createGpuEngine, type GpuOptions } from '../../src/engine/gpu.ts';
import { openDevice } from './device.ts';
import type { EngineVariant } from './engines.ts';

/** Opens engines that a test can make fail while they work, as a driver may. */
export interface LosableEngines {
  open(): Promise<Engine>;
  /** Loses the engine that was opened last. */
  lose(): void;
  /** Number of engines opened so far. */
  readonly opened: number;
}

/** Engines on this machine's adapter. @param checked with bounds checks, if it is a software adapter */
export function losableGpus(options: GpuOptions = {}, checked = true): LosableEngines {
  let device: GPUDevice | undefined;
  let opened = 0;
  return {
    async open() {
      const found = await openDevice(checked);
      device = found.device;
      opened++;
      const engine = await createGpuEngine(device, found.description, options);
      const destroy = engine.destroy.bind(engine);
      return {
        ...engine,
        destroy() {
          destroy();
          found.close();
        },
      };
    },
    lose: () => device?.destroy(),
    get opened() {
      return opened;
    },
  };
}

/** Engines without a device: after the loss, calls of the engine and its models fail, including pending ones. */
function losableWithoutDevice({ open }: EngineVariant): LosableEngines {
  let last: { lost: boolean } = { lost: false };
  let opened = 0;
  return {
    async open() {
      const state = { lost: false };
      last = state;
      opened++;
      const check = (): void => {
        if (state.lost) throw new DeviceLost('the device was lost (test): the test removed it.');
      };
      /** Wraps an object so that its calls fail after the loss, even those already pending. */
      const guarded = <T extends object>(object: T): T =>
        new Proxy(object, {
          get(target, name) {
            const value = Reflect.get(target, name, target);
            if (typeof value !== 'function') return value;
            // A lost engine can still be destroyed.
            if (name === 'destroy') return value.bind(target);
            return (...args: unknown[]) => {
              check();
              const result = value.apply(target, args);
              return result instanceof Promise
                ? result.then(answer => {
                    check();
                    return answer;
                  })
                : result;
            };
          },
        });
      const engine = guarded(await open());
      const { model } = engine;
      return new Proxy(engine, {
        get: (target, name) =>
          name === 'model'
            ? async (...args: Parameters<Engine['model']>): Promise<Model> => guarded(await model(...args))
            : Reflect.get(target, name),
      });
    },
    lose() {
      last.lost = true;
    },
    get opened() {
      return opened;
    },
  };
}

/** Engines of a variant: a GPU engine loses its device, others simulate a loss. */
export const losableEngines = (variant: EngineVariant, options: GpuOptions = {}): LosableEngines =>
  variant.gpu ? losableGpus({ ...variant.gpu, ...options }) : losableWithoutDevice(variant);
