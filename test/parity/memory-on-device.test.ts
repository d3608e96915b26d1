import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endsOf, gradientName, MEMORY_NAMES, memoryKind } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import type { DeviceArray, MemoryGradients, MemoryShape } from '../../src/engine/engine.ts';
import type { GpuOptions } from '../../src/engine/gpu.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { openEngine } from '../../src/platform/node/engine.ts';
import { openGpuEngines } from '../support/device.ts';
import { RANGES } from '../support/memory-parity.ts';

/**
 * Memories that are recorded into the caller's encoders, on the caller's buffers: they give
 * exactly the numbers of the calls that take arrays, which other tests compare with the reference.
 */

const FORMS: Record<string, GpuOptions> = {
  'as chosen': {},
  lane: { memory: { form: 'lane', size: 8, subgroups: false } },
  block: { memory: { form: 'block', size: 32, subgroups: false } },
  'parallel over time': { memory: 'time' },
};

let gpu: Gpu;
let on: Awaited<ReturnType<typeof openGpuEngines>>['on'];
beforeAll(async () => {
  ({ gpu, on } = await openGpuEngines());
});
afterAll(() => gpu.end());

const make = (numbers: Float32Array | number, usage: number): GPUBuffer => {
  const size = typeof numbers === 'number' ? 4 * numbers : numbers.byteLength;
  const buffer = gpu.device.createBuffer({ label: 'of the caller', size, usage });
  if (typeof numbers !== 'number')
    gpu.device.queue.writeBuffer(buffer, 0, numbers as Float32Array<ArrayBuffer>);
  return buffer;
};
const input = (numbers: Float32Array): GPUBuffer =>
  make(numbers, GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
/** The memory needs only COPY_DST for its outputs; this test also reads them. */
const output = (count: number): GPUBuffer => make(count, GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
const numbersOf = async (...buffers: GPUBuffer[]): Promise<Float32Array[]> => {
  const all = await gpu.read(buffers.map(buffer => ({ buffer, bytes: buffer.size })));
  return all.map(bytes => new Float32Array(bytes));
};

/** Random controls, value and dRead by name, for the given number of steps in all sequences. */
function inputsOf({ kind, M }: MemoryShape, rows: number, seed: number): Record<string, Float32Array> {
  const rng = new Rng(seed, rows, M);
  const N = rows * endsOf(kind);
  const numbers = (length: number, draw: () => number) => Float32Array.from({ length }, draw);
  return {
    ...Object.fromEntries(
      memoryKind(kind).controls.map(({ name }) => [name, numbers(N, () => RANGES.uniform(rng))]),
    ),
    value: numbers(N * M, () => 2 * rng.uniform() - 1),
    dRead: numbers(N * M, () => 2 * rng.uniform() - 1),
  };
}

const withoutDRead = <T>({ dRead: _, ...rest }: Record<string, T>): Record<string, T> => rest;
const outputsFor = (inputs: Record<string, Float32Array>): Record<string, GPUBuffer> =>
  Object.fromEntries(
    Object.entries(withoutDRead(inputs)).map(([name, { length }]) => [gradientName(name), output(length)]),
  );

describe.each(Object.entries(FORMS))('%s', (form, options) => {
  describe.each(
    MEMORY_NAMES.filter(kind => form !== 'parallel over time' || kind === 'stack' || kind === 'queue'),
  )('%s', kind => {
    const shape: MemoryShape = { kind, B: 5, T: 19, M: 6 };
    const { B, T, M } = shape;
    const rows = B * endsOf(kind);

    test('whole sequences', async () => {
      const memory = await on(options).memory(shape);
      const inputs = inputsOf(shape, B * T, 1);
      const read = await memory.forward(...Object.values(withoutDRead(inputs)));
      const gradients = await memory.backward(inputs.dRead);

      const recorder = await memory.recordSequences();
      const buffers = Object.fromEntries(Object.entries(inputs).map(([name, all]) => [name, input(all)]));
      const outputs = { read: output(read.length), ...outputsFor(inputs) };
      const again = outputsFor(inputs);
      const { dRead, ...forwardInputs } = buffers;
      // Both passes are recorded in one encoder. After the forward pass the inputs may be overwritten.
      const encoder = gpu.device.createCommandEncoder();
      const { read: readBuffer, ...gradientBuffers } = outputs;
      recorder.forward(encoder, { ...forwardInputs, read: readBuffer });
      for (const buffer of Object.values(forwardInputs)) encoder.clearBuffer(buffer);
      recorder.backward(encoder, { dRead, ...gradientBuffers });
      gpu.device.queue.submit([encoder.finish()]);
      // A second backward pass, in another encoder.
      const other = gpu.device.createCommandEncoder();
      recorder.backward(other, { dRead, ...again });
      gpu.device.queue.submit([other.finish()]);

      const [first, ...rest] = await numbersOf(...Object.values(outputs));
      expect(first).toEqual(read);
      const expected = Object.keys(gradientBuffers).map(name => gradients[name]);
      expect(rest).toEqual(expected);
      expect(await numbersOf(...Object.values(again))).toEqual(expected);
      memory.destroy();
    });

    test('single steps, each with the previous read as its value, without the host', async () => {
      const memory = await on(options).memory(shape);
      const recorder = await memory.recordSteps();
      const steps = Array.from({ length: T }, (_, t) => inputsOf(shape, B, t + 2));
      const expected: { read: Float32Array; gradients: MemoryGradients }[] = [];
      // The value of a step is the previous read, shifted by one number so that the steps differ.
      const shifted = (read: Float32Array) => Float32Array.from([...read.slice(1), 0]);
      let value = steps[0].value;
      for (const [t, inputs] of steps.entries()) {
        const controls = memoryKind(kind).controls.map(({ name }) => inputs[name]);
        const read = await memory.step(...controls, value);
        expected[t] = { read, gradients: {} as MemoryGradients };
        value = shifted(read);
      }
      for (let t = T - 1; t >= 0; t--) expected[t].gradients = await memory.stepBackward(steps[t].dRead);

      const valueBuffer = input(steps[0].value);
      const reads = steps.map(() => output(rows * M));
      const grads = steps.map(outputsFor);
      const stepInputs = steps.map(all =>
        Object.fromEntries(Object.entries(all).map(([name, numbers]) => [name, input(numbers)])),
      );
      // Twice, with the same recorder: the second sequence starts with an empty memory.
      for (let sequence = 0; sequence < 2; sequence++) {
        recorder.reset();
        gpu.device.queue.writeBuffer(valueBuffer, 0, steps[0].value as Float32Array<ArrayBuffer>);
        const encoder = gpu.device.createCommandEncoder();
        for (let t = 0; t < T; t++) {
          const { dRead: _, value: __, ...controls } = stepInputs[t];
          recorder.step(encoder, { ...controls, value: valueBuffer, read: reads[t] });
          encoder.clearBuffer(valueBuffer);
          encoder.copyBufferToBuffer(reads[t], 4, valueBuffer, 0, 4 * (rows * M - 1));
        }
        for (let t = T - 1; t >= 0; t--)
          recorder.stepBackward(encoder, { dRead: stepInputs[t].dRead, ...grads[t] });
        gpu.device.queue.submit([encoder.finish()]);
        expect(await numbersOf(...reads)).toEqual(expected.map(({ read }) => read));
        for (const [t, all] of grads.entries()) {
          const gradients = Object.keys(all).map(name => expected[t].gradients[name]);
          expect(await numbersOf(...Object.values(all)), `step ${t}`).toEqual(gradients);
        }
      }
      memory.destroy();
    });
  });
});

describe('one shared buffer, and unusable buffers', () => {
  const shape: MemoryShape = { kind: 'stack', B: 2, T: 3, M: 4 };
  const floats = (count: number) => Float32Array.from({ length: count }, (_, k) => ((k * 7) % 5) / 8);

  test('inputs and results may be at offsets in one buffer', async () => {
    const memory = await on().memory(shape);
    const recorder = await memory.recordSequences();
    const [push, pop, value] = [floats(6), floats(6), floats(24)];
    const buffer = input(Float32Array.from([9, ...push, ...pop, ...value, ...new Float32Array(24), 9]));
    const at = (index: number) => ({ buffer, offset: 4 * index });
    const encoder = gpu.device.createCommandEncoder();
    recorder.forward(encoder, { push: at(1), pop: at(7), value: at(13), read: at(37) });
    gpu.device.queue.submit([encoder.finish()]);
    const [all] = await numbersOf(buffer);
    expect(all.slice(37, 61)).toEqual(await memory.forward(push, pop, value));
    expect([all[0], all[61]]).toEqual([9, 9]);
    memory.destroy();
  });

  test('reports what is wrong with a buffer, and records nothing', async () => {
    const memory = await on().memory(shape);
    const bytesBefore = memory.bytes;
    const recorder = await memory.recordSequences();
    expect(recorder.bytes).toBeGreaterThan(0);
    // recordSequences() has freed the layer's own buffers: only those of the recorder count.
    expect(memory.bytes).toBe(recorder.bytes);
    expect(bytesBefore).toBe(recorder.bytes);
    const steps = await memory.recordSteps();
    const encoder = gpu.device.createCommandEncoder();
    const good: Record<string, DeviceArray> = {
      push: input(floats(6)),
      pop: input(floats(6)),
      value: input(floats(24)),
      read: output(24),
    };
    const fails = (change: Record<string, unknown>, message: RegExp) =>
      expect(() => recorder.forward(encoder, { ...good, ...change } as typeof good)).toThrow(
        expect.objectContaining({ name: 'InputError', message: expect.stringMatching(message) }),
      );
    fails(
      { push: undefined },
      /^forward\(\) needs push as a GPUBuffer, or \{ buffer, offset \}, of B·T float32/,
    );
    fails({ value: floats(24) }, /^forward\(\) needs value as a GPUBuffer/);
    fails({ push: input(floats(5)) }, /^push must have B·T = 6 numbers, 24 bytes, but its buffer has 20/);
    fails(
      { pop: { buffer: input(floats(6)), offset: 4 } },
      /^pop must have .* but its buffer has 20 bytes from offset 4/,
    );
    fails(
      { pop: { buffer: input(floats(8)), offset: 2 } },
      /^pop: its offset must be a multiple of 4 bytes, got 2/,
    );
    fails({ value: make(24, GPUBufferUsage.STORAGE) }, /^value needs a buffer .*GPUBufferUsage\.COPY_SRC/);
    fails({ read: make(24, GPUBufferUsage.COPY_SRC) }, /^read needs a buffer .*GPUBufferUsage\.COPY_DST/);
    fails({ pull: good.pop }, /^forward\(\) takes push, pop, value, read, got "?pull/);
    expect(() => recorder.forward({} as GPUCommandEncoder, good)).toThrow(
      /needs a GPUCommandEncoder as its first argument/,
    );
    expect(() => recorder.backward(encoder, { dRead: good.value })).toThrow(/^backward\(\) needs dPush/);
    const gradients = { dPush: output(6), dPop: output(6), dValue: output(24) };
    expect(() => recorder.backward(encoder, { dRead: good.value, ...gradients })).toThrow(
      /needs a forward pass: call forward\(\) of this recorder first/,
    );
    const step = { push: input(floats(2)), pop: input(floats(2)), value: input(floats(8)), read: output(8) };
    for (let t = 0; t < 3; t++) steps.step(encoder, step);
    expect(() => steps.step(encoder, step)).toThrow(/all T = 3 steps/);
    expect(() => steps.step(encoder, { ...step, value: input(floats(7)) })).toThrow(
      /^value must have B·M = 8/,
    );
    gpu.device.queue.submit([encoder.finish()]);
    // None of the mistakes caused an error of the device.
    await gpu.done();
    gpu.check();
    steps.destroy();
    expect(memory.bytes).toBe(recorder.bytes);
    memory.destroy();
    expect(() => recorder.forward(encoder, good)).toThrow(/was destroyed/);
  });

  test.each(['cpu', 'reference'] as const)('the engine %s has no device, and says so', async name => {
    const engine = await openEngine(name);
    const memory = await engine.memory(shape);
    await expect(memory.recordSequences()).rejects.toThrow(/has none: open the engine gpu/);
    await expect(memory.recordSteps()).rejects.toThrow(/^recordSteps\(\) records commands/);
    engine.destroy();
  });
});
