/**
 * A stack between your own GPU buffers, on your own WebGPU device. The commands of the memory are recorded into your encoder,
 * and no data passes through the host. Here, a copy on the device makes the read of each step the value of the next step.
 *
 *   node examples/on-device.js
 */
import { createGpuEngine, describe, requestDevice } from 'pushdown';
import { findAdapter } from 'pushdown/node'; // in a page: navigator.gpu.requestAdapter(), or findAdapter of 'pushdown/browser'

const { found, tried } = await findAdapter();
if (!found)
  throw new Error(`no WebGPU adapter: ${tried.map(({ what, outcome }) => `${what}: ${outcome}`).join('; ')}`);
const device = await requestDevice(found.adapter);
const engine = await createGpuEngine(device, describe(found.adapter)); // engine.destroy() also destroys the device
const [B, T, M] = [2, 3, 4]; // sequences, time steps, numbers in a row
const stack = await engine.memory({ kind: 'stack', B, T, M });
const recorder = await stack.recordSteps();

const { COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
/** Creates a buffer of float32 numbers. The memory needs COPY_SRC on its inputs and COPY_DST on its outputs. */
function make(numbers, usage = COPY_SRC | COPY_DST) {
  const buffer = device.createBuffer({ size: 4 * numbers.length, usage });
  if (usage & COPY_SRC) device.queue.writeBuffer(buffer, 0, Float32Array.from(numbers));
  return buffer;
}
const [push, pop] = [make([0.5, 0.25]), make([0, 0])]; // [B]
const value = make(Array.from({ length: B * M }, (_, i) => i)); // [B,M]
const [read, dRead] = [make(new Array(B * M).fill(0)), make(new Array(B * M).fill(1))];
const gradients = { dPush: make([0, 0]), dPop: make([0, 0]), dValue: make(new Array(B * M).fill(0)) };

const encoder = device.createCommandEncoder();
for (let t = 0; t < T; t++) {
  recorder.step(encoder, { push, pop, value, read });
  encoder.copyBufferToBuffer(read, 0, value, 0, 4 * B * M);
}
// The loss is the sum of the last read. The gradient of an earlier read is that of the value that it became.
for (let t = T - 1; t >= 0; t--) {
  recorder.stepBackward(encoder, { dRead, ...gradients });
  encoder.copyBufferToBuffer(gradients.dValue, 0, dRead, 0, 4 * B * M);
}

// Copied to the host for printing: the last read [B,M], and dPush [B] of the first step.
const shown = make(new Array(B * M + B).fill(0), MAP_READ | COPY_DST);
encoder.copyBufferToBuffer(read, 0, shown, 0, 4 * B * M);
encoder.copyBufferToBuffer(gradients.dPush, 0, shown, 4 * B * M, 4 * B);
device.queue.submit([encoder.finish()]);
await shown.mapAsync(GPUMapMode.READ);
const numbers = [...new Float32Array(shown.getMappedRange())].map(x => x.toFixed(3));
console.log(`read   ${numbers.slice(0, B * M).join(' ')}`);
console.log(`dPush  ${numbers.slice(B * M).join(' ')}`);
engine.destroy();
process.exit(0); // Dawn keeps a Node process alive
