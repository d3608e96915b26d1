import { InputError } from '../base/errors.ts';
import { gradientName, type MemoryName, memoryKind, readsOf } from '../base/memories.ts';
import type { Gpu } from '../gpu/device.ts';
import type { DeviceProfile, MemoryForm } from '../gpu/profile.ts';
import {
  rowElements,
  type SequenceMemory,
  type SteppedMemory,
  sequenceMemory,
  singleStepMemory,
} from '../kernels/memory.ts';
import { SliceSteps, type StepCost, stepCostOfRows } from '../kernels/slices.ts';
import { MAX_PUSHED, timeMemory } from '../kernels/time-memory.ts';
import { type Walks, walksOf } from '../kernels/walks.ts';
import { checkMemoryInputs, checkMemoryShape, checkReadGradient } from './checks.ts';
import type { MemoryGradients, MemoryLayer, MemoryShape, SequenceRecorder, StepRecorder } from './engine.ts';
import { sequenceRecorder, stepRecorder } from './gpu-recorder.ts';
import { Lifetime } from './lifetime.ts';
import { StepOrder } from './step-order.ts';
import { Submissions } from './submissions.ts';

/** `time`: parallel over time. A MemoryForm: step by step, in that form. */
export type LayerForm = MemoryForm | 'time';

/** Whether a kind has kernels that are parallel over time. */
export const hasTimeKernels = (kind: MemoryName): kind is 'stack' | 'queue' =>
  kind === 'stack' || kind === 'queue';

/** The default form for a device and a shape. */
export const formFor = (profile: DeviceProfile, shape: MemoryShape): LayerForm =>
  overTime(profile, shape) ? 'time' : profile.memory;

/**
 * The kernels of a memory over whole sequences.
 * @param form forced form; the default suits the device and the shape
 */
export function openMemory(
  gpu: Gpu,
  shape: MemoryShape,
  form = formFor(gpu.profile, shape),
): Promise<SequenceMemory> {
  const { kind, B, T, M } = shape;
  return form === 'time' && hasTimeKernels(kind)
    ? timeMemory(gpu, kind, B, T, M)
    : sequenceMemory(gpu, shape, stepForm(gpu, form));
}

/** The form for processing one step after another. */
const stepForm = (gpu: Gpu, form: LayerForm): MemoryForm => (form === 'time' ? gpu.profile.memory : form);

/** Overrides for tests and benchmarks: a form of the kernels, and the number of time steps of a slice. */
export interface LayerOptions {
  form?: LayerForm;
  sliceSteps?: number;
}

/** The kernels that a layer currently holds: for whole sequences or for single steps, whichever was called last. */
type Held = { order: 'sequences'; memory: SequenceMemory } | { order: 'steps'; memory: SteppedMemory };

/**
 * Opens the memory kernels as a layer.
 * @throws InputError if the shape is invalid or does not fit the device
 */
