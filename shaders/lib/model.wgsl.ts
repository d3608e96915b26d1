import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layout } from '../../src/layout/layout.ts';
import { endsOfKind, type MemoryOptions, memoryFunctions } from '../memory.wgsl.ts';
import { range } from './text.ts';

/** What the kernels of whole models share: where a model's memories lie, and which numbers belong to which end. */

export interface FusedOptions {
  layout: Layout;
  /** Declares the batch (batchOf). */
  batch: string;
  /** Where the parameters are bound: uniform (up to 64 KiB) or read-only storage. */
  uniform: boolean;
  memory: Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;
}

/** Where the memories of a model lie, for a shader that has `seq` (and the batch). */
export const memoryPlaces = ({ spec }: Layout, form: MemoryOptions['form']): string => {
  if (spec.memory === 'none') return '';
  const ends = endsOfKind(spec.memory);
  const at =
    form === 'lane'
      ? `(k * batch.T * ${ends}u + i) * batch.B + seq`
      : `(seq * ${spec.memories}u + k) * batch.T * ${ends}u + i`;
  return wgsl`
fn slotAt(k: u32, i: u32) -> u32 { return ${at}; }
fn undoAt(k: u32, i: u32) -> u32 { return ${at}; }
fn origin() -> u32 { return batch.T * ${ends - 1}u; }
// An end of memory k among all the model's; time step and end of one of its rows.
fn stepOf(row: u32) -> u32 { return row / ${ends}u; }
fn ofMemory(k: u32, end: u32) -> u32 { return k * ${ends}u + end; }
fn endOf(k: u32, row: u32) -> u32 { return ofMemory(k, row % ${ends}u); }
`;
};

/** The memories' functions in a kernel of the whole model. */
export const memoryOf = (
  { spec, M4 }: Layout,
  memory: FusedOptions['memory'],
  cell: MemoryOptions['cell'],
  pass: 'forward' | 'backward',
): string =>
  spec.memory === 'none'
    ? ''
    : memoryFunctions({ kind: spec.memory, ...memory, cell, cells: cell === 'f32' ? spec.width : M4 }, pass);

/** The ends of memory k: their numbers among all of the model's. */
const endsOfMemory = ({ spec }: Layout, k: number): number[] => {
  if (spec.memory === 'none') return [];
  const ends = endsOfKind(spec.memory);
  return range(ends).map(end => k * ends + end);
};

/** `vec2f(of the first end, of the second or 0)`, from what each end of memory k has. */
export const perEnd = (layout: Layout, k: number, of: (end: number) => string): string => {
  const [first, second = '0.0'] = endsOfMemory(layout, k).map(of);
  return `vec2f(${first}, ${second})`;
};

/** Memories of a model; none where it has none. */
export const memoriesOf = ({ spec, E }: Layout): number[] => range(E ? spec.memories : 0);

/** (dd, du) of all ends out of `gradients`, as places of the row s: [component of gradients, vec4 of s, component]. */
export const strengthPlaces = (layout: Layout, k: number): { gradient: string; end: number }[] =>
  endsOfMemory(layout, k).map((end, i) => ({ gradient: i === 0 ? 'xy' : 'zw', end }));

const XYZW = 'xyzw';
/** The strengths (d, u) of an end in the row s. */
export const strengthsAt = ({ R4 }: Layout, end: number): { vector: number; d: string; u: string } => ({
  vector: R4 + Math.floor(end / 2),
  d: XYZW[2 * (end % 2)],
  u: XYZW[2 * (end % 2) + 1],
});
