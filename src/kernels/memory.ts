import type { MemoryOptions } from '../../shaders/memory.wgsl.ts';
import { keepsReads, memoryBackward, memoryForward } from '../../shaders/memory-layer.wgsl.ts';
import { endsOf } from '../base/parameters.ts';
import { type Bound, bind, dispatch, type Gpu, split, UNIFORM } from '../gpu/device.ts';
import { allStrengths } from '../layout/strengths.ts';
import { rangesOf } from './slices.ts';

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

/** Rows of M numbers as cells: vec4s where M is a multiple of 4. */
export const cellsOf = (M: number): Pick<MemoryOptions, 'cell' | 'cells'> =>
  M % 4 === 0 ? { cell: 'vec4f', cells: M / 4 } : { cell: 'f32', cells: M };

/**
 * A part of a pass, for a submission of its own, since it may write to what kernels then read. Parts are of up to `steps`
 * time steps (of all, if none are given), to be submitted in their order.
 */
export type Recording = (encoder: GPUCommandEncoder) => void;

/** A memory driven open-loop, of B sequences of T steps, with all its buffers. */
export interface OpenMemory {
  readonly form: MemoryForm['form'] | 'time';
  readonly io: MemoryIo;
  /** Whether a backward pass uses up what the forward pass left. */
  readonly rewinds: boolean;
  /** Of all its buffers. */
  readonly bytes: number;
  /** push, pop, value -> read, and what the backward pass needs. */
  forward(steps?: number): Recording[];
  /** dRead -> dPush, dPop, dValue. */
  backward(steps?: number): Recording[];
  /** [B][T][rows] strengths after every step, in the paper's order. */
  strengths(): Promise<Float32Array[][]>;
  destroy(): void;
}

/** Inputs, outputs and gradients: [B,T,E] or [B,T,E,M], float32. */
export const IO = ['push', 'pop', 'value', 'read', 'dRead', 'dPush', 'dPop', 'dValue'] as const;
export type MemoryIo = Record<(typeof IO)[number], GPUBuffer>;

/** Makes buffers of one memory, and gives them back together. */
export class MemoryBuffers {
  readonly #gpu: Gpu;
  readonly #name: string;
  readonly all: GPUBuffer[] = [];

  /** @param name told where one is too large */
  constructor(gpu: Gpu, name: string) {
    this.#gpu = gpu;
    this.#name = name;
  }

  make(label: string, bytes: number, usage?: number): GPUBuffer {
    const buffer = this.#gpu.buffer(`${this.#name}, ${label}`, bytes, usage);
    this.all.push(buffer);
    return buffer;
  }

  /** @param N B·T·E */
  io(N: number, M: number): MemoryIo {
    const rows: readonly string[] = ['value', 'read', 'dRead', 'dValue'];
    const buffers = IO.map(name => [name, this.make(name, N * 4 * (rows.includes(name) ? M : 1))] as const);
    return Object.fromEntries(buffers) as MemoryIo;
  }

  get bytes(): number {
    return this.all.reduce((sum, { size }) => sum + size, 0);
  }

  destroy(): void {
    for (const buffer of this.all) buffer.destroy();
  }
}

/** Makes a memory out of buffers, which are given back where that fails. */
export async function withBuffers(
  gpu: Gpu,
  name: string,
  make: (buffers: MemoryBuffers) => Promise<OpenMemory>,
): Promise<OpenMemory> {
  const buffers = new MemoryBuffers(gpu, name);
  try {
    return await make(buffers);
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}

/** A memory that goes through the steps one after the other. Slots and log take 8 and 16 bytes a step and end. */
export const streamingMemory = (
  gpu: Gpu,
  kind: MemoryOptions['kind'],
  B: number,
  T: number,
  M: number,
  form: MemoryForm,
): Promise<OpenMemory> =>
  withBuffers(gpu, `memory (B=${B}, T=${T}, M=${M})`, async buffers => {
    const N = B * T * endsOf(kind);
    const options: MemoryOptions = { kind, ...form, ...cellsOf(M) };
    const dims = buffers.make('sizes', 16, UNIFORM);
    const io = buffers.io(N, M);
    const slots = buffers.make('slots', N * 8);
    const log = buffers.make('log', N * 16);
    const dStrength = buffers.make('dStrength', N * 4);
    const pass = async (label: string, code: string, inputs: GPUBuffer[], outputs: GPUBuffer[]) => {
      const kernel = await gpu.kernel(`${label}, ${kind} ${form.form}, M=${M}`, code, [
        'uniform',
        ...inputs.map(() => 'read-only-storage' as const),
        ...outputs.map(() => 'storage' as const),
      ]);
      return bind(gpu, kernel, [dims, ...inputs, ...outputs]);
    };
    const { push, pop, value, read, dRead, dPush, dPop, dValue } = io;
    const [forward, backward] = await Promise.all([
      pass('memory forward', memoryForward(options), [push, pop, value], [read, slots, log]),
      pass(
        'memory backward',
        memoryBackward(options),
        [value, dRead],
        [slots, log, dStrength, dPush, dPop, dValue],
      ),
    ]);
    const groups = split(form.form === 'lane' ? Math.ceil(B / form.size) : B);
    /** @param zero buffers that the first slice finds cleared */
    const slices = (way: 'forward' | 'backward', bound: Bound, zero: GPUBuffer[], steps = T): Recording[] =>
      rangesOf(T, steps, way).map(({ from, to }, k) => encoder => {
        gpu.device.queue.writeBuffer(dims, 0, new Uint32Array([B, T, from, to]));
        if (k === 0) for (const buffer of zero) encoder.clearBuffer(buffer);
        const { label } = bound.kernel;
        const computing = encoder.beginComputePass({ label });
        dispatch(computing, bound, groups);
        computing.end();
      });
    return {
      form: form.form,
      io,
      rewinds: true,
      bytes: buffers.bytes,
      forward: steps => slices('forward', forward, keepsReads(options) ? [] : [read], steps),
      backward: steps => slices('backward', backward, [dStrength, dValue], steps),
      async strengths(): Promise<Float32Array[][]> {
        const states = await gpu.read([
          { buffer: slots, bytes: N * 8 },
          { buffer: log, bytes: N * 16 },
        ]);
        const [slotWords, logWords] = states.map(bytes => new Uint32Array(bytes));
        return allStrengths({ kind, form: form.form, B, T }, slotWords, logWords)[0];
      },
      destroy: () => buffers.destroy(),
    };
  });
