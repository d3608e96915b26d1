import { WHOLE } from '../../shaders/lib/batch.wgsl.ts';
import type { MemoryOptions } from '../../shaders/memories/kind.wgsl.ts';
import {
  keepsReads,
  type LayerKernelOptions,
  memoryBackward,
  memoryForward,
} from '../../shaders/memories/layer.wgsl.ts';
import { DEPTH, entriesOf, gradientName, memoryKind, readsOf } from '../base/memories.ts';
import { type Gpu, split, UNIFORM } from '../gpu/device.ts';
import type { MemoryForm } from '../gpu/profile.ts';
import { allStrengths, noRows } from '../layout/strengths.ts';
import { type Launch, read, write } from './launch.ts';
import { cut } from './pieces.ts';
import { Program, type Recording } from './program.ts';
import type { StepCost } from './slices.ts';

/** The type and number of the elements that hold a row of M numbers: vec4s if M is a multiple of 4, else numbers. */
export const rowElements = (M: number): Pick<MemoryOptions, 'element' | 'elements'> =>
  M % 4 === 0 ? { element: 'vec4f', elements: M / 4 } : { element: 'f32', elements: M };

/** Location of an array: a buffer and an offset in it. */
export interface Place {
  buffer: GPUBuffer;
  /** In bytes. */
  offset: number;
}

/** The kernels and buffers of a memory over B sequences of T steps, whose inputs are known for all steps. */
export interface SequenceMemory {
  readonly form: MemoryForm['form'] | 'time';
  /**
   * Inputs, outputs and gradients by name, float32. Each control (`push`) and its gradient (`dPush`): [B,T,E]; value
   * and dValue: [B,T,E,M]; read and dRead: [B,T,Q,M].
   */
  readonly io: Readonly<Record<string, Place>>;
  /**
   * Whether the backward pass consumes the state that the forward pass kept, so that a second backward pass needs a new
   * forward pass.
   */
  readonly rewinds: boolean;
  /** Size of all buffers together. */
  readonly bytes: number;
  /**
   * Controls, value -> read, and the state that the backward pass needs. Returns parts, which the caller submits one by
   * one, in order (default: one part with all steps). Each costs at most `steps` usual steps, or is a single step. In
   * the form `time`, each is one dispatch over all steps.
   * @param stepCost cost of time step t relative to a usual step (default 1)
   */
  forward(steps?: number, stepCost?: StepCost): Recording[];
  /** dRead -> the gradients of controls and value, in parts like forward(). Needs a forward pass first. */
  backward(steps?: number, stepCost?: StepCost): Recording[];
  /** [B][T][rows] strengths after every step, in the paper's order. Empty for a kind without rows. */
  strengths(): Promise<Float32Array[][]>;
  destroy(): void;
}

/** The kernels and buffers of a memory that processes one time step per call. */
export interface SteppedMemory {
  readonly bytes: number;
  /** Locations of the arrays of step t, named as in SequenceMemory: controls [B,E], values [B,E,M], reads [B,Q,M]. */
  io(t: number): Readonly<Record<string, Place>>;
  /** Controls, value of step t -> its read. Call in the order of the steps; step 0 empties the memory. */
  step(t: number): Recording;
  /**
   * dRead of step t -> the gradients of its controls and value.
   * @param newest true for the first call after the forward steps: it clears the gradients first
   */
  stepBackward(t: number, newest: boolean): Recording;
  /** [B][steps][rows] strengths after each of the first `steps` steps. */
  strengths(steps: number): Promise<Float32Array[][]>;
  destroy(): void;
}

/** Creates the buffers of one memory and destroys them together. */
export class MemoryBuffers {
  readonly #gpu: Gpu;
  readonly #name: string;
  readonly all: GPUBuffer[] = [];

  /** @param name prefix of every label, so that an error names the memory whose buffer is too large */
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

/** Builds a memory from new buffers. Destroys the buffers if `make` fails. */
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

/** The sizes of a memory of B sequences of T steps. */
export interface MemorySizes {
  kind: MemoryOptions['kind'];
  B: number;
  T: number;
  M: number;
  /** Superposition stack and tape: number of cells (default DEPTH), and how many of them are read (default 1). */
  depth?: number;
  reads?: number;
}

/**
 * A memory over whole sequences that processes the time steps in order.
 * @throws DeviceError if a kernel does not compile
 * @throws InputError if a buffer is too large for the device
 */
export const sequenceMemory = (gpu: Gpu, sizes: MemorySizes, form: MemoryForm): Promise<SequenceMemory> =>
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
    const slices = (launch: (typeof launches)['forward'], steps = T, stepCost?: StepCost): Recording[] =>
      cut([launch], size, steps, stepCost).map(piece => program.recording(launch.label, piece, size));
    return {
      form: form.form,
      io: places(0, T),
      rewinds: true,
      bytes: buffers.bytes,
      forward: (steps, stepCost) => slices(launches.forward, steps, stepCost),
      backward: (steps, stepCost) => slices(launches.backward, steps, stepCost),
      strengths: () => strengths(T),
      destroy: () => buffers.destroy(),
    };
  });

/**
 * A memory that processes one time step per call.
 * @throws DeviceError if a kernel does not compile
 * @throws InputError if a buffer is too large for the device
 */
