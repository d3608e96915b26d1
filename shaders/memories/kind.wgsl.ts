import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { MemoryName } from '../../src/base/memories.ts';

export interface MemoryOptions {
  kind: MemoryName;
  /** lane: one sequence per invocation; block: one sequence per workgroup. */
  form: 'lane' | 'block';
  /** Invocations per workgroup; in the block form also the number of rows per prefix sum. */
  size: number;
  subgroups: boolean;
  /** Superposition stack and tape: the number of their cells, and how many of them are read. */
  depth: number;
  reads: number;
  /** A row consists of `elements` elements of type `element`. */
  element: 'f32' | 'vec4f';
  elements: number;
}

/**
 * The code of a kind of memory: WGSL functions for memory `k` of the current sequence. The shader must declare the
 * buffers slots: array<vec2u> and undoLog: array<vec4u>, for the backward pass also dStrength: array<f32>, whose
 * contents are defined by the kind; and
 *
 *   fn slotAt(k, i), undoAt(k, i), gradientAt(k, i) -> u32   index of entry i of memory k in these buffers
 *   fn stepCount() -> u32                                    T
 *   fn loadValue(k, push, c) -> Element                      element c of the value of push number `push`: that of step
 *                                                            push / ends, end push % ends
 *   fn addRead(k, n, c, x)                                   r_t[n][c] += x for end n, or cell n; r_t starts as 0
 *   backward: fn loadDRead(k, n, c) -> Element, fn addDValue(k, push, c, x), and for kinds without rows
 *   fn loadControls(k, t) -> vec4f                           the controls of the first end, then those of the second
 *   block form: everything that sequenceState() declares
 *
 * The code defines the following functions. `bounds` is the state that they pass from step to step (the bounds
 * of the live slots):
 *
 *   fn boundsBefore(k, t) -> vec2u                           bounds before step t of the forward pass
 *   fn forward(k, t, bounds, controls) -> vec2u              one step; returns the new bounds
 *   fn clearGradient(k, bounds)                              sets the gradient of the state after the last step to 0
 *   fn backward(k, t, bounds) -> vec2u                       backward pass of step t, newest step first; takes the
 *                                                            bounds after the step, returns those before it, and
 *                                                            leaves the gradients of its controls in the variable
 *                                                            gradients: vec4f (block form: valid in invocation 0 only)
 *
 * In the block form all invocations call all functions except boundsBefore, in uniform control flow.
 */
export interface MemoryCode {
  functions(o: MemoryOptions, pass: 'forward' | 'backward'): string;
}

type Form = Pick<MemoryOptions, 'form' | 'size'>;

/** A loop over i in [from, to). In the block form it is divided between the invocations. */
export const divided = ({ form, size }: Form, i: string, from: string, to: string, body: string): string =>
  form === 'block'
    ? `for (var ${i} = ${from} + lid; ${i} < ${to}; ${i} += ${size}u) { ${body} }`
    : `for (var ${i} = ${from}; ${i} < ${to}; ${i}++) { ${body} }`;

/** In the block form, a barrier between stores of some invocations and loads of others. */
export const barrier = ({ form }: Pick<MemoryOptions, 'form'>): string =>
  form === 'block' ? 'storageBarrier();\n  workgroupBarrier();' : '';

/** Statements that only the first invocation of a workgroup runs; in the lane form, every invocation. */
export const byFirstInvocation = ({ form }: Pick<MemoryOptions, 'form'>, body: string): string =>
  form === 'block' ? `if (lid == 0u) {\n    ${body}\n  }` : body;

/** An expression for boundsBefore() of memory k that all invocations may evaluate. */
export const boundsAt = ({ form }: Pick<MemoryOptions, 'form'>, k: string, t: string): string =>
  `${form === 'lane' ? 'boundsBefore' : 'uniformBounds'}(${k}, ${t})`;

/** Number of vec4s per row. */
export const vec4sPerRow = ({ element, elements }: MemoryOptions): number =>
  element === 'vec4f' ? elements : Math.ceil(elements / 4);

/** The type Element of the elements of a row, and elementDot, the dot product of two elements. */
export const elementCode = ({ element }: Pick<MemoryOptions, 'element'>): string => wgsl`
alias Element = ${element};
fn elementDot(a: Element, b: Element) -> f32 { return ${element === 'vec4f' ? 'dot(a, b)' : 'a * b'}; }
`;
