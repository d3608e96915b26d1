import { DeviceError, DeviceLost, InputError, messageOf, sentence } from '../base/errors.ts';
import { type AdapterKind, type DeviceProfile, type ProfileName, profileFor } from './profile.ts';
import { Waits } from './waits.ts';

/**
 * A WebGPU device, its pipelines, and the errors that it reported. WebGPU reports validation errors, out-of-memory
 * errors and device loss through callbacks, long after the call that caused them. The callbacks only record the error;
 * check() throws it. Everything that waits for the device calls check().
 */
export class Gpu {
  readonly device: GPUDevice;
  /** Decides which kernels are generated for this device. */
  readonly profile: DeviceProfile;
  readonly #waits: Waits;
  #fault: DeviceError | undefined;
  #ended = false;
  readonly #lost: Promise<never>;
  #kernels = new Map<string, Promise<Kernel>>();

  constructor(device: GPUDevice, profile: DeviceProfile) {
    this.device = device;
    this.profile = profile;
    this.#waits = new Waits(device.queue);
    device.addEventListener('uncapturederror', event => {
      this.#fault ??= new DeviceError(
        `the device reported: ${(event as GPUUncapturedErrorEvent).error.message}`,
      );
    });
    this.#lost = device.lost.then(({ reason, message }) => {
      const detail = message.trim() || 'no reason was given';
      const lost = new DeviceLost(sentence(`the device was lost (${reason}): ${detail}`));
      // A loss replaces errors reported earlier, because it probably caused them.
      if (!this.#ended) this.#fault = lost;
      this.#waits.end();
      throw lost;
    });
    // Prevents an unhandled rejection when nothing waits for the device.
    this.#lost.catch(() => undefined);
  }

  /** Wraps a device of an adapter of this kind. @param forced a profile other than the kind's own, for tests */
  static of(device: GPUDevice, kind: AdapterKind, forced?: ProfileName): Gpu {
    return new Gpu(device, profileFor(device, kind, forced));
  }

  /**
   * Settles like `promised`, or rejects if the device is lost: after its GPU process has died, a browser may never
   * settle a promise of WebGPU.
   */
  #rejectIfLost<T>(promised: Promise<T>): Promise<T> {
    return Promise.race([promised, this.#lost]);
  }

  /** Like #rejectIfLost, for a promise of the queue: sends nudges while waiting, if they help (see Waits). */
  #whenDone<T>(promised: Promise<T>): Promise<T> {
    return this.#rejectIfLost(this.#waits.during(promised));
  }

  /** Measures how to wait for this device: see Waits. Call it once, before the device has any work. */
  measureWaits(): Promise<void> {
    return this.#waits.measure(promised => this.#rejectIfLost(promised));
  }

  /** Number of submissions so far, and number of submissions known to be done. */
  #submitted = 0;
  #done = 0;

  /** Resolves when everything submitted so far is done. Rejects if the device is lost. */
  async done(): Promise<undefined> {
    const submitted = this.#submitted;
    await this.#whenDone(this.device.queue.onSubmittedWorkDone());
    this.#done = Math.max(this.#done, submitted);
  }

  /** Whether everything submitted is known to be done, because a wait for it has ended. */
  get idle(): boolean {
    return this.#done === this.#submitted;
  }

  /**
   * Destroys the device. A device that ends in any other way, even by a direct call of its destroy(), counts as lost.
   */
  end(): void {
    this.#ended = true;
    this.#waits.end();
    if (!this.#abandoned) this.device.destroy();
  }

  #abandoned = false;

  /**
   * Gives up on work that does not end: end() then leaves the device to the garbage collector, because Dawn's destroy()
   * returns only when all work is done.
   */
  abandon(): void {
    this.#abandoned = true;
    this.#waits.end();
  }

  /** Throws the first error that the device has reported. A loss takes precedence over all other errors. */
  check(): void {
    if (this.#fault) throw this.#fault;
  }

  /**
   * Throws the cause of an error. The calls that fail because of a device loss often fail before the loss itself is
   * reported, so this waits for the report.
   */
  async #cause(what: string, error: unknown): Promise<never> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = new Promise(resolve => {
      timer = setTimeout(resolve, LOSS_MS);
    });
    await Promise.race([this.#lost.catch(() => undefined), soon]);
    clearTimeout(timer);
    this.check();
    throw new DeviceError(sentence(`${what}: ${messageOf(error) || 'the device was destroyed'}`));
  }

  /**
   * Returns the kernel of this WGSL. The same WGSL is compiled only once.
   * @param stepped whether the kernel reads the number of its step in group 1 (see steps())
   * @throws DeviceError with the compiler's message and the source line
   */
  kernel(label: string, code: string, bindings: readonly Binding[], stepped = false): Promise<Kernel> {
    let kernel = this.#kernels.get(code);
    if (!kernel) {
      kernel = this.#compile(label, code, bindings, stepped);
      kernel.catch(() => undefined);
      this.#kernels.set(code, kernel);
    }
    return kernel;
  }

  async #compile(
    label: string,
    code: string,
    bindings: readonly Binding[],
    stepped: boolean,
  ): Promise<Kernel> {
    const { device } = this;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code });
    const layout = device.createBindGroupLayout({
      label,
      entries: bindings.map((type, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type },
      })),
    });
    const scope = device.popErrorScope();
    const [info, invalid] = await this.#rejectIfLost(Promise.all([module.getCompilationInfo(), scope]));
    const errors = info.messages.filter(message => message.type === 'error');
    if (errors.length || invalid) {
      const lines = code.split('\n');
      const report = errors.map(e => `line ${e.lineNum}: ${e.message}\n    ${lines[e.lineNum - 1] ?? ''}`);
      throw new DeviceError(`kernel ${label} does not compile: ${report.join('\n') || invalid?.message}`);
    }
    try {
      const compiled = device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({
          label,
          bindGroupLayouts: [layout, ...(stepped ? [this.#stepLayout()] : [])],
        }),
        compute: { module, entryPoint: 'main' },
      });
      const pipeline = await this.#rejectIfLost(compiled);
      return { label, pipeline, layout };
    } catch (error) {
      return this.#cause(`kernel ${label} cannot be built on this device`, error);
    }
  }

  #steps: { layout: GPUBindGroupLayout; group?: GPUBindGroup; buffer?: GPUBuffer; count: number } | undefined;

  #stepLayout(): GPUBindGroupLayout {
    this.#steps ??= {
      layout: this.device.createBindGroupLayout({
        label: 'step',
        entries: [
          {
            binding: 0,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 16 },
          },
        ],
      }),
      count: 0,
    };
    return this.#steps.layout;
  }

  /**
   * Returns the bind group from which stepped kernels read the number of their step, 0 to `count` − 1. The dynamic
   * offset of a step is step · STEP_BYTES.
   */
  steps(count: number): GPUBindGroup {
    const layout = this.#stepLayout();
    const steps = this.#steps!;
    if (!steps.group || steps.count < count) {
      // Submitted work keeps the old buffer alive until it is done.
      steps.buffer?.destroy();
      const numbers = new Uint32Array((count * STEP_BYTES) / 4);
      for (let t = 0; t < count; t++) numbers[(t * STEP_BYTES) / 4] = t;
      const buffer = this.buffer(`numbers of ${count} steps`, numbers.byteLength, UNIFORM);
      this.device.queue.writeBuffer(buffer, 0, numbers);
      steps.buffer = buffer;
      const resource = { buffer, size: 16 };
      steps.group = this.device.createBindGroup({
        label: 'step',
        layout,
        entries: [{ binding: 0, resource }],
      });
      steps.count = count;
    }
    return steps.group;
  }

  /** Creates a buffer for kernels. @throws InputError naming the buffer if it exceeds the device's limits */
  buffer(label: string, bytes: number, usage = STORAGE): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (size > this.largest) {
      throw new InputError(
        `${this.tooLarge(label, size)}: use a smaller batch, shorter sequences or a smaller model.`,
      );
    }
    return this.#allocate(label, size, usage);
  }

  /** Creates a buffer. If the device is out of memory, check() throws an error that names the buffer. */
  #allocate(label: string, size: number, usage: number): GPUBuffer {
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ label, size, usage });
    this.device.popErrorScope().then(
      error => {
        if (!error) return;
        const advice =
          'use a smaller batch or shorter sequences, or close other programs that use the device';
        this.#fault ??= new DeviceError(
          `${label} needs ${mib(size)}, and the device is out of memory: ${advice}.`,
        );
      },
      // A lost device has no error scopes.
      () => undefined,
    );
    return buffer;
  }

  /** Size of the largest buffer that kernels can bind, in bytes. */
  get largest(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    return Math.min(maxStorageBufferBindingSize, maxBufferSize);
  }

  /** Message for a buffer that is too large: `acts (B=10, T=5) needs 3.0 MiB but this device binds at most 2.0 MiB` */
  tooLarge(label: string, bytes: number): string {
    return `${label} needs ${mib(bytes)} but this device binds at most ${mib(this.largest)}`;
  }

  /** Records commands with `record` and submits them as one command buffer. */
  submit(label: string, record: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.device.createCommandEncoder({ label });
    record(encoder);
    this.device.queue.submit([encoder.finish()]);
    this.#submitted++;
  }

  /**
   * Copies parts of buffers to the host, after everything submitted so far. Waits for the device.
   * @throws DeviceError if the device failed, DeviceLost if it was lost
   */
  async read(
    parts: readonly { buffer: GPUBuffer; offset?: number; bytes: number }[],
  ): Promise<ArrayBuffer[]> {
    const sizes = parts.map(({ bytes }) => Math.ceil(bytes / 4) * 4);
    const total = Math.max(
      4,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const kept = this.#staging;
    const fits = kept !== undefined && kept.size >= total;
    if (fits) this.#staging = undefined;
    const staging = fits ? kept : this.#allocate('copy of results for the host', total, usage);
    let at = 0;
    this.submit('read back', encoder => {
      for (const [k, { buffer, offset = 0 }] of parts.entries()) {
        if (sizes[k]) encoder.copyBufferToBuffer(buffer, offset, staging, at, sizes[k]);
        at += sizes[k];
      }
    });
    const submitted = this.#submitted;
    try {
      // Map only what is read, because a browser copies the mapped range between processes.
      await this.#whenDone(staging.mapAsync(GPUMapMode.READ, 0, total));
      this.#done = Math.max(this.#done, submitted);
    } catch (error) {
      return this.#cause('results could not be read back', error);
    }
    this.check();
    const all = staging.getMappedRange(0, total);
    let from = 0;
    const copies = parts.map(({ bytes }, k) => {
      const copy = all.slice(from, from + bytes);
      from += sizes[k];
      return copy;
    });
    staging.unmap();
    this.#keepStaging(staging);
    return copies;
  }

  /** A buffer that read() may use again. On an NVIDIA H200, creating a buffer takes 0.5 ms, but a wait only 0.06 ms. */
  #staging: GPUBuffer | undefined;

  /** Keeps the larger of two buffers, unless it is very large. */
  #keepStaging(buffer: GPUBuffer): void {
    const kept = this.#staging;
    const keep = buffer.size <= MAX_STAGING && buffer.size > (kept?.size ?? 0);
    (keep ? kept : buffer)?.destroy();
    if (keep) this.#staging = buffer;
  }
}

