/** A WebGPU device of the program's own, where it has types of WebGPU: the package's are these. */
import { createGpuEngine, describe, type Engine, requestDevice } from 'pushdown';
import { findAdapter } from 'pushdown/browser';
import { findAdapter as findInNode } from 'pushdown/node';

const { adapter } = await findAdapter();
const same: GPUAdapter = adapter;
const device: GPUDevice = await requestDevice(same);
export const largest: number = device.limits.maxBufferSize;
export const engine: Engine = await createGpuEngine(device, describe(same), { plan: 'fused' });
export const gpu: GPU | undefined = (await findInNode()).found?.gpu;
// @ts-expect-error It is no device.
await createGpuEngine({}, describe(same));