export const singleStepMemory = (gpu: Gpu, sizes: MemorySizes, form: MemoryForm): Promise<SteppedMemory> =>
  withBuffers(gpu, nameOf(sizes), async buffers => {
    const { B, T } = sizes;
    const { all, program, launches, size, places, strengths } = await open(
      buffers,
      gpu,
      sizes,
      form,
      'steps',
    );
    // Row t of the table is (B, T, t, t + 1). A command copies it to the uniform, because several steps may be recorded
    // into one submission.
    const dims = Uint32Array.from({ length: 4 * T }, (_, i) => [B, T, i >> 2, (i >> 2) + 1][i % 4]);
    const table = buffers.make('sizes of every step', dims.byteLength);
    gpu.device.queue.writeBuffer(table, 0, dims);
    program.bind(
      name => all[name],
      ({ sliceFrom }, encoder) => encoder.copyBufferToBuffer(table, 16 * sliceFrom, all.dims, 0, 16),
    );
    const step = (pass: 'forward' | 'backward', t: number, first: boolean): Recording => {
      const work = launches[pass];
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

/** Names of the buffers that the kernels of a memory layer bind. */
type LayerBuffer =
  | 'dims'
  | 'controls'
  | 'value'
  | 'read'
  | 'slots'
  | 'undoLog'
  | 'dRead'
  | 'dStrength'
  | 'dControls'
  | 'dValue';

/** The two launches of a memory layer, each over all time steps or a slice of them. Plain data, without a device. */
export function layerLaunches(
  { kind, B, M, depth = DEPTH, reads = 1 }: Omit<MemorySizes, 'T'>,
  form: MemoryForm,
  order: LayerKernelOptions['order'],
): Record<'forward' | 'backward', Launch<LayerBuffer>> {
  const options: LayerKernelOptions = { kind, ...form, depth, reads, ...rowElements(M), order };
  const label = (pass: string): string =>
    `memory ${pass}${order === 'steps' ? ' of a step' : ''}, ${kind} ${form.form}, M=${M}`;
  const groups = (): [x: number, y: number] => split(form.form === 'lane' ? Math.ceil(B / form.size) : B);
  const dims: readonly [LayerBuffer, 'uniform'] = ['dims', 'uniform'];
  return {
    forward: {
      label: label('forward'),
      code: memoryForward(options),
      buffers: [dims, read('controls'), read('value'), write('read'), write('slots'), write('undoLog')],
      groups,
      over: { pass: 'forward' },
      clears: keepsReads(options) ? [] : ['read'],
    },
    backward: {
      label: label('backward'),
      code: memoryBackward(options),
      buffers: [
        dims,
        read('controls'),
        read('value'),
        read('dRead'),
        write('slots'),
        write('undoLog'),
        write('dStrength'),
        write('dControls'),
        write('dValue'),
      ],
      groups,
      over: { pass: 'backward' },
      clears: ['dStrength', 'dValue'],
    },
  };
}

/**
 * Allocates the buffers and compiles the kernels. `order`: see LayerKernelOptions. A memory with rows takes 8 bytes of
 * slots and 16 bytes of undo log per step and end.
 */
async function open(
  buffers: MemoryBuffers,
  gpu: Gpu,
  { kind, B, T, M, depth = DEPTH, reads = 1 }: MemorySizes,
  form: MemoryForm,
  order: LayerKernelOptions['order'],
) {
  const { ends, controls, rows } = memoryKind(kind);
  const N = B * T * ends;
  const Q = readsOf(kind, reads);
  const entries = entriesOf(kind, Math.ceil(M / 4), T, depth);
  const all: Record<LayerBuffer, GPUBuffer> = {
    dims: buffers.make('sizes', 16, UNIFORM),
    controls: buffers.make('controls', controls.length * N * 4),
    value: buffers.make('value', N * M * 4),
    read: buffers.make('read', B * T * Q * M * 4),
    slots: buffers.make('slots', B * entries.slots * 8),
    undoLog: buffers.make('undoLog', B * entries.undoLog * 16),
    dRead: buffers.make('dRead', B * T * Q * M * 4),
    dStrength: buffers.make('dStrength', B * entries.dStrength * 4),
    dControls: buffers.make('dControls', controls.length * N * 4),
    dValue: buffers.make('dValue', N * M * 4),
  };
  const launches = layerLaunches({ kind, B, M, depth, reads }, form, order);
  return {
    all,
    program: await Program.compile(gpu, [launches.forward, launches.backward]),
    launches,
    size: { B, T, rowSplits: 1 },
    /** Locations by name of the arrays of steps t … t + steps − 1: one step in the order `steps`, else all T steps. */
    places(t: number, steps: number): Record<string, Place> {
      const { value, read, dRead, dValue } = all;
      const controlBytes = B * steps * ends * 4;
      const rowArrays = (
        [
          ['value', value, ends],
          ['dValue', dValue, ends],
          ['read', read, Q],
          ['dRead', dRead, Q],
        ] as const
      ).map(([name, buffer, perStep]) => [name, { buffer, offset: t * B * perStep * 4 * M }]);
      const controlArrays = controls.flatMap(({ name }, c) => {
        const offset = t * controls.length * B * ends * 4 + c * controlBytes;
        return [
          [name, { buffer: all.controls, offset }],
          [gradientName(name), { buffer: all.dControls, offset }],
        ];
      });
      return Object.fromEntries([...rowArrays, ...controlArrays]);
    },
    async strengths(steps: number): Promise<Float32Array[][]> {
      if (!rows) return noRows(B, steps);
      const states = await gpu.read([
        { buffer: all.slots, bytes: all.slots.size },
        { buffer: all.undoLog, bytes: all.undoLog.size },
      ]);
      const [slotWords, logWords] = states.map(bytes => new Uint32Array(bytes));
      const lengths = new Array<number>(B).fill(steps);
      return allStrengths({ kind, form: form.form, B, T }, slotWords, logWords, lengths)[0];
    },
  };
}

/** The places of whole buffers: offset 0. */
export const placesOf = (buffers: Record<string, GPUBuffer>): Record<string, Place> =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, { buffer, offset: 0 }]));
