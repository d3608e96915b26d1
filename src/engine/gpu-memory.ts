import { InputError } from '../base/errors.ts';
import { gradientName, memoryKind } from '../base/memories.ts';
import type { Gpu } from '../gpu/device.ts';
import type { DeviceProfile, MemoryForm } from '../gpu/profile.ts';
import { cellsOf, type OpenMemory, streamingMemory } from '../kernels/memory.ts';
import { SliceSteps, type StepWeight, weightOfRows } from '../kernels/slices.ts';
import { MOST_PUSHED, timeMemory } from '../kernels/time-memory.ts';
import { type Walks, walksOf } from '../kernels/walks.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape } from './engine.ts';
import { Life } from './life.ts';
import { Submissions } from './submissions.ts';

/** `time`: parallel over time too; otherwise step after step, in one of the kernel's forms. */
export type LayerForm = MemoryForm | 'time';

/** The kernels of a memory, in the form that suits device and shape, or a forced one. A deque has no form over time. */
export function openMemory(
  gpu: Gpu,
  shape: MemoryShape,
  form: LayerForm = overTime(gpu.profile, shape) ? 'time' : gpu.profile.memory,
): Promise<OpenMemory> {
  const { kind, B, T, M, depth } = shape;
  return form === 'time' && (kind === 'stack' || kind === 'queue')
    ? timeMemory(gpu, kind, B, T, M)
    : streamingMemory(gpu, kind, B, T, M, form === 'time' ? gpu.profile.memory : form, depth);
}

/** A form of the kernels, or a number of time steps of a slice, that is forced: for tests and benchmarks. */
export interface LayerOptions {
  form?: LayerForm;
  sliceSteps?: number;
}

/** The memory kernels as a layer of their own. */
export async function gpuMemory(
  gpu: Gpu,
  given: MemoryShape,
  life = new Life('memory'),
  options: LayerOptions = {},
): Promise<MemoryLayer> {
  checkMemoryShape(given);
  const shape = { ...given };
  const { kind, B, T, M } = shape;
  const { queue } = gpu.device;
  const { ends, controls } = memoryKind(kind);
  const N = B * T * ends;
  const gradients = [...controls.map(({ name }) => gradientName(name)), 'dValue'];
  const submissions = new Submissions(gpu, life);
  const newSlices = () => new SliceSteps(PRODUCTS * M * ends, options.sliceSteps);
  const slices = { forward: newSlices(), backward: newSlices() };
  let memory = await openMemory(gpu, shape, options.form);
  // Where the backward pass uses up what the forward pass left, whatever needs that again runs the forward pass again.
  let state: 'empty' | 'ready' | 'used' = 'empty';

  let weight: StepWeight | undefined;

  const write = (arrays: Record<string, Float32Array>): void => {
    for (const [name, numbers] of Object.entries(arrays)) {
      const { buffer, offset } = memory.io[name];
      queue.writeBuffer(buffer, offset, numbers as Float32Array<ArrayBuffer>);
    }
  };
  /** A promise where it takes several submissions. */
  const run = (way: 'forward' | 'backward'): Promise<undefined> | undefined => {
    const parts = memory[way](slices[way].steps(B), weight);
    const pieces = parts.map(record => () => gpu.submit(`memory ${way}`, record));
    return submissions.submit(pieces, slices[way], { T, B, ways: 1 });
  };
  const runForward = (): Promise<undefined> | undefined => {
    state = 'ready';
    return run('forward');
  };
  /** What is written to the device later must not see what the caller writes to his arrays meanwhile. */
  const kept = (numbers: Float32Array, later: boolean): Float32Array =>
    later || submissions.busy ? numbers.slice() : numbers;
  /** To be asked in turn. */
  const needForward = (): Promise<undefined> | undefined => {
    if (state === 'empty')
      throw new InputError('the memory has nothing to go back over: call forward first.');
    return state === 'used' ? runForward() : undefined;
  };

  return {
    shape,
    get bytes(): number {
      return memory.bytes;
    },

    async forward(...given: Float32Array[]): Promise<Float32Array> {
      life.check();
      const named = checkMemoryInputs(shape, given);
      const most = gpu.profile.overTime.walk.all / cellsOf(M).cells;
      const overTime = memory.form === 'time';
      const { push, pop } = named;
      const walks = T > SHORT ? walksOf(kind, push, pop, B, T, overTime ? most : 0) : undefined;
      const unfit = overTime && !fitsTime(gpu.profile, shape, push, walks);
      const inputs = Object.fromEntries(
        Object.entries(named).map(([name, numbers]) => [name, kept(numbers, unfit)]),
      );
      const made = await submissions.inTurn(async () => {
        if (memory.form === 'time' && unfit) {
          const other = await openMemory(gpu, shape, gpu.profile.memory);
          memory.destroy();
          memory = other;
          if (life.over) other.destroy();
          life.check();
        }
        write(inputs);
        weight = walks && (t => weightOfRows(walks.perStep[t]));
        const cut = runForward();
        if (cut) await cut;
        return { read: gpu.read([{ ...memory.io['read'], bytes: N * M * 4 }]) };
      });
      const [read] = await made.read;
      return new Float32Array(read);
    },

    async backward(dRead: Float32Array): Promise<MemoryGradients> {
      life.check();
      checkReadGradient(shape, dRead);
      const inputs = { dRead: kept(dRead, state === 'used') };
      const made = await submissions.inTurn(async () => {
        const again = needForward();
        if (again) await again;
        write(inputs);
        if (memory.rewinds) state = 'used';
        const cut = run('backward');
        if (cut) await cut;
        const parts = gradients.map(name => ({
          ...memory.io[name],
          bytes: N * 4 * (name === 'dValue' ? M : 1),
        }));
        return { read: gpu.read(parts) };
      });
      const read = await made.read;
      return Object.fromEntries(
        gradients.map((name, k) => [name, new Float32Array(read[k])]),
      ) as MemoryGradients;
    },

    async strengths(): Promise<Float32Array[][]> {
      life.check();
      const made = await submissions.inTurn(async () => {
        const again = needForward();
        if (again) await again;
        return { strengths: memory.strengths() };
      });
      return made.strengths;
    },

    destroy(): void {
      if (life.end()) memory.destroy();
    },
  };
}

/** Products that a step takes for each number of a row, about, with the walk over its rows. */
const PRODUCTS = 100;

/** Whether so few, so long sequences are faster parallel over time, which does some thirty times the work. */
const overTime = ({ overTime: { chosen } }: DeviceProfile, { kind, B, T }: MemoryShape): boolean =>
  (kind === 'stack' || kind === 'queue') && B <= chosen.sequences && T >= chosen.steps;

/** Up to so many steps even walks over all rows are short. */
const SHORT = 256;

/** Whether these inputs can be computed parallel over time: by what is pushed, and by how far the kernels walk. */
function fitsTime(
  { overTime: { walk } }: DeviceProfile,
  { T, M }: MemoryShape,
  push: Float32Array,
  walks: Walks | undefined,
): boolean {
  if (mostPushed(push, T) >= MOST_PUSHED) return false;
  if (!walks) return true;
  const { cells } = cellsOf(M);
  // Rows that one step reads, and steps that read one row.
  const one = walks.perStep.reduce((most, rows) => Math.max(most, rows), walks.perRow);
  return one * cells <= walk.one && walks.total * cells <= walk.all;
}

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
