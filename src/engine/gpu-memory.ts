import { InputError } from '../base/errors.ts';
import { gradientName, type MemoryName, memoryKind } from '../base/memories.ts';
import type { Gpu } from '../gpu/device.ts';
import type { DeviceProfile, MemoryForm } from '../gpu/profile.ts';
import {
  cellsOf,
  type OpenMemory,
  type SteppedMemory,
  steppedMemory,
  streamingMemory,
} from '../kernels/memory.ts';
import { SliceSteps, type StepWeight, weightOfRows } from '../kernels/slices.ts';
import { MOST_PUSHED, timeMemory } from '../kernels/time-memory.ts';
import { type Walks, walksOf } from '../kernels/walks.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape, SequenceRecorder, StepRecorder } from './engine.ts';
import { sequenceRecorder, stepRecorder } from './gpu-recorder.ts';
import { Life } from './life.ts';
import { StepOrder } from './step-order.ts';
import { Submissions } from './submissions.ts';

/** `time`: parallel over time too; otherwise step after step, in one of the kernel's forms. */
export type LayerForm = MemoryForm | 'time';

/** The kinds that have a form over time. */
const canGoOverTime = (kind: MemoryName): kind is 'stack' | 'queue' => kind === 'stack' || kind === 'queue';

/** The form that suits device and shape. */
const formFor = ({ profile }: Gpu, shape: MemoryShape): LayerForm =>
  overTime(profile, shape) ? 'time' : profile.memory;

/** The kernels of a memory over whole sequences, in the form that suits, or a forced one. */
export function openMemory(gpu: Gpu, shape: MemoryShape, form = formFor(gpu, shape)): Promise<OpenMemory> {
  const { kind, B, T, M } = shape;
  return form === 'time' && canGoOverTime(kind)
    ? timeMemory(gpu, kind, B, T, M)
    : streamingMemory(gpu, shape, stepForm(gpu, form));
}

/** The form that goes through steps one after the other. */
const stepForm = (gpu: Gpu, form: LayerForm): MemoryForm => (form === 'time' ? gpu.profile.memory : form);

/** A form of the kernels, or a number of time steps of a slice, that is forced: for tests and benchmarks. */
export interface LayerOptions {
  form?: LayerForm;
  sliceSteps?: number;
}

