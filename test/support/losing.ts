import { findAdapter, release } from '../../src/cli/adapter.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createGpuEngine, type GpuOptions } from '../../src/engine/gpu.ts';
import { requestDevice } from '../../src/gpu/device.ts';

/** Engines on this machine's adapter whose devices can be taken away, as a driver that fails does. */
export class LosingEngines {
  #device: GPUDevice | undefined;
  readonly #options: GpuOptions;
  opened = 0;

  constructor(options: GpuOptions = {}) {
    this.#options = options;
  }

  readonly open = async (): Promise<Engine> => {
    const { found } = await findAdapter({ checked: true });
    if (!found) throw new Error('no adapter to test with.');
    const device = await requestDevice(found.adapter);
    this.#device = device;
    this.opened++;
    const engine = await createGpuEngine(device, found.description, this.#options);
    const destroy = engine.destroy.bind(engine);
    return {
      ...engine,
      destroy() {
        destroy();
        release(found.gpu);
      },
    };
  };

  /** The engine is not asked: to it the device is lost. */
  lose(): void {
    this.#device?.destroy();
  }
}
