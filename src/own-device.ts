/**
 * Engines on a WebGPU device that the caller opened. The declarations also compile in programs without WebGPU types:
 * see src/engine/webgpu.ts.
 */
import type { AdapterDescription, Engine } from './engine/engine.ts';
import { createGpuEngine as createEngine } from './engine/gpu.ts';
import { requestDevice as request } from './gpu/device.ts';
import type { PlanName } from './kernels/plan-names.ts';
import type { TuningStore } from './kernels/tuning-store.ts';
import type { Adapter, Device } from './platform/webgpu.ts';

export interface GpuOptions {
  /**
   * Plan of the kernels: how they divide a model into dispatches. `auto` (default) chooses by device and model size.
   */
  plan?: PlanName;
  /** Stores measurements of the adapter, so that they are not repeated for later models. */
  tunings?: TuningStore;
  /**
   * Time limit for compiling the kernels of a model and running them once, in seconds. Default: 60 on a GPU, 180 on a
   * software adapter.
   */
  compileSeconds?: number;
}

/**
 * Requests a device from this adapter, with the optional features and the limits that the kernels can use.
 * @throws the error of the browser or of Dawn if the adapter gives no device
 */
export function requestDevice(adapter: Adapter): Promise<Device> {
  return request(adapter);
}

/**
 * Opens an engine on this device. The engine owns the device from then on: its destroy() destroys the device.
 * @param adapter the description that describe() returns
 * @throws InputError if `compileSeconds` is not a valid limit
 * @throws DeviceError if the device does not compile its first kernels in time, or fails
 */
export function createGpuEngine(
  device: Device,
  adapter: AdapterDescription,
  options?: GpuOptions,
): Promise<Engine> {
  return createEngine(device, adapter, options);
}
