import type { Binding } from '../gpu/device.ts';

/** The buffers of a model that kernels bind, by name. */
export const BUFFERS = [
  'batch',
  'params',
  'acts',
  'grads',
  'slots',
  'undoLog',
  'dStrength',
  'rowMetrics',
  'autoencoderLoss',
  'transposed',
  'partial',
  'gradient',
  'norms',
  'reports',
  'firstMoment',
  'secondMoment',
] as const;
export type BufferName = (typeof BUFFERS)[number];

/** The sizes that determine the number of workgroups. */
export interface Size {
  B: number;
  T: number;
  /** Number of parts that the rows are split into for the weight gradients. */
  rowSplits: number;
}

/** One dispatch as plain data: a kernel, its buffers and its number of workgroups. Program compiles and records it. */
export interface Launch<Name extends string = BufferName> {
  label: string;
  /** WGSL whose entry point is main(). */
  code: string;
  /** Buffers of bind group 0, in the order of their bindings. */
  buffers: readonly (readonly [Name, Binding])[];
  groups: (size: Size) => [x: number, y: number];
  /** Set if the kernel reads a step number in bind group 1: the time step if it is in a Loop, otherwise this number. */
  step?: number;
  /** Set if the kernel loops over time steps. Such a launch can be cut into slices of time steps. */
  over?: TimeLoop;
  /** Buffers to clear before the launch (before its first slice, if it is cut). */
  clears?: readonly Name[];
}

/**
 * Direction of a kernel's loop over time, and the number of rounds into which the sequences are divided (default 1).
 */
export interface TimeLoop {
  pass: 'forward' | 'backward';
  rounds?(size: Size): number;
}

/** Launches that run once per time step, in ascending (`forward`) or descending order of the steps. */
export interface Loop<Name extends string = BufferName> {
  loop: 'forward' | 'backward';
  launches: readonly Launch<Name>[];
}

/** A unit of dispatch: one launch, or a loop of launches. */
export type WorkUnit<Name extends string = BufferName> = Launch<Name> | Loop<Name>;

/** All launches of these units, including those in loops. */
export const launchesOf = <Name extends string>(work: readonly WorkUnit<Name>[]): Launch<Name>[] =>
  work.flatMap(unit => ('loop' in unit ? unit.launches : [unit]));

/** Bindings: `read` of a buffer that a kernel only reads, `write` of one that it also writes. */
export const read = <Name extends string>(name: Name): [Name, Binding] => [name, 'read-only-storage'];
export const write = <Name extends string>(name: Name): [Name, Binding] => [name, 'storage'];
