import type { MemoryOptions } from '../../shaders/memory.wgsl.ts';
import { memoryBackward, memoryForward } from '../../shaders/memory-layer.wgsl.ts';
import { endsOf } from '../base/parameters.ts';
import { type Bound, bind, dispatch, type Gpu, type Kernel, split, UNIFORM } from '../gpu/device.ts';

/** Form, workgroup size and subgroups of a memory kernel. */
export type MemoryForm = Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;

/**
 * The form for this device. A software adapter runs a workgroup's invocations one after the other: barriers and
 * prefix sums cost it, walking one or two rows does not. A GPU wants many invocations per sequence.
 */
export const chooseForm = (gpu: Gpu): MemoryForm =>
  gpu.software
    ? { form: 'lane', size: 8, subgroups: false }
    : { form: 'block', size: 32, subgroups: gpu.subgroups };

export interface MemoryKernels extends MemoryForm {
  kind: MemoryOptions['kind'];
  forward: Kernel;
  backward: Kernel;
}

/** Compiles both passes for rows of M numbers. */
export async function memoryKernels(
  gpu: Gpu,
  kind: MemoryOptions['kind'],
  M: number,
  form: MemoryForm,
): Promise<MemoryKernels> {
  const wide = M % 4 === 0;
  const options: MemoryOptions = { kind, ...form, cell: wide ? 'vec4f' : 'f32', cells: wide ? M / 4 : M };
  const name = `${kind} ${form.form}${form.subgroups ? ' subgroups' : ''} M=${M}`;
  const [forward, backward] = await Promise.all([
    gpu.kernel(`memory forward, ${name}`, memoryForward(options), [
      'uniform',
      ...Array<'read-only-storage'>(3).fill('read-only-storage'),
      ...Array<'storage'>(3).fill('storage'),
    ]),
    gpu.kernel(`memory backward, ${name}`, memoryBackward(options), [
      'uniform',
      ...Array<'read-only-storage'>(2).fill('read-only-storage'),
      ...Array<'storage'>(6).fill('storage'),
    ]),
  ]);
  return { ...form, kind, forward, backward };
}

/** All buffers of a memory of B sequences of T steps with rows of M and E ends: [B,T,E] or [B,T,E,M], float32. */
export interface MemoryBuffers {
  dims: GPUBuffer;
  push: GPUBuffer;
  pop: GPUBuffer;
  value: GPUBuffer;
  read: GPUBuffer;
  slots: GPUBuffer;
  log: GPUBuffer;
  dStrength: GPUBuffer;
  dRead: GPUBuffer;
  dPush: GPUBuffer;
  dPop: GPUBuffer;
  dValue: GPUBuffer;
}

/** Allocates them. Slots and log take 8 and 16 bytes a step and end, the rest is inputs, outputs and gradients. */
export function memoryBuffers(
  gpu: Gpu,
  kind: MemoryOptions['kind'],
  B: number,
  T: number,
  M: number,
): MemoryBuffers {
  const N = B * T * endsOf(kind);
  const made: GPUBuffer[] = [];
  const buffer = (label: string, bytes: number): GPUBuffer => {
    const one = gpu.buffer(`memory ${label} (B=${B}, T=${T}, M=${M})`, bytes);
    made.push(one);
    return one;
  };
  try {
    const dims = gpu.buffer('memory dims', 16, UNIFORM);
    made.push(dims);
    gpu.device.queue.writeBuffer(dims, 0, new Uint32Array([B, T]));
    return {
      dims,
      push: buffer('push', N * 4),
      pop: buffer('pop', N * 4),
      value: buffer('value', N * M * 4),
      read: buffer('read', N * M * 4),
      slots: buffer('slots', N * 8),
      log: buffer('log', N * 16),
      dStrength: buffer('dStrength', N * 4),
      dRead: buffer('dRead', N * M * 4),
      dPush: buffer('dPush', N * 4),
      dPop: buffer('dPop', N * 4),
      dValue: buffer('dValue', N * M * 4),
    };
  } catch (error) {
    for (const one of made) one.destroy();
    throw error;
  }
}

