/** Engines on a WebGPU device of your own, with types that any version of TypeScript reads. */
import type { AdapterDescription, Engine } from './engine/engine.ts';
import { createGpuEngine as createEngine } from './engine/gpu.ts';
import { requestDevice as request } from './gpu/device.ts';
import type { PlanName } from './kernels/plan-names.ts';
import type { TuningStore } from './kernels/tuning-store.ts';
import type { Adapter, Device } from './platform/webgpu.ts';

export interface GpuOptions {
  /** How the kernels lay out a model, the same numbers either way; `auto`: by size and measurement. */
  plan?: PlanName;
  /** Keeps what was measured on the adapter. */
  tunings?: TuningStore;
  /** What the kernels of a model may take to be compiled and run once, in seconds; by default 60, and 180 in software. */
  compileSeconds?: number;
}

/** A device of this adapter with all that the kernels can use. @throws DeviceError where it is too small */
export function requestDevice(adapter: Adapter): Promise<Device> {
  return request(adapter);
}

/** The kernels as an engine. It owns the device from here on. @param adapter what describe() returns */
export function createGpuEngine(
  device: Device,
  adapter: AdapterDescription,
  options?: GpuOptions,
): Promise<Engine> {
  return createEngine(device, adapter, options);
}
