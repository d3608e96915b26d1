import { WHOLE } from '../../shaders/lib/batch.wgsl.ts';
import type { MemoryOptions } from '../../shaders/memories/kind.wgsl.ts';
import {
  keepsReads,
  type LayerOptions,
  memoryBackward,
  memoryForward,
} from '../../shaders/memories/layer.wgsl.ts';
import { DEPTH, entriesOf, gradientName, memoryKind } from '../base/memories.ts';
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

/** A memory driven step by step, with all its buffers. */
export interface SteppedMemory {
  readonly bytes: number;
  /** Where the arrays of step t lie, by the names of OpenMemory: controls [B,E], rows [B,E,M]. */
  io(t: number): Readonly<Record<string, Place>>;
  /** Controls, value of step t -> its read. Steps go in their order; the first empties the memory. */
  step(t: number): Recording;
  /** dRead of step t -> the gradients of its controls and value. @param newest the first step that is gone back over */
  stepBackward(t: number, newest: boolean): Recording;
  /** [B][steps][rows] strengths after each of the steps taken and not gone back over. */
  strengths(steps: number): Promise<Float32Array[][]>;
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
export async function withBuffers<Memory>(
  gpu: Gpu,
  name: string,
  make: (buffers: MemoryBuffers) => Promise<Memory>,
): Promise<Memory> {
  const buffers = new MemoryBuffers(gpu, name);
  try {
    return await make(buffers);
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}

/** Of a memory of B sequences of T steps. */
export interface MemorySizes {
  kind: MemoryOptions['kind'];
  B: number;
  T: number;
  M: number;
  depth?: number;
}

/** A memory over whole sequences that goes through the steps one after the other. */
export const streamingMemory = (gpu: Gpu, sizes: MemorySizes, form: MemoryForm): Promise<OpenMemory> =>
  withBuffers(gpu, nameOf(sizes), async buffers => {
    const { B, T } = sizes;
    const { all, program, launches, size, places, strengths } = await open(
      buffers,
      gpu,
      sizes,
      form,
      'sequences',
    );
    program.bind(
      name => all[name],
      ({ sliceFrom, sliceTo }) =>
        gpu.device.queue.writeBuffer(all.dims, 0, new Uint32Array([B, T, sliceFrom, sliceTo])),
    );
    const slices = (launch: (typeof launches)['forward'], steps = T, weight?: StepWeight): Recording[] =>
      cut([launch], size, steps, weight).map(piece => program.recording(launch.label, piece, size));
    return {
      form: form.form,
      io: places(0, T),
      rewinds: true,
      bytes: buffers.bytes,
      forward: (steps, weight) => slices(launches.forward, steps, weight),
      backward: (steps, weight) => slices(launches.backward, steps, weight),
      strengths: () => strengths(T),
      destroy: () => buffers.destroy(),
    };
  });

/** The same step by step. */
export const steppedMemory = (gpu: Gpu, sizes: MemorySizes, form: MemoryForm): Promise<SteppedMemory> =>
  withBuffers(gpu, nameOf(sizes), async buffers => {
    const { B, T } = sizes;
    const { all, program, launches, size, places, strengths } = await open(
      buffers,
      gpu,
      sizes,
      form,
      'steps',
    );
    // Steps may be recorded together: which one it is must be a command among theirs.
    const dims = Uint32Array.from({ length: 4 * T }, (_, i) => [B, T, i >> 2, (i >> 2) + 1][i % 4]);
    const table = buffers.make('sizes of every step', dims.byteLength);
    gpu.device.queue.writeBuffer(table, 0, dims);
    program.bind(
      name => all[name],
      ({ sliceFrom }, encoder) => encoder.copyBufferToBuffer(table, 16 * sliceFrom, all.dims, 0, 16),
    );
    const step = (way: 'forward' | 'backward', t: number, first: boolean): Recording => {
      const work = launches[way];
      const slice = { ...WHOLE, sliceFrom: t, sliceTo: t + 1, first: Number(first) };
      return program.recording(work.label, [{ work, slice }], size);
    };
    return {
      bytes: buffers.bytes,
      io: t => places(t, 1),
      step: t => step('forward', t, t === 0),
      stepBackward: (t, newest) => step('backward', t, newest),
      strengths,
      destroy: () => buffers.destroy(),
    };
  });

const nameOf = ({ B, T, M }: MemorySizes): string => `memory (B=${B}, T=${T}, M=${M})`;

/** Buffers of a memory that its kernels bind. */
type LayerBuffer =
  | 'dims'
  | 'controls'
  | 'value'
  | 'read'
  | 'slots'
  | 'log'
  | 'dRead'
  | 'dStrength'
  | 'dControls'
  | 'dValue';

/** The two launches of a memory on its own, each over all time steps (or a slice of them), as data: no device is needed. */
export function layerLaunches(
  { kind, B, M, depth = DEPTH }: Omit<MemorySizes, 'T'>,
  form: MemoryForm,
  order: LayerOptions['order'],
): Record<'forward' | 'backward', Launch<LayerBuffer>> {
  const options: LayerOptions = { kind, ...form, depth, ...cellsOf(M), order };
  const label = (pass: string): string =>
    `memory ${pass}${order === 'steps' ? ' of a step' : ''}, ${kind} ${form.form}, M=${M}`;
  const groups = (): [x: number, y: number] => split(form.form === 'lane' ? Math.ceil(B / form.size) : B);
  const sized: readonly [LayerBuffer, 'uniform'] = ['dims', 'uniform'];
  return {
    forward: {
      label: label('forward'),
      code: memoryForward(options),
      buffers: [sized, read('controls'), read('value'), write('read'), write('slots'), write('log')],
      groups,
      over: { way: 'forward' },
      clears: keepsReads(options) ? [] : ['read'],
    },
    backward: {
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
      over: { way: 'backward' },
      clears: ['dStrength', 'dValue'],
    },
  };
}

/** Buffers and kernels in either order of the arrays. Slots and log take 8 and 16 bytes a step and end. */
async function open(
  buffers: MemoryBuffers,
  gpu: Gpu,
  { kind, B, T, M, depth = DEPTH }: MemorySizes,
  form: MemoryForm,
  order: LayerOptions['order'],
) {
  const { ends, controls, rows } = memoryKind(kind);
  const N = B * T * ends;
  const entries = entriesOf(kind, Math.ceil(M / 4), T, depth);
  const all: Record<LayerBuffer, GPUBuffer> = {
    dims: buffers.make('sizes', 16, UNIFORM),
    controls: buffers.make('controls', controls.length * N * 4),
    value: buffers.make('value', N * M * 4),
    read: buffers.make('read', N * M * 4),
    slots: buffers.make('slots', B * entries.slots * 8),
    log: buffers.make('log', B * entries.undo * 16),
    dRead: buffers.make('dRead', N * M * 4),
    dStrength: buffers.make('dStrength', B * entries.dStrength * 4),
    dControls: buffers.make('dControls', controls.length * N * 4),
    dValue: buffers.make('dValue', N * M * 4),
  };
  const launches = layerLaunches({ kind, B, M, depth }, form, order);
  return {
    all,
    program: await Program.compile(gpu, [launches.forward, launches.backward]),
    launches,
    size: { B, T, parts: 1 },
    /** Where `steps` steps from step t on lie by their names: all of them, or one in the order of steps. */
    places(t: number, steps: number): Record<string, Place> {
      const { value, read, dRead, dValue } = all;
      const each = B * steps * ends * 4;
      const rows = Object.entries({ value, read, dRead, dValue }).map(([name, buffer]) => [
        name,
        { buffer, offset: t * B * ends * 4 * M },
      ]);
      const named = controls.flatMap(({ name }, c) => {
        const offset = t * controls.length * B * ends * 4 + c * each;
        return [
          [name, { buffer: all.controls, offset }],
          [gradientName(name), { buffer: all.dControls, offset }],
        ];
      });
      return Object.fromEntries([...rows, ...named]);
    },
    async strengths(steps: number): Promise<Float32Array[][]> {
      if (!rows) return noRows(B, steps);
      const states = await gpu.read([
        { buffer: all.slots, bytes: all.slots.size },
        { buffer: all.log, bytes: all.log.size },
      ]);
      const [slotWords, logWords] = states.map(bytes => new Uint32Array(bytes));
      const lengths = new Array<number>(B).fill(steps);
      return allStrengths({ kind, form: form.form, B, T }, slotWords, logWords, lengths)[0];
    },
  };
}

/** Whole buffers as places. */
export const placesOf = (buffers: Record<string, GPUBuffer>): Record<string, Place> =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, { buffer, offset: 0 }]));