export async function gpuMemory(
  gpu: Gpu,
  given: MemoryShape,
  lifetime = new Lifetime('memory'),
  options: LayerOptions = {},
): Promise<MemoryLayer> {
  checkMemoryShape(given);
  const shape = { ...given };
  const { kind, B, T, M } = shape;
  const { queue } = gpu.device;
  const { ends, controls } = memoryKind(kind);
  const N = B * T * ends;
  // Numbers in the reads per number in a control: Q·M / E.
  const readsPerControl = (readsOf(kind, shape.reads) / ends) * M;
  const gradients = [...controls.map(({ name }) => gradientName(name)), 'dValue'];
  const submissions = new Submissions(gpu, lifetime);
  const newSlices = () => new SliceSteps(PRODUCTS * M * ends, options.sliceSteps);
  const slices = { forward: newSlices(), backward: newSlices() };
  let form = options.form ?? formFor(gpu.profile, shape);
  const first = await openMemory(gpu, shape, form);
  await runOnce(gpu, first);
  let held: Held | undefined = { order: 'sequences', memory: first };
  const order = new StepOrder(T);
  // 'used': a backward pass has consumed the state of the forward pass. The next call that needs it reruns the forward
  // pass.
  let state: 'ready' | 'used' = 'ready';
  const recorders: (SequenceRecorder | StepRecorder)[] = [];

  let stepCost: StepCost | undefined;

  /** Replaces the held kernels. */
  const hold = (next: Held): void => {
    held?.memory.destroy();
    held = next;
    if (lifetime.ended) next.memory.destroy();
    lifetime.check();
  };
  /** Opens kernels for a call. If that fails, undoes what the call recorded in `order`. */
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
    open(async () => ({ order: 'steps', memory: await singleStepMemory(gpu, shape, stepForm(gpu, form)) }));
  /** The held kernels, after a call of the same kind has opened them. */
  const sequences = (): SequenceMemory => (held as { memory: SequenceMemory }).memory;
  const steps = (): SteppedMemory => (held as { memory: SteppedMemory }).memory;

  const write = (io: SequenceMemory['io'], arrays: Record<string, Float32Array>): void => {
    for (const [name, numbers] of Object.entries(arrays)) {
      const { buffer, offset } = io[name];
      queue.writeBuffer(buffer, offset, numbers as Float32Array<ArrayBuffer>);
    }
  };
  /** Reads results back: N numbers for each control, N·M for values, and the reads. */
  const readBack = (io: SequenceMemory['io'], names: readonly string[], N: number): Promise<ArrayBuffer[]> =>
    gpu.read(
      names.map(name => ({
        ...io[name],
        bytes: N * 4 * (name === 'dValue' ? M : name === 'read' ? readsPerControl : 1),
      })),
    );
  const gradientsIn = (bytes: ArrayBuffer[]): MemoryGradients =>
    Object.fromEntries(gradients.map((name, k) => [name, new Float32Array(bytes[k])])) as MemoryGradients;
  /** Submits a pass. Returns a promise if it takes several submissions. */
  const run = (pass: 'forward' | 'backward'): Promise<undefined> | undefined => {
    const parts = sequences()[pass](slices[pass].steps(B), stepCost);
    const pieces = parts.map(record => () => gpu.submit(`memory ${pass}`, record));
    return submissions.submit(pieces, slices[pass], { T, B, passes: 1 });
  };
  const runForward = (): Promise<undefined> | undefined => {
    state = 'ready';
    return run('forward');
  };
  /** Copies arrays if they are written to the device later, because the caller may change them until then. */
  const copiedIf = <Arrays extends Record<string, Float32Array>>(arrays: Arrays, later: boolean): Arrays =>
    later || submissions.busy
      ? (Object.fromEntries(Object.entries(arrays).map(([name, all]) => [name, all.slice()])) as Arrays)
      : arrays;

  return {
    shape,
    get bytes(): number {
      return [held?.memory, ...recorders].reduce((sum, holder) => sum + (holder?.bytes ?? 0), 0);
    },

    async forward(...given: Float32Array[]): Promise<Float32Array> {
      lifetime.check();
      const named = checkMemoryInputs(shape, given);
      const timeParallel = form === 'time' && hasTimeKernels(kind);
      const limit = gpu.profile.overTime.walk.perSubmission / rowElements(M).elements;
      const { push, pop } = named;
      const mayWalkFar = T > SHORT || (timeParallel && (B * T * (T + 1)) / 2 > limit);
      const walks = mayWalkFar ? walksOf(kind, push, pop, B, T, timeParallel ? limit : 0) : undefined;
      const unfit = timeParallel && !fitsTime(gpu.profile, shape, push, walks);
      const inputs = copiedIf(named, unfit || held?.order !== 'sequences');
      const result = await submissions.inTurn(async () => {
        order.forward();
        const other = unfit && form === 'time';
        if (other) form = gpu.profile.memory;
        if (other || held?.order !== 'sequences') await openSequences();
        const { io } = sequences();
        write(io, inputs);
        stepCost = walks && (t => stepCostOfRows(walks.perStep[t]));
        const submitting = runForward();
        if (submitting) await submitting;
        return { read: readBack(io, ['read'], N) };
      });
      const [read] = await result.read;
      return new Float32Array(read);
    },

    async backward(given: Float32Array): Promise<MemoryGradients> {
      lifetime.check();
      checkReadGradient(shape, given);
      const inputs = copiedIf({ dRead: given }, state === 'used');
      const result = await submissions.inTurn(async () => {
        order.needForward('backward');
        const rerun = state === 'used' ? runForward() : undefined;
        if (rerun) await rerun;
        const { io, rewinds } = sequences();
        write(io, inputs);
        if (rewinds) state = 'used';
        const submitting = run('backward');
        if (submitting) await submitting;
        return { read: readBack(io, gradients, N) };
      });
      return gradientsIn(await result.read);
    },

    async step(...given: Float32Array[]): Promise<Float32Array> {
      lifetime.check();
      const inputs = copiedIf(checkMemoryInputs(shape, given, 'step'), held?.order !== 'steps');
      const result = await submissions.inTurn(async () => {
        const t = order.step();
        if (held?.order !== 'steps') await openSteps();
        const io = steps().io(t);
        write(io, inputs);
        gpu.submit('memory step', steps().step(t));
        return { read: readBack(io, ['read'], B * ends) };
      });
      const [read] = await result.read;
      return new Float32Array(read);
    },

    async stepBackward(given: Float32Array): Promise<MemoryGradients> {
      lifetime.check();
      checkReadGradient(shape, given, 'step');
      const inputs = copiedIf({ dRead: given }, false);
      const result = await submissions.inTurn(async () => {
        const { t, newest } = order.stepBackward();
        const io = steps().io(t);
        write(io, inputs);
        gpu.submit('memory step backward', steps().stepBackward(t, newest));
        return { read: readBack(io, gradients, B * ends) };
      });
      return gradientsIn(await result.read);
    },

    async reset(): Promise<void> {
      lifetime.check();
      return submissions.inTurn(() => order.reset());
    },

    forwardSync: () => notSynchronous('forward', 'recordSequences'),
    backwardSync: () => notSynchronous('backward', 'recordSequences'),
    stepSync: () => notSynchronous('step', 'recordSteps'),
    stepBackwardSync: () => notSynchronous('stepBackward', 'recordSteps'),

    async strengths(): Promise<Float32Array[][]> {
      lifetime.check();
      const result = await submissions.inTurn(async () => {
        if (order.stepping) return { strengths: steps().strengths(order.left) };
        order.needForward('strengths');
        const rerun = state === 'used' ? runForward() : undefined;
        if (rerun) await rerun;
        return { strengths: sequences().strengths() };
      });
      return result.strengths;
    },

    recordSequences: () =>
      record(async () => sequenceRecorder(shape, await openMemory(gpu, shape, form), lifetime)),
    recordSteps: () => record(() => stepRecorder(gpu, shape, stepForm(gpu, form), lifetime)),

    destroy(): void {
      if (!lifetime.end()) return;
      held?.memory.destroy();
      for (const recorder of recorders) recorder.destroy();
    },
  };

  /** Opens a recorder. First frees the layer's kernels if they keep no state for a later call. */
  async function record<Recorder extends SequenceRecorder | StepRecorder>(
    open: () => Promise<Recorder>,
  ): Promise<Recorder> {
    lifetime.check();
    return submissions.inTurn(async () => {
      if (order.empty) {
        held?.memory.destroy();
        held = undefined;
      }
      const recorder = await open();
      recorders.push(recorder);
      if (lifetime.ended) recorder.destroy();
      lifetime.check();
      return recorder;
    });
  }
}

