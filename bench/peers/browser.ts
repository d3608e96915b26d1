/** Peers in a page that Vite serves. If bench/peers is not installed, this module does not load. */
import { DeviceError } from '../../src/base/errors.ts';
import type { PeerSource } from './index.ts';
import type { JaxJs } from './jax.ts';
import type { Tf } from './tfjs.ts';

/**
 * @param device name of the adapter, which every library requests from the browser
 * @param software whether it is a software adapter
 */
export const browserSource = (device: string, software = false): PeerSource => ({
  backend: 'webgpu',
  device,
  software,
  async tfjs(): Promise<Tf> {
    const tf = (await import('@tensorflow/tfjs-core')) as Tf;
    await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    await import('@tensorflow/tfjs-backend-webgpu');
    return tf;
  },
  jax: async () => (await import('@jax-js/jax')) as JaxJs,
  torch: async () => {
    throw new DeviceError('a browser cannot run Python: use npm run bench');
  },
  release: () => undefined,
});