/** Maximum number of bytes of a buffer that is kept for the next read(). */
const MAX_STAGING = 2 ** 24;

/** Time in ms to wait for the report of a device loss after a call has failed. */
const LOSS_MS = 1000;

export type Binding = GPUBufferBindingType;

/**
 * A compiled pipeline. Its buffers are in bind group 0, in the order of its bindings; a stepped kernel also reads its
 * step number in group 1.
 */
export interface Kernel {
  label: string;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

const STORAGE = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC: GPUBufferUsage may not exist yet on import
/** Usage of a buffer that kernels also bind as a uniform. */
export const UNIFORM = STORAGE | 0x40;

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/**
 * Splits a number of workgroups over two dimensions, because one dimension holds at most 65,535. Kernels compute a
 * single index from both.
 */
export function split(groups: number): [x: number, y: number] {
  const x = Math.min(groups, 65_535);
  return [x, Math.ceil(groups / Math.max(1, x))];
}

/** Distance between consecutive step numbers, in bytes: a valid dynamic offset on every device. */
export const STEP_BYTES = 256;

/** Records one dispatch of a bound kernel with this number of workgroups. */
export function dispatch(pass: GPUComputePassEncoder, bound: Bound, groups: [x: number, y: number]): void {
  pass.setPipeline(bound.kernel.pipeline);
  pass.setBindGroup(0, bound.group);
  pass.dispatchWorkgroups(...groups);
}

/** A kernel with its buffers bound. */
export interface Bound {
  kernel: Kernel;
  group: GPUBindGroup;
}

/** Binds buffers to a kernel, in the order of its bindings. */
export function bind(gpu: Gpu, kernel: Kernel, buffers: readonly GPUBuffer[]): Bound {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return {
    kernel,
    group: gpu.device.createBindGroup({ label: kernel.label, layout: kernel.layout, entries }),
  };
}

/**
 * Requests a device from this adapter, with its limits for buffers and workgroup memory, and with `subgroups` and
 * `timestamp-query` if the adapter has them. Kernels stay within WebGPU's default limits for everything else.
 * @throws the browser's or Dawn's error if the adapter gives no device
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const wanted = ['subgroups', 'timestamp-query'] as GPUFeatureName[];
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  return adapter.requestDevice({
    label: 'pushdown',
    requiredFeatures: wanted.filter(feature => adapter.features.has(feature)),
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize },
  });
}
