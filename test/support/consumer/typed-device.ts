/** A user's program with its own device and WebGPU's types, which the package's types must match; it never runs. */
import { createGpuEngine, describe, type Engine, requestDevice, type StepRecorder } from 'pushdown';
import { findAdapter } from 'pushdown/browser';
import { findAdapter as findInNode } from 'pushdown/node';

const { adapter } = await findAdapter();
const same: GPUAdapter = adapter;
const device: GPUDevice = await requestDevice(same);
export const largest: number = device.limits.maxBufferSize;
export const engine: Engine = await createGpuEngine(device, describe(same), { plan: 'fused' });
export const gpu: GPU | undefined = (await findInNode()).found?.gpu;
const memory = await engine.memory({ kind: 'queue', B: 1, T: 2, M: 1 });
const recorder: StepRecorder = await memory.recordSteps();
const buffer: GPUBuffer = device.createBuffer({ size: 16, usage: 12 });
const encoder: GPUCommandEncoder = device.createCommandEncoder();
recorder.step(encoder, { push: buffer, pop: { buffer, offset: 4 }, value: buffer, read: buffer });
// @ts-expect-error A device is not an encoder.
recorder.step(device, { push: buffer });
// @ts-expect-error An empty object is not a device.
await createGpuEngine({}, describe(same));
