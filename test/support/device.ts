import type { AdapterDescription, Engine } from '../../src/engine/engine.ts';
import { createGpuEngine, type GpuOptions } from '../../src/engine/gpu.ts';
import { Gpu, requestDevice } from '../../src/gpu/device.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';

/** A device of the best adapter of this machine, and what it is. */
export async function openDevice(): Promise<{ device: GPUDevice; description: AdapterDescription }> {
  const { found, tried } = await findAdapter({ checked: true });
  if (!found) {
    throw new Error(
      `no WebGPU adapter for the parity tests: ${tried.map(t => `${t.what}: ${t.outcome}`).join('; ')}`,
    );
  }
  return { device: await requestDevice(found.adapter), description: found.description };
}

/** The best WebGPU device of this machine. Throws where there is none: parity is never skipped. */
export async function openGpu(): Promise<Gpu> {
  const { device, description } = await openDevice();
  return new Gpu(device, description.kind === 'software');
}

/** The GPU engine on it, in the form it chooses or a forced one. */
export async function openGpuEngine(options?: GpuOptions): Promise<Engine> {
  const { device, description } = await openDevice();
  return createGpuEngine(device, description, options);
}
