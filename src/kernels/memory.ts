import type { MemoryOptions } from '../../shaders/memories/kind.wgsl.ts';
import { keepsReads, memoryBackward, memoryForward } from '../../shaders/memories/layer.wgsl.ts';
import { DEPTH, type Entries, entriesOf, gradientName, memoryKind } from '../base/memories.ts';
import { type Gpu, split, UNIFORM } from '../gpu/device.ts';
import type { MemoryForm } from '../gpu/profile.ts';
import { allStrengths, noRows } from '../layout/strengths.ts';
import { type Launch, read, write } from './launch.ts';
import { cut } from './pieces.ts';
import { Program, type Recording } from './program.ts';
import type { StepWeight } from './slices.ts';

/** Rows of M numbers as cells: vec4s where M is a multiple of 4. */
export const cellsOf = (M: number): Pick<MemoryOptions, 'cell' | 'cells'> =>
  M % 4 === 0 ? { cell: 'vec4f', cells: M / 4 } : { cell: 'f32', cells: M };

/** Where an array lies. */
export interface Place {
  buffer: GPUBuffer;
  /** In bytes. */
  offset: number;
}

/** A memory driven open-loop, of B sequences of T steps, with all its buffers. */
export interface OpenMemory {
  readonly form: MemoryForm['form'] | 'time';
  /**
   * Inputs, outputs and gradients by their names, float32: each control (`push`) and its gradient (`dPush`) [B,T,E]; value, read,
   * dRead and dValue [B,T,E,M].
   */
  readonly io: Readonly<Record<string, Place>>;
  /** Whether a backward pass uses up what the forward pass left. */
  readonly rewinds: boolean;
  /** Of all its buffers. */
  readonly bytes: number;
  /**
   * Controls, value -> read, and what the backward pass needs: parts of up to `steps` time steps (of all, if none are
   * given), to be submitted one by one in their order.
   * @param weight of a step, where it takes more than a usual one
   */
  forward(steps?: number, weight?: StepWeight): Recording[];
  /** dRead -> the gradients of controls and value. */
  backward(steps?: number, weight?: StepWeight): Recording[];
  /** [B][T][rows] strengths after every step, in the paper's order; no rows where the kind has none. */
  strengths(): Promise<Float32Array[][]>;
  destroy(): void;
}

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
  depth = DEPTH,
): Promise<OpenMemory> =>
  withBuffers(gpu, `memory (B=${B}, T=${T}, M=${M})`, async buffers => {
    const { ends, controls, rows, storage } = memoryKind(kind);
    const N = B * T * ends;
    const options: MemoryOptions = { kind, ...form, depth, ...cellsOf(M) };
    const { slots, undo, dStrength } = storage(Math.ceil(M / 4), depth);
    const entries = (of: Entries): number => B * entriesOf(of, T);
    const all = {
      dims: buffers.make('sizes', 16, UNIFORM),
      controls: buffers.make('controls', controls.length * N * 4),
      value: buffers.make('value', N * M * 4),
      read: buffers.make('read', N * M * 4),
      slots: buffers.make('slots', entries(slots) * 8),
      log: buffers.make('log', entries(undo) * 16),
      dRead: buffers.make('dRead', N * M * 4),
      dStrength: buffers.make('dStrength', entries(dStrength) * 4),
      dControls: buffers.make('dControls', controls.length * N * 4),
      dValue: buffers.make('dValue', N * M * 4),
    };
    const label = (pass: string): string => `memory ${pass}, ${kind} ${form.form}, M=${M}`;
    const groups = (): [x: number, y: number] => split(form.form === 'lane' ? Math.ceil(B / form.size) : B);
    type Name = keyof typeof all;
    const sized: readonly [Name, 'uniform'] = ['dims', 'uniform'];
    const forward: Launch<Name> = {
      label: label('forward'),
      code: memoryForward(options),
      buffers: [sized, read('controls'), read('value'), write('read'), write('slots'), write('log')],
      groups,
      over: { way: 'forward', rounds: () => 1 },
      clears: keepsReads(options) ? [] : ['read'],
    };
    const backward: Launch<Name> = {
      label: label('backward'),
      code: memoryBackward(options),
      buffers: [
        sized,
        read('controls'),
        read('value'),
        read('dRead'),
        write('slots'),
        write('log'),
        write('dStrength'),
        write('dControls'),
        write('dValue'),
      ],
      groups,
      over: { way: 'backward', rounds: () => 1 },
      clears: ['dStrength', 'dValue'],
    };
    const program = await Program.compile(gpu, [forward, backward]);
    const { queue } = gpu.device;
    program.bind(
      name => all[name],
      ({ sliceFrom, sliceTo }) => queue.writeBuffer(all.dims, 0, new Uint32Array([B, T, sliceFrom, sliceTo])),
    );
    const size = { B, T, parts: 1 };
    const slices = (launch: Launch<Name>, steps = T, weight?: StepWeight): Recording[] =>
      cut([launch], size, steps, weight).map(piece => program.recording(launch.label, piece, size));
    const { value, read: reads, dRead, dValue } = all;
    return {
      form: form.form,
      io: {
        ...placesOf({ value, read: reads, dRead, dValue }),
        ...Object.fromEntries(
          controls.flatMap(({ name }, c) => [
            [name, { buffer: all.controls, offset: c * N * 4 }],
            [gradientName(name), { buffer: all.dControls, offset: c * N * 4 }],
          ]),
        ),
      },
      rewinds: true,
      bytes: buffers.bytes,
      forward: (steps, weight) => slices(forward, steps, weight),
      backward: (steps, weight) => slices(backward, steps, weight),
      async strengths(): Promise<Float32Array[][]> {
        if (!rows) return noRows(B, T);
        const states = await gpu.read([
          { buffer: all.slots, bytes: all.slots.size },
          { buffer: all.log, bytes: all.log.size },
        ]);
        const [slotWords, logWords] = states.map(bytes => new Uint32Array(bytes));
        return allStrengths({ kind, form: form.form, B, T }, slotWords, logWords)[0];
      },
      destroy: () => buffers.destroy(),
    };
  });

/** Whole buffers as places. */
export const placesOf = (buffers: Record<string, GPUBuffer>): Record<string, Place> =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, { buffer, offset: 0 }]));
