import type { Binding } from '../gpu/device.ts';

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
  'firstMoment',
  'secondMoment',
] as const;
export type BufferName = (typeof BUFFERS)[number];

/** What the number of workgroups depends on. */
export interface Size {
  B: number;
  T: number;
  /** Parts that the rows are divided into for the weight gradients. */
  parts: number;
}

/** One dispatch, as data: what runs, on which buffers, in how many workgroups. Program compiles and records it. */
export interface Launch<Name extends string = BufferName> {
  label: string;
  /** WGSL whose entry point is main(). */
  code: string;
  /** Those of bind group 0, in the order of their bindings. */
  buffers: readonly (readonly [Name, Binding])[];
  groups: (size: Size) => [x: number, y: number];
  /** The kernel takes a number as a uniform in bind group 1: in a loop the time step, elsewhere this one. */
  step?: number;
  /** It goes over all time steps, and can be cut into slices of them. */
  over?: OverTime;
  /** Buffers that are cleared before it, or before the first slice of it. */
  clears?: readonly Name[];
}

/** Which way, and into how many rounds the sequences are divided; absent: all go together. */
export interface OverTime {
  way: 'forward' | 'backward';
  rounds?(size: Size): number;
}

/** Launches that run for every time step, first to last or back. */
export interface Loop<Name extends string = BufferName> {
  loop: 'forward' | 'backward';
  launches: readonly Launch<Name>[];
}

/** What is dispatched, in order. */
export type Work<Name extends string = BufferName> = Launch<Name> | Loop<Name>;

export const launchesOf = <Name extends string>(work: readonly Work<Name>[]): Launch<Name>[] =>
  work.flatMap(one => ('loop' in one ? one.launches : [one]));

/** A buffer that a kernel reads, and one that it writes to. */
export const read = <Name extends string>(name: Name): [Name, Binding] => [name, 'read-only-storage'];
export const write = <Name extends string>(name: Name): [Name, Binding] => [name, 'storage'];
