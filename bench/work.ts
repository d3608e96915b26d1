/** Times work on a WebGPU device or on the CPU engine, in Node and in browsers. */
import type { Gpu } from '../src/gpu/device.ts';
import { type Spread, spread } from './measure.ts';

/** A workload that a device repeats. A pass is, for example, one forward and backward pass, or one training step. */
export interface Workload {
  /** The form or plan it uses, for people: "lane form", "fused, lane"; empty if there is no choice. */
  how: string;
  /** Maximum number of passes in flight. */
  maxPasses: number;
  /** Size of all its buffers on the device. */
  bytes: number;
  /**
   * Enqueues passes without waiting. Returns a promise if the passes are cut into
   * slices: the slices are submitted one after the other until the promise resolves.
   */
  enqueue(passes: number): Promise<unknown> | undefined;
  /** Waits for all enqueued passes. */
  settle(): Promise<void>;
  /** The outputs of one pass from the initial state, by the names that peers use. */
  outputs(): Promise<Map<string, Float32Array>>;
  destroy(): void;
}

/** One sample: ms per pass of wall-clock time and, if the device has timestamps, of device time. */
export interface Sample {
  ms: number;
  device?: number;
}

/** The measured times of a workload. */
export interface Timing {
  /** Wall-clock time per pass, with several passes per submission and one wait for all. */
  ms: Spread;
  /**
   * The same by the timestamps of the device. Absent for passes
   * cut into slices, because the gaps between them would count.
   */
  device?: Spread;
  /** Wall-clock time per pass, with a wait after each pass, as peers are timed. */
  waited?: Spread;
  /** Passes in one sample of `ms`. */
  passes: number;
  /** Dispatches per pass, on a GPU, if the pass is not cut into slices. */
  dispatches?: number;
  bytes: number;
}

/** Target time of a sample, in ms. */
export const SAMPLE_MS = 40;
/** Maximum number of passes in a sample. */
export const MAX_PASSES = 4096;

/** The clock of the device: timestamps of two empty passes around the work. */
export class Clock {
  readonly #gpu: Gpu;
  readonly #set: GPUQuerySet;
  readonly #times: GPUBuffer;

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#set = gpu.device.createQuerySet({ label: 'clock', type: 'timestamp', count: 2 });
    // QUERY_RESOLVE | COPY_SRC
    this.#times = gpu.buffer('clock', 16, 0x200 | 0x04);
  }

  /** Returns undefined if the device has no timestamps. */
  static of(gpu: Gpu): Clock | undefined {
    return gpu.device.features.has('timestamp-query') ? new Clock(gpu) : undefined;
  }

  start(): void {
    this.#mark({ querySet: this.#set, beginningOfPassWriteIndex: 0 });
  }

  stop(): void {
    this.#mark({ querySet: this.#set, endOfPassWriteIndex: 1 });
  }

  /** Time between start and stop. Undefined if the device's clock did not advance. */
  async ms(): Promise<number | undefined> {
    this.#gpu.submit('clock', encoder => encoder.resolveQuerySet(this.#set, 0, 2, this.#times, 0));
    const [bytes] = await this.#gpu.read([{ buffer: this.#times, bytes: 16 }]);
    const [start, stop] = new BigUint64Array(bytes);
    return stop > start ? Number(stop - start) / 1e6 : undefined;
  }

  #mark(timestampWrites: GPUComputePassTimestampWrites): void {
    this.#gpu.submit('clock', encoder => encoder.beginComputePass({ timestampWrites }).end());
  }
}

/** One sample of several passes with one wait at the end. */
export async function sampleWork(work: Workload, passes: number, clock?: Clock): Promise<Sample> {
  const start = performance.now();
  clock?.start();
  const sliced = work.enqueue(passes);
  clock?.stop();
  await work.settle();
  const ms = (performance.now() - start) / passes;
  const device = sliced ? undefined : await clock?.ms();
  return { ms, ...(device !== undefined && { device: device / passes }) };
}

/** One sample of several passes, with a wait after each of them. */
export async function sampleWaited(work: Workload, passes: number): Promise<Sample> {
  const start = performance.now();
  for (let k = 0; k < passes; k++) {
    work.enqueue(1);
    await work.settle();
  }
  return { ms: (performance.now() - start) / passes };
}

/**
 * The number of passes that take about SAMPLE_MS together. It is increased step by step, because the wait alone may
 * take longer than a pass.
 *
 * @param run runs this number of passes; returns their total time in ms
 * @param max maximum number of passes
 */
export async function passesFor(run: (passes: number) => Promise<number>, max: number): Promise<number> {
  for (let passes = 1; ; ) {
    const ms = await run(passes);
    const wanted = Math.max(1, Math.min(max, Math.round((passes * SAMPLE_MS) / ms)));
    if (wanted <= 2 * passes) return wanted;
    passes = Math.min(wanted, 8 * passes);
  }
}

/**
 * Enqueues one pass and returns the number of dispatches that it records.
 * Undefined if slices are recorded later, or the engine has no dispatches.
 */
export function countDispatches(work: Pick<Workload, 'enqueue'>): number | undefined {
  const { prototype } = GPUComputePassEncoder;
  const original = prototype.dispatchWorkgroups;
  let count = 0;
  prototype.dispatchWorkgroups = function (...groups: Parameters<typeof original>) {
    count++;
    return original.apply(this, groups);
  };
  try {
    return work.enqueue(1) ? undefined : count || undefined;
  } finally {
    prototype.dispatchWorkgroups = original;
  }
}

/** A workload that is compiled and warmed up. */
export interface Warm {
  passes: number;
  dispatches?: number;
  /** Approximate time of a sample, in ms. */
  sampleMs: number;
}

/**
 * Length of the warm-up, in ms. Each thread recompiles JavaScript and WebAssembly functions that are called often, with
 * more optimisation.
 */
export const WARM_MS = 500;

/** Warms up a workload. */
export async function warmUp(work: Workload): Promise<Warm> {
  const dispatches = countDispatches(work);
  await work.settle();
  await sampleWork(work, 1);
  const passes = await passesFor(
    async passes => (await sampleWork(work, passes)).ms * passes,
    work.maxPasses,
  );
  let sampleMs = Infinity;
  const end = performance.now() + WARM_MS;
  do {
    sampleMs = (await sampleWork(work, passes)).ms * passes;
  } while (performance.now() + sampleMs < end);
  return { passes, dispatches, sampleMs };
}

/** Summarises samples. Device times are used only if every sample has one. */
export function timingOf(
  work: Workload,
  { passes, dispatches }: Warm,
  samples: readonly Sample[],
  waited?: readonly Sample[],
): Timing {
  const device = samples.flatMap(({ device }) => device ?? []);
  return {
    ms: spread(samples.map(({ ms }) => ms)),
    ...(device.length === samples.length && { device: spread(device) }),
    ...(waited && { waited: spread(waited.map(({ ms }) => ms)) }),
    passes,
    dispatches,
    bytes: work.bytes,
  };
}
