import type { Binding, Gpu, Kernel } from '../gpu/device.ts';

/** The buffers of a model that kernels bind, by name. */
export const BUFFERS = [
  'batch',
  'params',
  'acts',
  'grads',
  'slots',
  'undo',
  'dStrength',
  'outcomes',
  'extra',
  'partial',
  'gradient',
  'norms',
  'reports',
  'mean',
  'square',
] as const;
export type BufferName = (typeof BUFFERS)[number];

/** What the number of workgroups depends on. */
export interface Size {
  B: number;
  T: number;
  parts: number;
}

/** One dispatch of a plan, as data: what runs, on which buffers, in how many workgroups. */
export interface Launch {
  kernel: Kernel;
  buffers: BufferName[];
  groups: (size: Size) => [x: number, y: number];
  /** It goes over all time steps, and can be cut into slices of them. */
  over?: OverTime;
}

/** Which way, and how many rounds of sequences one after the other a slice is to be of; 1 where all go together. */
export interface OverTime {
  way: 'forward' | 'backward';
  rounds(size: Size): number;
}

/** Launches that run for every time step, first to last or back. */
export interface Loop {
  loop: 'forward' | 'backward';
  launches: Launch[];
}

export type Work = Launch | Loop;

/** Makes launches for one device; what they bind is named with its access. */
export class Launcher {
  readonly #gpu: Gpu;
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }
  /** @param stepped the kernel takes the time step as a uniform in a group of its own */
  launch(
    label: string,
    code: string,
    buffers: [BufferName, Binding][],
    groups: Launch['groups'],
    stepped = false,
  ): Promise<Launch> {
    const made = this.#make(label, code, buffers, groups, stepped);
    // A plan waits for one after the other: where the first fails (the device was lost), nobody waits for the rest.
    made.catch(() => undefined);
    return made;
  }

  async #make(
    label: string,
    code: string,
    buffers: [BufferName, Binding][],
    groups: Launch['groups'],
    stepped: boolean,
  ): Promise<Launch> {
    const bindings = buffers.map(([, type]) => type);
    return {
      kernel: await this.#gpu.kernel(label, code, bindings, stepped),
      buffers: buffers.map(([name]) => name),
      groups,
    };
  }
}
export const read = (name: BufferName): [BufferName, Binding] => [name, 'read-only-storage'];
export const write = (name: BufferName): [BufferName, Binding] => [name, 'storage'];
