import { InputError } from '../base/errors.ts';
import type { Gpu } from '../gpu/device.ts';
import {
  bindMemory,
  chooseForm,
  type MemoryForm,
  memoryBuffers,
  memoryKernels,
  recordMemoryBackward,
  recordMemoryForward,
  rewindStrengths,
} from '../kernels/memory.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import { Life } from './life.ts';

/** The memory kernel as a layer of its own. `form` forces one of its forms, for tests and benchmarks. */
export async function gpuMemory(
  gpu: Gpu,
  given: MemoryShape,
  life = new Life('memory'),
  form?: MemoryForm,
): Promise<MemoryLayer> {
  checkMemoryShape(given);
  const shape = { ...given };
  const { kind, B, T, M } = shape;
  const { queue } = gpu.device;
  const kernels = await memoryKernels(gpu, kind, M, form ?? chooseForm(gpu));
  const buffers = memoryBuffers(gpu, B, T, M);
  const passes = bindMemory(gpu, kernels, buffers, B);
  // The backward pass rewinds the slots, so whatever needs them again runs the forward pass again first.
  let state: 'empty' | 'ready' | 'rewound' = 'empty';
  const runForward = (): void => {
    gpu.submit('memory forward', encoder => recordMemoryForward(encoder, passes, buffers));
    state = 'ready';
  };
  const needForward = (): void => {
    if (state === 'empty')
      throw new InputError('the memory has nothing to go back over: call forward first.');
    if (state === 'rewound') runForward();
  };

  return {
    shape,
    async forward(push: Float32Array, pop: Float32Array, value: Float32Array): Promise<Float32Array> {
      life.check();
      checkMemoryInputs(shape, push, pop, value);
      queue.writeBuffer(buffers.push, 0, push as Float32Array<ArrayBuffer>);
      queue.writeBuffer(buffers.pop, 0, pop as Float32Array<ArrayBuffer>);
      queue.writeBuffer(buffers.value, 0, value as Float32Array<ArrayBuffer>);
      runForward();
      const [read] = await gpu.read([{ buffer: buffers.read, bytes: B * T * M * 4 }]);
      return new Float32Array(read);
    },

    async backward(dRead: Float32Array): Promise<MemoryGradients> {
      life.check();
      checkReadGradient(shape, dRead);
      needForward();
      queue.writeBuffer(buffers.dRead, 0, dRead as Float32Array<ArrayBuffer>);
      gpu.submit('memory backward', encoder => recordMemoryBackward(encoder, passes, buffers));
      state = 'rewound';
      const [dPush, dPop, dValue] = await gpu.read([
        { buffer: buffers.dPush, bytes: B * T * 4 },
        { buffer: buffers.dPop, bytes: B * T * 4 },
        { buffer: buffers.dValue, bytes: B * T * M * 4 },
      ]);
      return {
        dPush: new Float32Array(dPush),
        dPop: new Float32Array(dPop),
        dValue: new Float32Array(dValue),
      };
    },

    async strengths(): Promise<Float32Array[][]> {
      life.check();
      needForward();
      const [slots, log] = await gpu.read([
        { buffer: buffers.slots, bytes: B * T * 8 },
        { buffer: buffers.log, bytes: B * T * 16 },
      ]);
      return allStrengths(new Uint32Array(slots), new Uint32Array(log), kernels.form, B, T);
    },

    destroy(): void {
      if (!life.end()) return;
      for (const buffer of Object.values(buffers) as GPUBuffer[]) buffer.destroy();
    },
  };
}

/** [B][T][t+1] strengths from the slots and logs of all sequences, laid out as the kernel's form has them. */
export function allStrengths(
  slots: Uint32Array,
  log: Uint32Array,
  form: MemoryForm['form'],
  B: number,
  T: number,
  lengths?: ArrayLike<number>,
): Float32Array[][] {
  return Array.from({ length: B }, (_, b) => {
    const own = (all: Uint32Array, words: number): Uint32Array => {
      if (form === 'block') return all.subarray(b * T * words, (b + 1) * T * words);
      const one = new Uint32Array(T * words);
      for (let t = 0; t < T; t++)
        one.set(all.subarray((t * B + b) * words, (t * B + b + 1) * words), t * words);
      return one;
    };
    return rewindStrengths(own(slots, 2), own(log, 4), lengths?.[b] ?? T);
  });
}
