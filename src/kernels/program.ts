import { type Bound, bind, dispatch, type Gpu, type Kernel, STEP_BYTES } from '../gpu/device.ts';
import { type Launch, launchesOf, type Size, type WorkUnit } from './launch.ts';
import type { Piece, Slice } from './pieces.ts';

/** Writes the slice of a submission to the device, immediately or as a command of the encoder. */
export type WriteSlice = (slice: Slice, encoder: GPUCommandEncoder) => void;

/** Records a submission, or part of one. */
export type Recording = (encoder: GPUCommandEncoder) => void;

/** Work compiled for a device and bound to its buffers. Records and submits it. */
export class Program<Name extends string> {
  readonly #gpu: Gpu;
  readonly #kernels: ReadonlyMap<Launch<Name>, Kernel>;
  /** One more than the largest `step` of a launch; 0 if no launch has one. */
  readonly #stepNumbers: number;
  #bound: ReadonlyMap<Launch<Name>, Bound> = new Map();
  #writeSlice: WriteSlice = () => undefined;

  private constructor(gpu: Gpu, kernels: ReadonlyMap<Launch<Name>, Kernel>) {
    this.#gpu = gpu;
    this.#kernels = kernels;
    this.#stepNumbers = Math.max(0, ...[...kernels.keys()].map(({ step = -1 }) => step + 1));
  }

  /** Compiles every kernel. @throws DeviceError if one does not compile */
  static async compile<Name extends string>(
    gpu: Gpu,
    work: readonly WorkUnit<Name>[],
  ): Promise<Program<Name>> {
    const launches = [...new Set(launchesOf(work))];
    const kernels = await Promise.all(
      launches.map(async launch => {
        const { label, code, buffers, step } = launch;
        const bindings = buffers.map(([, type]) => type);
        return [launch, await gpu.kernel(label, code, bindings, step !== undefined)] as const;
      }),
    );
    return new Program(gpu, new Map(kernels));
  }

  /** Binds buffers; they replace the previous ones. @param writeSlice required if a launch has `over` set */
  bind(buffers: (name: Name) => GPUBuffer, writeSlice?: WriteSlice): void {
    if (writeSlice) this.#writeSlice = writeSlice;
    this.#buffers = buffers;
    const bound = [...this.#kernels].map(([launch, kernel]) => {
      const ordered = launch.buffers.map(([name]) => buffers(name));
      return [launch, bind(this.#gpu, kernel, ordered)] as const;
    });
    this.#bound = new Map(bound);
  }
  #buffers: (name: Name) => GPUBuffer = () => {
    throw new Error('call bind() before recording: the program has no buffers.');
  };

  /** Returns one function per submission, in order, which submits it. */
  submissions(label: string, all: readonly (readonly Piece<Name>[])[], size: Size): (() => void)[] {
    return all.map(pieces => () => this.#gpu.submit(label, this.recording(label, pieces, size)));
  }

  /**
   * Returns a function that records these pieces for one submission. It writes the slice before the kernels read it.
   */
  recording(label: string, pieces: readonly Piece<Name>[], size: Size): Recording {
    return encoder => {
      const slice = pieces.find(piece => piece.slice)?.slice;
      if (slice) this.#writeSlice(slice, encoder);
      for (const { work, slice } of pieces) {
        if ('loop' in work || slice?.first === 0) continue;
        for (const name of work.clears ?? []) encoder.clearBuffer(this.#buffers(name));
      }
      const pass = encoder.beginComputePass({ label });
      const steps = this.#steps(size);
      for (const { work, range = { from: 0, to: size.T } } of pieces) {
        if (!('loop' in work)) {
          this.#dispatch(pass, work, size, steps, work.step);
          continue;
        }
        for (let k = range.from; k < range.to; k++) {
          const t = work.loop === 'forward' ? k : range.to - 1 - (k - range.from);
          for (const launch of work.launches) this.#dispatch(pass, launch, size, steps, t);
        }
      }
      pass.end();
    };
  }

  /** The bind group with the numbers of all steps, if any kernel reads one. */
  #steps({ T }: Size): GPUBindGroup | undefined {
    return this.#stepNumbers ? this.#gpu.steps(Math.max(T, this.#stepNumbers)) : undefined;
  }

  #dispatch(
    pass: GPUComputePassEncoder,
    launch: Launch<Name>,
    size: Size,
    steps: GPUBindGroup | undefined,
    step = 0,
  ): void {
    if (launch.step !== undefined) pass.setBindGroup(1, steps!, [step * STEP_BYTES]);
    dispatch(pass, this.#bound.get(launch)!, launch.groups(size));
  }
}
