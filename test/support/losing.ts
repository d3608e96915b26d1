import type { Engine } from '../../src/engine/engine.ts';
import { createGpuEngine, type GpuOptions } from '../../src/engine/gpu.ts';
import { requestDevice } from '../../src/gpu/device.ts';
import { findAdapter, release } from '../../src/platform/node/adapter.ts';

/** Engines on this machine's adapter whose devices can be taken away, as a driver that fails does. */
export class LosingEngines {
  #device: GPUDevice | undefined;
  readonly #options: GpuOptions;
  readonly #checked: boolean;
  opened = 0;

  /** @param checked with bounds checks, where the adapter is a software one */
  constructor(options: GpuOptions = {}, checked = true) {
    this.#options = options;
    this.#checked = checked;
  }

  readonly open = async (): Promise<Engine> => {
    const { found } = await findAdapter({ checked: this.#checked });
    if (!found) throw new Error('no WebGPU adapter: there is no device to lose.');
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