/** The kernels that a layer holds: for whole sequences or for single steps, whichever was called last. */
type Held = { order: 'sequences'; memory: OpenMemory } | { order: 'steps'; memory: SteppedMemory };

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
  let form = options.form ?? formFor(gpu, shape);
  const first = await openMemory(gpu, shape, form);
  await runOnce(gpu, first);
  let held: Held | undefined = { order: 'sequences', memory: first };
  const order = new StepOrder(T);
  // Where the backward pass uses up what the forward pass left, whatever needs that again runs the forward pass again.
  let state: 'ready' | 'used' = 'ready';
  const recorders: (SequenceRecorder | StepRecorder)[] = [];

  let weight: StepWeight | undefined;

  /** Holds these kernels instead of those before. */
  const hold = (next: Held): void => {
    held?.memory.destroy();
    held = next;
    if (life.over) next.memory.destroy();
    life.check();
  };
  /** Opens kernels within a call, which counts as not made where that fails. */
  const open = async (next: () => Promise<Held>): Promise<void> => {
    try {
      hold(await next());
    } catch (error) {
      order.reset();
      throw error;
    }
  };
  const openSequences = (): Promise<void> =>
    open(async () => ({ order: 'sequences', memory: await openMemory(gpu, shape, form) }));
  const openSteps = (): Promise<void> =>
    open(async () => ({ order: 'steps', memory: await steppedMemory(gpu, shape, stepForm(gpu, form)) }));
  /** Where an earlier call of the same kind has opened them. */
  const sequences = (): OpenMemory => (held as { memory: OpenMemory }).memory;
  const steps = (): SteppedMemory => (held as { memory: SteppedMemory }).memory;

  const write = (io: OpenMemory['io'], arrays: Record<string, Float32Array>): void => {
    for (const [name, numbers] of Object.entries(arrays)) {
      const { buffer, offset } = io[name];
      queue.writeBuffer(buffer, offset, numbers as Float32Array<ArrayBuffer>);
    }
  };
  /** Copies of results, of N numbers for each control and N·M in rows. */
  const readBack = (io: OpenMemory['io'], names: readonly string[], N: number): Promise<ArrayBuffer[]> =>
    gpu.read(
      names.map(name => ({ ...io[name], bytes: N * 4 * (name === 'dValue' || name === 'read' ? M : 1) })),
    );
  const gradientsIn = (bytes: ArrayBuffer[]): MemoryGradients =>
    Object.fromEntries(gradients.map((name, k) => [name, new Float32Array(bytes[k])])) as MemoryGradients;
  /** A promise where it takes several submissions. */
  const run = (way: 'forward' | 'backward'): Promise<undefined> | undefined => {
    const parts = sequences()[way](slices[way].steps(B), weight);
    const pieces = parts.map(record => () => gpu.submit(`memory ${way}`, record));
    return submissions.submit(pieces, slices[way], { T, B, ways: 1 });
  };
  const runForward = (): Promise<undefined> | undefined => {
    state = 'ready';
    return run('forward');
  };
  /** What is written to the device later must not see what the caller writes to his arrays meanwhile. */
  const kept = <Arrays extends Record<string, Float32Array>>(arrays: Arrays, later: boolean): Arrays =>
    later || submissions.busy
      ? (Object.fromEntries(Object.entries(arrays).map(([name, all]) => [name, all.slice()])) as Arrays)
      : arrays;

  return {
    shape,
    get bytes(): number {
      return [held?.memory, ...recorders].reduce((sum, one) => sum + (one?.bytes ?? 0), 0);
    },

    async forward(...given: Float32Array[]): Promise<Float32Array> {
      life.check();
      const named = checkMemoryInputs(shape, given);
      const timed = form === 'time' && canGoOverTime(kind);
      const most = gpu.profile.overTime.walk.all / cellsOf(M).cells;
      const { push, pop } = named;
      const walks = T > SHORT ? walksOf(kind, push, pop, B, T, timed ? most : 0) : undefined;
      const unfit = timed && !fitsTime(gpu.profile, shape, push, walks);
      const inputs = kept(named, unfit || held?.order !== 'sequences');
      const made = await submissions.inTurn(async () => {
        order.forward();
        const other = unfit && form === 'time';
        if (other) form = gpu.profile.memory;
        if (other || held?.order !== 'sequences') await openSequences();
        const { io } = sequences();
        write(io, inputs);
        weight = walks && (t => weightOfRows(walks.perStep[t]));
        const cut = runForward();
        if (cut) await cut;
        return { read: readBack(io, ['read'], N) };
      });
      const [read] = await made.read;
      return new Float32Array(read);
    },

    async backward(given: Float32Array): Promise<MemoryGradients> {
      life.check();
      checkReadGradient(shape, given);
      const inputs = kept({ dRead: given }, state === 'used');
      const made = await submissions.inTurn(async () => {
        order.needForward('backward');
        const again = state === 'used' ? runForward() : undefined;
        if (again) await again;
        const { io, rewinds } = sequences();
        write(io, inputs);
        if (rewinds) state = 'used';
        const cut = run('backward');
        if (cut) await cut;
        return { read: readBack(io, gradients, N) };
      });
      return gradientsIn(await made.read);
    },

    async step(...given: Float32Array[]): Promise<Float32Array> {
      life.check();
      const inputs = kept(checkMemoryInputs(shape, given, 'step'), held?.order !== 'steps');
      const made = await submissions.inTurn(async () => {
        const t = order.step();
        if (held?.order !== 'steps') await openSteps();
        const io = steps().io(t);
        write(io, inputs);
        gpu.submit('memory step', steps().step(t));
        return { read: readBack(io, ['read'], B * ends) };
      });
      const [read] = await made.read;
      return new Float32Array(read);
    },

    async stepBackward(given: Float32Array): Promise<MemoryGradients> {
      life.check();
      checkReadGradient(shape, given, 'step');
      const inputs = kept({ dRead: given }, false);
      const made = await submissions.inTurn(async () => {
        const { t, newest } = order.stepBackward();
        const io = steps().io(t);
        write(io, inputs);
        gpu.submit('memory step backward', steps().stepBackward(t, newest));
        return { read: readBack(io, gradients, B * ends) };
      });
      return gradientsIn(await made.read);
    },

    async reset(): Promise<void> {
      life.check();
      return submissions.inTurn(() => order.reset());
    },

    forwardSync: () => notNow('forward', 'recordSequences'),
    backwardSync: () => notNow('backward', 'recordSequences'),
    stepSync: () => notNow('step', 'recordSteps'),
    stepBackwardSync: () => notNow('stepBackward', 'recordSteps'),

    async strengths(): Promise<Float32Array[][]> {
      life.check();
      const made = await submissions.inTurn(async () => {
        if (order.stepping) return { strengths: steps().strengths(order.left) };
        order.needForward('strengths');
        const again = state === 'used' ? runForward() : undefined;
        if (again) await again;
        return { strengths: sequences().strengths() };
      });
      return made.strengths;
    },

    recordSequences: () =>
      record(async () => sequenceRecorder(shape, await openMemory(gpu, shape, form), life)),
    recordSteps: () => record(() => stepRecorder(gpu, shape, stepForm(gpu, form), life)),

    destroy(): void {
      if (!life.end()) return;
      held?.memory.destroy();
      for (const recorder of recorders) recorder.destroy();
    },
  };

  /** Opens a recorder. What the layer itself holds for no later call it gives back. */
  async function record<Recorder extends SequenceRecorder | StepRecorder>(
    open: () => Promise<Recorder>,
  ): Promise<Recorder> {
    life.check();
    return submissions.inTurn(async () => {
      if (order.empty) {
        held?.memory.destroy();
        held = undefined;
      }
      const recorder = await open();
      recorders.push(recorder);
      if (life.over) recorder.destroy();
      life.check();
      return recorder;
    });
  }
}

/**
 * Runs the kernels on one step of zeros: some drivers compile a kernel only when it is dispatched. The form over time cannot
 * run a part of its steps, and is left out.
 */
async function runOnce(gpu: Gpu, memory: OpenMemory): Promise<void> {
  if (memory.form === 'time') return;
  for (const [first] of [memory.forward(1), memory.backward(1)]) gpu.submit('first run', first);
  await gpu.done();
}

/** The device answers later. */
function notNow(call: string, recorder: string): never {
  throw new InputError(
    `${call}Sync() needs an engine that computes on the calling thread: open the engine cpu, or call ${call}(), or ${recorder}() to stay on the device.`,
  );
}

/** Products that a step takes for each number of a row, about, with the walk over its rows. */
const PRODUCTS = 100;

/** Whether so few, so long sequences are faster parallel over time, which does some thirty times the work. */
const overTime = ({ overTime: { chosen } }: DeviceProfile, { kind, B, T }: MemoryShape): boolean =>
  canGoOverTime(kind) && B <= chosen.sequences && T >= chosen.steps;

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
