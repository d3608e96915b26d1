import { DeviceError, messageOf } from '../../base/errors.ts';
import { NoAdapter, openingOn, type Platform } from '../engines.ts';
import { findAdapter, release, searchText } from './adapter.ts';
import { nodeThreads } from './threads.ts';
import { tuningFile } from './tunings.ts';

const NODE: Platform = {
  threads: nodeThreads,

  advice:
    process.platform === 'linux'
      ? 'Install a driver for your GPU (and libvulkan1), or a software driver: Mesa 24 or newer ' +
        '(mesa-vulkan-drivers), Chrome, or `npm install @sparticuz/chromium tar-fs`.'
      : 'Update the driver of your GPU, or use --engine cpu.',

  async openGpu(plan, software, unsafe, compileSeconds) {
    const search = await findAdapter({ only: software ? undefined : 'gpu', checked: !unsafe });
    const { found } = search;
    if (!found && !software)
      throw new NoAdapter(
        'no GPU found; --engine gpu runs the WGSL kernels on a software adapter, if there is one',
      );
    if (!found) throw new NoAdapter(`no WebGPU adapter: ${searchText(search)}`);
    const { description } = found;
    try {
      const { requestDevice } = await import('../../gpu/device.ts');
      const { createGpuEngine } = await import('../../engine/gpu.ts');
      const tunings = tuningFile(`${description.name}; ${description.reason}`);
      const engine = await createGpuEngine(await requestDevice(found.adapter), description, {
        plan,
        compileSeconds,
        tunings,
      });
      const destroy = engine.destroy.bind(engine);
      engine.destroy = () => {
        destroy();
        release(found.gpu);
      };
      return engine;
    } catch (error) {
      release(found.gpu);
      throw new DeviceError(`${description.name} failed: ${messageOf(error)}`);
    }
  },
};

const opening = openingOn(() => NODE);

/**
 * Opens an engine in Node: WebGPU on a GPU, else WebAssembly SIMD, else the float64 reference. See
 * {@link Opening.openEngine}.
 * @function
 */
export const openEngine = opening.openEngine;

/**
 * Opens an engine in Node and runs `work` on it. With `auto`, if an engine fails during `work`, the next one is tried.
 * See {@link Opening.openEngineWith}.
 * @function
 */
export const openEngineWith = opening.openEngineWith;

/**
 * For a Trainer's `reopen`: opens an engine of the same kind after a device was lost. See {@link Opening.reopening}.
 * @function
 */
export const reopening = opening.reopening;
