import { InputError } from '../base/errors.ts';
import { endsOf } from '../base/parameters.ts';
import type { Gpu } from '../gpu/device.ts';
import { chooseForm, type MemoryForm, type OpenMemory, streamingMemory } from '../kernels/memory.ts';
import { MOST_PUSHED, timeMemory } from '../kernels/time-memory.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import { Life } from './life.ts';

/** `time`: parallel over time too; otherwise step after step, in one of the kernel's forms. */
export type LayerForm = MemoryForm | 'time';

/** The kernels of a memory, in the form that suits device and shape, or a forced one. A deque has no form over time. */
export function openMemory(
  gpu: Gpu,
  shape: MemoryShape,
  form: LayerForm = overTime(gpu, shape) ? 'time' : chooseForm(gpu),
): Promise<OpenMemory> {
  const { kind, B, T, M } = shape;
  return form === 'time' && kind !== 'deque'
    ? timeMemory(gpu, kind, B, T, M)
    : streamingMemory(gpu, kind, B, T, M, form === 'time' ? chooseForm(gpu) : form);
}

/** The memory kernels as a layer of their own. `forced` is one of their forms, for tests and benchmarks. */
export async function gpuMemory(
  gpu: Gpu,
  given: MemoryShape,
  life = new Life('memory'),
  forced?: LayerForm,
): Promise<MemoryLayer> {
  checkMemoryShape(given);
  const shape = { ...given };
  const { kind, B, T, M } = shape;
  const { queue } = gpu.device;
  const N = B * T * endsOf(kind);
  let memory = await openMemory(gpu, shape, forced);
  // Where the backward pass uses up what the forward pass left, whatever needs that again runs the forward pass again.
  let state: 'empty' | 'ready' | 'used' = 'empty';
  const runForward = (): void => {
    gpu.submit('memory forward', encoder => memory.recordForward(encoder));
    state = 'ready';
  };
  const needForward = (): void => {
    if (state === 'empty')
      throw new InputError('the memory has nothing to go back over: call forward first.');
    if (state === 'used') runForward();
  };

  return {
    shape,
    async forward(push: Float32Array, pop: Float32Array, value: Float32Array): Promise<Float32Array> {
      life.check();
      checkMemoryInputs(shape, push, pop, value);
      if (memory.form === 'time' && mostPushed(push, T) >= MOST_PUSHED) {
        memory.destroy();
        memory = await openMemory(gpu, shape, chooseForm(gpu));
      }
      const { io } = memory;
      queue.writeBuffer(io.push, 0, push as Float32Array<ArrayBuffer>);
      queue.writeBuffer(io.pop, 0, pop as Float32Array<ArrayBuffer>);
      queue.writeBuffer(io.value, 0, value as Float32Array<ArrayBuffer>);
      runForward();
      const [read] = await gpu.read([{ buffer: io.read, bytes: N * M * 4 }]);
      return new Float32Array(read);
    },

    async backward(dRead: Float32Array): Promise<MemoryGradients> {
      life.check();
      checkReadGradient(shape, dRead);
      needForward();
      const { io } = memory;
      queue.writeBuffer(io.dRead, 0, dRead as Float32Array<ArrayBuffer>);
      gpu.submit('memory backward', encoder => memory.recordBackward(encoder));
      if (memory.rewinds) state = 'used';
      const [dPush, dPop, dValue] = await gpu.read([
        { buffer: io.dPush, bytes: N * 4 },
        { buffer: io.dPop, bytes: N * 4 },
        { buffer: io.dValue, bytes: N * M * 4 },
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
      return memory.strengths();
    },

    destroy(): void {
      if (life.end()) memory.destroy();
    },
  };
}

/**
 * Whether so few, so long sequences are faster parallel over time, which does some thirty times the work. A software
 * adapter never has that many invocations at once to spare (measured: bench/lab/over-time.ts); for GPUs it is a
 * guess, a workgroup per sequence leaving most of one idle.
 */
const overTime = (gpu: Gpu, { kind, B, T }: MemoryShape): boolean =>
  !gpu.software && kind !== 'deque' && B <= 16 && T >= 256;

/** The most that is pushed to one of the sequences [B,T]. */
function mostPushed(push: Float32Array, T: number): number {
  let most = 0;
  for (let first = 0; first < push.length; first += T) {
    let sum = 0;
    for (let t = 0; t < T; t++) sum += push[first + t];
    most = Math.max(most, sum);
  }
  return most;
}
