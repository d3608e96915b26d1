/** Timing of work on a WebGPU device, in Node and in browsers. */
import type { Gpu } from '../src/gpu/device.ts';
import { type Spread, spread } from './measure.ts';

/** Something a device does again and again: a pass is one forward and backward pass, one training step … */
export interface Work {
  /** How it is computed, for people: "lane form", "fused, lane"; empty where there is no choice. */
  how: string;
  /** Passes that may wait on the device at once. */
  most: number;
  /** Of all its buffers on the device. */
  bytes: number;
  /**
   * Enqueues passes, without waiting. A promise where they are cut into slices, which are submitted by and by until it comes
   * back: what is submitted at once is only a part of them.
   */
  enqueue(passes: number): Promise<unknown> | undefined;
  /** Waits for all of them. */
  settle(): Promise<void>;
  /** The outputs of one pass from the start, by the names that peers use. */
  outputs(): Promise<Map<string, Float32Array>>;
  destroy(): void;
}

/** One sample: ms a pass, by the wall clock and, where the device has timestamps, by the device's. */
export interface Sample {
  ms: number;
  device?: number;
}

/** What is told of a work. */
export interface Timing {
  /** A pass by the wall clock, several in one submission, waited for together. */
  ms: Spread;
  /** The same by the device's timestamps; not of passes that are cut into slices, whose gaps would count. */
  device?: Spread;
  /** A pass by the wall clock, each waited for by itself, as peers are timed. */
  waited?: Spread;
  /** In one sample of `ms`. */
  passes: number;
  /** Of a pass that is not cut into slices, on a GPU. */
  dispatches?: number;
  bytes: number;
}

/** A sample takes about this long … */
export const SAMPLE_MS = 40;
/** … or has this many passes. */
export const MOST_PASSES = 4096;

/** The device's own clock: timestamps of two empty passes around the work. */
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

  /** Undefined where the device has no timestamps. */
  static of(gpu: Gpu): Clock | undefined {
    return gpu.device.features.has('timestamp-query') ? new Clock(gpu) : undefined;
  }

  start(): void {
    this.#mark({ querySet: this.#set, beginningOfPassWriteIndex: 0 });
  }

  stop(): void {
    this.#mark({ querySet: this.#set, endOfPassWriteIndex: 1 });
  }

  /** Between start and stop. Undefined where the device's clock did not move. */
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

/** One sample of so many passes in one go. */
export async function sampleWork(work: Work, passes: number, clock?: Clock): Promise<Sample> {
  const start = performance.now();
  clock?.start();
  const sliced = work.enqueue(passes);
  clock?.stop();
  await work.settle();
  const ms = (performance.now() - start) / passes;
  const device = sliced ? undefined : await clock?.ms();
  return { ms, ...(device !== undefined && { device: device / passes }) };
}

/** One sample of so many passes, each waited for before the next. */
export async function sampleWaited(work: Work, passes: number): Promise<Sample> {
  const start = performance.now();
  for (let k = 0; k < passes; k++) {
    work.enqueue(1);
    await work.settle();
  }
  return { ms: (performance.now() - start) / passes };
}

/**
 * Passes that take about SAMPLE_MS together: grown step by step, for the wait alone may take longer than a pass.
 *
 * @param run so many passes; returns their ms, all together
 */
export async function passesFor(run: (passes: number) => Promise<number>, most: number): Promise<number> {
  for (let passes = 1; ; ) {
    const ms = await run(passes);
    const wanted = Math.max(1, Math.min(most, Math.round((passes * SAMPLE_MS) / ms)));
    if (wanted <= 2 * passes) return wanted;
    passes = Math.min(wanted, 8 * passes);
  }
}

/** Dispatches that a pass records; undefined where slices of it are recorded later, and on an engine that has none. */
export function countDispatches(work: Pick<Work, 'enqueue'>): number | undefined {
  const { prototype } = GPUComputePassEncoder;
  const own = prototype.dispatchWorkgroups;
  let count = 0;
  prototype.dispatchWorkgroups = function (...groups: Parameters<typeof own>) {
    count++;
    return own.apply(this, groups);
  };
  try {
    return work.enqueue(1) ? undefined : count || undefined;
  } finally {
    prototype.dispatchWorkgroups = own;
  }
}

/** Compiled and warm. */
export interface Warm {
  passes: number;
  dispatches?: number;
  /** ms a sample, by and by. */
  sampleMs: number;
}

/** JavaScript and WebAssembly are compiled again, better, once they are known to be called often; in every thread. */
export const WARM_MS = 500;

/** Warms a work up. */
export async function warmUp(work: Work): Promise<Warm> {
  const dispatches = countDispatches(work);
  await work.settle();
  await sampleWork(work, 1);
  const passes = await passesFor(async passes => (await sampleWork(work, passes)).ms * passes, work.most);
  let sampleMs = Infinity;
  const end = performance.now() + WARM_MS;
  do {
    sampleMs = (await sampleWork(work, passes)).ms * passes;
  } while (performance.now() + sampleMs < end);
  return { passes, dispatches, sampleMs };
}

/** What samples come to. Device times count only where every sample has one. */
export function timingOf(
  work: Work,
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
