import type { MemoryOptions } from '../../shaders/memory.wgsl.ts';
import { memoryBackward, memoryForward } from '../../shaders/memory-layer.wgsl.ts';
import { endsOf } from '../base/parameters.ts';
import { type Bound, bind, dispatch, type Gpu, type Kernel, split, UNIFORM } from '../gpu/device.ts';
import { allStrengths } from './strengths.ts';

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

/** A memory driven open-loop, of B sequences of T steps, with all its buffers. */
export interface OpenMemory {
  readonly form: MemoryForm['form'] | 'time';
  readonly io: MemoryIo;
  /** Whether a backward pass uses up what the forward pass left. */
  readonly rewinds: boolean;
  /** Of all its buffers. */
  readonly bytes: number;
  /** push, pop, value -> read, and what the backward pass needs. */
  recordForward(encoder: GPUCommandEncoder): void;
  /** dRead -> dPush, dPop, dValue. */
  recordBackward(encoder: GPUCommandEncoder): void;
  /** [B][T][rows] strengths after every step, in the paper's order. */
  strengths(): Promise<Float32Array[][]>;
  destroy(): void;
}

/** Inputs, outputs and gradients: [B,T,E] or [B,T,E,M], float32. */
export type MemoryIo = Pick<
  MemoryBuffers,
  'push' | 'pop' | 'value' | 'read' | 'dRead' | 'dPush' | 'dPop' | 'dValue'
>;

/** A memory that goes through the steps one after the other. */
export async function streamingMemory(
  gpu: Gpu,
  kind: MemoryOptions['kind'],
  B: number,
  T: number,
  M: number,
  form: MemoryForm,
): Promise<OpenMemory> {
  const kernels = await memoryKernels(gpu, kind, M, form);
  const buffers = memoryBuffers(gpu, kind, B, T, M);
  const passes = bindMemory(gpu, kernels, buffers, B);
  const all = Object.values(buffers) as GPUBuffer[];
  return {
    form: form.form,
    io: buffers,
    rewinds: true,
    bytes: all.reduce((sum, { size }) => sum + size, 0),
    recordForward: encoder => recordMemoryForward(encoder, passes, buffers),
    recordBackward: encoder => recordMemoryBackward(encoder, passes, buffers),
    async strengths(): Promise<Float32Array[][]> {
      const N = B * T * endsOf(kind);
      const [slots, log] = await gpu.read([
        { buffer: buffers.slots, bytes: N * 8 },
        { buffer: buffers.log, bytes: N * 16 },
      ]);
      const layout = { kind, form: form.form, B, T };
      return allStrengths(layout, new Uint32Array(slots), new Uint32Array(log))[0];
    },
    destroy(): void {
      for (const buffer of all) buffer.destroy();
    },
  };
}
