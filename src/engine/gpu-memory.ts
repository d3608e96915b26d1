import { InputError } from '../base/errors.ts';
import { endsOf } from '../base/parameters.ts';
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
import type { MemoryGradients, MemoryKind, MemoryLayer, MemoryShape } from './engine.ts';
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
  const buffers = memoryBuffers(gpu, kind, B, T, M);
  const N = B * T * endsOf(kind);
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
      const [read] = await gpu.read([{ buffer: buffers.read, bytes: N * M * 4 }]);
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
        { buffer: buffers.dPush, bytes: N * 4 },
        { buffer: buffers.dPop, bytes: N * 4 },
        { buffer: buffers.dValue, bytes: N * M * 4 },
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
        { buffer: buffers.slots, bytes: N * 8 },
        { buffer: buffers.log, bytes: N * 16 },
      ]);
      return allStrengths(
        { kind, form: kernels.form, B, T },
        new Uint32Array(slots),
        new Uint32Array(log),
      )[0];
    },

    destroy(): void {
      if (!life.end()) return;
      for (const buffer of Object.values(buffers) as GPUBuffer[]) buffer.destroy();
    },
  };
}

/** How the slots and logs of a batch lie in their buffers. */
export interface StatesLayout {
  kind: MemoryKind;
  form: MemoryForm['form'];
  B: number;
  T: number;
  /** Memories side by side. */
  memories?: number;
}

/** [memory][B][length][rows] strengths from the slots and logs of all sequences, laid out as the kernel's form has them. */
export function allStrengths(
  { kind, form, B, T, memories = 1 }: StatesLayout,
  slots: Uint32Array,
  log: Uint32Array,
  lengths?: ArrayLike<number>,
): Float32Array[][][] {
  const n = T * endsOf(kind);
  const own = (all: Uint32Array, words: number, k: number, b: number): Uint32Array => {
    const block = b * memories + k;
    if (form === 'block') return all.subarray(block * n * words, (block + 1) * n * words);
    const one = new Uint32Array(n * words);
    for (let i = 0; i < n; i++) {
      const at = ((k * n + i) * B + b) * words;
      one.set(all.subarray(at, at + words), i * words);
    }
    return one;
  };
  return Array.from({ length: memories }, (_, k) =>
    Array.from({ length: B }, (_, b) =>
      rewindStrengths(kind, own(slots, 2, k, b), own(log, 4, k, b), lengths?.[b] ?? T),
    ),
  );
}