/**
 * Runs the kernels on one step of zeros, because some drivers compile a kernel only when it is dispatched. Skips the
 * form `time`, which cannot run only some of the steps.
 */
async function runOnce(gpu: Gpu, memory: SequenceMemory): Promise<void> {
  if (memory.form === 'time') return;
  for (const [first] of [memory.forward(1), memory.backward(1)]) gpu.submit('first run', first);
  await gpu.done();
}

/** Rejects a synchronous call: results of a device are always asynchronous. */
function notSynchronous(call: string, recorder: string): never {
  throw new InputError(
    `${call}Sync() needs an engine that computes on the calling thread: open the engine cpu, or call ${call}(), or ${recorder}() to stay on the device.`,
  );
}

/** Multiplications per time step for each number of a row, approximately, including the walk over the rows. */
const PRODUCTS = 100;

/** Whether the sequences are few and long enough to choose the form `time`. */
const overTime = ({ overTime: { chosen } }: DeviceProfile, { kind, B, T }: MemoryShape): boolean =>
  hasTimeKernels(kind) && B <= chosen.sequences && T >= chosen.steps;

/** Up to this number of steps, even a walk over all rows of one sequence is short. */
const SHORT = 256;

/**
 * Whether the form `time` can process these inputs: neither the total push strength nor the rows that the kernels walk
 * over may exceed their limits.
 */
function fitsTime(
  { overTime: { walk } }: DeviceProfile,
  { T, M }: MemoryShape,
  push: Float32Array,
  walks: Walks | undefined,
): boolean {
  if (maxPushed(push, T) >= MAX_PUSHED) return false;
  if (!walks) return true;
  const { elements } = rowElements(M);
  // The maximum of: rows that one step visits, steps that read one row.
  const longest = walks.perStep.reduce((max, rows) => Math.max(max, rows), walks.perRow);
  return longest * elements <= walk.perInvocation && walks.total * elements <= walk.perSubmission;
}

/** The largest total push strength of a sequence. @param push [B,T] */
function maxPushed(push: Float32Array, T: number): number {
  let max = 0;
  for (let first = 0; first < push.length; first += T) {
    let sum = 0;
    for (let t = 0; t < T; t++) sum += push[first + t];
    max = Math.max(max, sum);
  }
  return max;
}