/** The two passes of one memory, bound to its buffers. */
export interface MemoryPasses {
  forward: Bound;
  backward: Bound;
  groups: [x: number, y: number];
}

export function bindMemory(gpu: Gpu, kernels: MemoryKernels, b: MemoryBuffers, B: number): MemoryPasses {
  return {
    forward: bind(gpu, kernels.forward, [b.dims, b.push, b.pop, b.value, b.read, b.slots, b.log]),
    backward: bind(gpu, kernels.backward, [
      b.dims,
      b.value,
      b.dRead,
      b.slots,
      b.log,
      b.dStrength,
      b.dPush,
      b.dPop,
      b.dValue,
    ]),
    groups: split(kernels.form === 'lane' ? Math.ceil(B / kernels.size) : B),
  };
}

/** push, pop, value -> read; slots and log for the backward pass. */
export function recordMemoryForward(
  encoder: GPUCommandEncoder,
  passes: MemoryPasses,
  b: MemoryBuffers,
): void {
  encoder.clearBuffer(b.read);
  const pass = encoder.beginComputePass({ label: 'memory forward' });
  dispatch(pass, passes.forward, passes.groups);
  pass.end();
}

/** dRead -> dPush, dPop, dValue. Rewinds slots: one backward pass per forward pass. */
export function recordMemoryBackward(
  encoder: GPUCommandEncoder,
  passes: MemoryPasses,
  b: MemoryBuffers,
): void {
  encoder.clearBuffer(b.dStrength);
  encoder.clearBuffer(b.dValue);
  const pass = encoder.beginComputePass({ label: 'memory backward' });
  dispatch(pass, passes.backward, passes.groups);
  pass.end();
}

/**
 * Strengths after every step of one memory of one sequence, from what its forward pass left: the log is rewound, so
 * these are the device's own numbers, bit for bit.
 *
 * @param slots [T·E] (strength, row), in slot order
 * @param log [T·E]
 * @returns [T][rows], in the paper's order (a stack's or queue's row i was pushed at step i; a deque's 2(t+1) from
 * bottom to top), dead rows 0
 */
export function rewindStrengths(
  kind: MemoryOptions['kind'],
  slots: Uint32Array,
  log: Uint32Array,
  T: number,
): Float32Array[] {
  const REACHED = 0x80000000;
  const word = new Uint32Array(1);
  const real = new Float32Array(word.buffer);
  const asFloat = (bits: number): number => {
    word[0] = bits;
    return real[0];
  };
  const state = slots.slice();
  const edgeOf = (entry: number): number => (log[4 * entry] & ~REACHED) >>> 0;
  const giveBack = (entry: number, slot: number): void => {
    state[2 * slot] = log[4 * entry + 2];
    state[2 * slot + 1] = log[4 * entry + 3];
  };
  const refill = (entry: number, slot: number): void => {
    if (log[4 * entry] & REACHED) state[2 * slot] = log[4 * entry + 1];
  };
  const deque = kind === 'deque';
  const steps: Float32Array[] = new Array(T);
  for (let t = T - 1; t >= 0; t--) {
    // The ends of the live slots after the step, and where a row stands in the paper's order.
    const top = deque ? edgeOf(2 * t) : kind === 'queue' ? t : edgeOf(t);
    const bottom = deque ? edgeOf(2 * t + 1) - 1 : kind === 'queue' ? edgeOf(t) : 0;
    const placeOf = (row: number): number =>
      !deque ? row : row % 2 === 0 ? t + 1 + row / 2 : t - (row - 1) / 2;
    const strengths = new Float32Array(deque ? 2 * (t + 1) : t + 1);
    for (let i = bottom; i <= top; i++) strengths[placeOf(state[2 * i + 1])] = asFloat(state[2 * i]);
    steps[t] = strengths;
    if (kind === 'stack') {
      giveBack(t, top);
      refill(t, top - 1);
    } else if (kind === 'queue') {
      refill(t, bottom);
    } else {
      giveBack(2 * t, top);
      giveBack(2 * t + 1, bottom);
      refill(2 * t + 1, bottom + 1);
      refill(2 * t, top - 1);
    }
  }
  return steps;
}
