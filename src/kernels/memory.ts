import type { MemoryOptions } from '../../shaders/memory.wgsl.ts';
import { memoryBackward, memoryForward } from '../../shaders/memory-layer.wgsl.ts';
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
  forward: Kernel;
  backward: Kernel;
}

/** Compiles both passes for rows of M numbers. */
export async function memoryKernels(
  gpu: Gpu,
  kind: 'stack',
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
  return { ...form, forward, backward };
}

/** All buffers of a memory of B sequences of T steps with rows of M: [B,T] or [B,T,M], float32. */
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

/** Allocates them. Slots and log take 8 and 16 bytes a step, the rest is inputs, outputs and gradients. */
export function memoryBuffers(gpu: Gpu, B: number, T: number, M: number): MemoryBuffers {
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
      push: buffer('push', B * T * 4),
      pop: buffer('pop', B * T * 4),
      value: buffer('value', B * T * M * 4),
      read: buffer('read', B * T * M * 4),
      slots: buffer('slots', B * T * 8),
      log: buffer('log', B * T * 16),
      dStrength: buffer('dStrength', B * T * 4),
      dRead: buffer('dRead', B * T * M * 4),
      dPush: buffer('dPush', B * T * 4),
      dPop: buffer('dPop', B * T * 4),
      dValue: buffer('dValue', B * T * M * 4),
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
 * Strengths after every step of one sequence, from what its forward pass left: the log is rewound, so these are
 * the device's own numbers, bit for bit.
 *
 * @param slots [T] (strength, step) of this sequence, in slot order
 * @param log [T] of this sequence
 * @returns [T][t+1], in the paper's order (row i was pushed at step i), dead rows 0
 */
export function rewindStrengths(slots: Uint32Array, log: Uint32Array, T: number): Float32Array[] {
  const REACHED = 0x80000000;
  const word = new Uint32Array(1);
  const real = new Float32Array(word.buffer);
  const asFloat = (bits: number): number => {
    word[0] = bits;
    return real[0];
  };
  const state = slots.slice();
  const steps: Float32Array[] = new Array(T);
  for (let t = T - 1; t >= 0; t--) {
    const packed = log[4 * t];
    const top = (packed & ~REACHED) >>> 0;
    const strengths = new Float32Array(t + 1);
    for (let i = 0; i <= top; i++) strengths[state[2 * i + 1]] = asFloat(state[2 * i]);
    steps[t] = strengths;
    state[2 * top] = log[4 * t + 2];
    state[2 * top + 1] = log[4 * t + 3];
    if (packed & REACHED) state[2 * (top - 1)] = log[4 * t + 1];
  }
  return steps;
}
