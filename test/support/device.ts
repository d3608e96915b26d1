import type { AdapterDescription, Engine } from '../../src/engine/engine.ts';
import { type GpuOptions, gpuEngineOn } from '../../src/engine/gpu.ts';
import { Gpu, requestDevice } from '../../src/gpu/device.ts';
import { findAdapter, release, searchWords } from '../../src/platform/node/adapter.ts';

/** A device of the best adapter of this machine, and what it is. @param checked with bounds checks, where it is software */
export async function openDevice(
  checked = true,
): Promise<{ device: GPUDevice; description: AdapterDescription; close(): void }> {
  const search = await findAdapter({ checked });
  const { found } = search;
  if (!found) throw new Error(`no WebGPU adapter for the parity tests: ${searchWords(search)}`);
  const device = await requestDevice(found.adapter);
  return { device, description: found.description, close: () => release(found.gpu) };
}

/** The best WebGPU device of this machine. Throws where there is none: parity is never skipped. */
export async function openGpu(): Promise<Gpu> {
  const { device, description } = await openDevice();
  return new Gpu(device, description.kind === 'software');
}

/** The GPU engine on it, in the form it chooses or a forced one. */
export async function openGpuEngine(options?: GpuOptions): Promise<Engine> {
  const { device, description } = await openDevice();
  return gpuEngineOn(new Gpu(device, description.kind === 'software'), description, options);
}

/** Engines in several forms on one device, on which every kernel is compiled once. The device ends with any of them. */
export async function openGpuEngines(): Promise<{ gpu: Gpu; on(options?: GpuOptions): Engine }> {
  const { device, description } = await openDevice();
  const gpu = new Gpu(device, description.kind === 'software');
  return { gpu, on: options => gpuEngineOn(gpu, description, options) };
}
