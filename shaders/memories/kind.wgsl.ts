import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryName } from '../../src/base/memories.ts';

export interface MemoryOptions {
  kind: MemoryName;
  /** lane: one sequence per invocation; block: one per workgroup. */
  form: 'lane' | 'block';
  /** Invocations of a workgroup; in the block form also rows per prefix sum. */
  size: number;
  subgroups: boolean;
  /** Cells of kinds with so many, and how many of them are read. */
  depth: number;
  reads: number;
  /** A row is `cells` of these. */
  cell: 'f32' | 'vec4f';
  cells: number;
}

/**
 * The code of a kind of memory: functions on memory `k` of this sequence, for a shader that declares slots: array<vec2u>,
 * undoLog: array<vec4u>, the backward pass dStrength: array<f32>, all for the kind to use as it likes, and
 *
 *   fn slotAt(k, i), undoAt(k, i), gradientAt(k, i) -> u32   where its entry i of these lies
 *   fn stepCount() -> u32                                    T
 *   fn loadValue(k, row, c) -> Cell                          cell c of the value given at step row / ends to end row % ends
 *   fn addRead(k, n, c, x)                                   r_t[n][c] += x, from 0: of end n, or cell n
 *   fn loadControls(k, t) -> vec4f                           of all ends, one after the other
 *   backward: fn loadDRead(k, n, c) -> Cell, fn addDValue(k, row, c, x)
 *   block form: all that sequenceState() declares
 *
 * It defines, with `place` its state from step to step (where the live slots begin and end):
 *
 *   fn placeBefore(k, t) -> vec2u                            before step t, as the forward pass left it
 *   fn forward(k, t, place, controls) -> vec2u               one step
 *   fn clearGradient(k, place)                               nothing has come to the state after the last step yet
 *   fn backward(k, t, place) -> vec2u                        newest step first; leaves the gradients of its controls in
 *                                                            `gradients`: vec4f
 *
 * In the block form all invocations call all but placeBefore, in uniform control flow.
 */
export interface MemoryCode {
  functions(o: MemoryOptions, pass: 'forward' | 'backward'): string;
}

type Form = Pick<MemoryOptions, 'form' | 'size'>;

/** A loop over i in [from, to), which the invocations of the block form share. */
export const shared = ({ form, size }: Form, i: string, from: string, to: string, body: string): string =>
  form === 'block'
    ? `for (var ${i} = ${from} + lid; ${i} < ${to}; ${i} += ${size}u) { ${body} }`
    : `for (var ${i} = ${from}; ${i} < ${to}; ${i}++) { ${body} }`;

/** Between what the invocations of the block form store and what others of them load. */
export const barrier = ({ form }: Pick<MemoryOptions, 'form'>): string =>
  form === 'block' ? 'storageBarrier();\n  workgroupBarrier();' : '';

/** vec4s of a row. */
export const groups = ({ cell, cells }: MemoryOptions): number =>
  cell === 'vec4f' ? cells : Math.ceil(cells / 4);

/** The type of a row's cells, and their product. */
export const cellCode = ({ cell }: Pick<MemoryOptions, 'cell'>): string => wgsl`
alias Cell = ${cell};
fn cellDot(a: Cell, b: Cell) -> f32 { return ${cell === 'vec4f' ? 'dot(a, b)' : 'a * b'}; }
`;
