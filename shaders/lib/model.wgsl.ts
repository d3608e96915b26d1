import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf, type MemoryStorage, memoryKind, readsOf } from '../../src/base/memories.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { memoryFunctions } from '../memories/index.wgsl.ts';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';
import { elementsOf } from './rows.wgsl.ts';
import { lines, range } from './text.ts';

/**
 * For the kernels of whole models: where the states, values and controls of the memories are stored, and code that uses
 * them. s holds the inputs of the memories, a row per step and sequence; dS is its gradient; both are in the arenas
 * (see src/layout/layout.ts).
 */

/** Options of the kernels that contain a memory. */
export interface MemoryKernelOptions {
  layout: Layout;
  /** WGSL that declares the batch (batchOf). */
  batch: string;
  memory: Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;
}

/**
 * The WGSL functions slotAt(k, i), undoAt(k, i) and gradientAt(k, i).
 * @param at returns the index expression, given the number of entries of a memory
 * @param steps expression of T
 */
export const indexFunctions = (
  storage: MemoryStorage,
  at: (entries: string) => string,
  steps: string,
): string =>
  lines(
    [
      ['slotAt', storage.slots],
      ['undoAt', storage.undoLog],
      ['gradientAt', storage.dStrength],
    ] as const,
    ([name, { perStep, fixed }]) =>
      `fn ${name}(k: u32, i: u32) -> u32 { return ${at(`(${steps} * ${perStep}u + ${fixed}u)`)}; }`,
  );

/** Index functions of a model's memories: slotAt, undoAt … */
const memoryIndices = ({ spec, M4 }: Layout, form: MemoryOptions['form']): string => {
  const ends = endsOf(spec.memory);
  const at = (entries: string): string =>
    form === 'lane'
      ? `(k * ${entries} + i) * batch.B + seq`
      : `(seq * ${spec.memories}u + k) * ${entries} + i`;
  return wgsl`
${indexFunctions(memoryKind(spec.memory).storage(M4, spec.depth), at, 'batch.T')}
fn stepCount() -> u32 { return batch.T; }
// Time step of a push; number of read n of memory k among the reads of all memories; number of the end of a push among
// the ends of all memories.
fn stepOf(push: u32) -> u32 { return push / ${ends}u; }
fn readOf(k: u32, n: u32) -> u32 { return k * ${readsOf(spec.memory, spec.reads)}u + n; }
fn endOf(k: u32, push: u32) -> u32 { return k * ${ends}u + push % ${ends}u; }
`;
};

/**
 * The functions of the memories, and all that these need (see MemoryCode), for a kernel that declares `seq` and the
 * batch. Empty for a model without memories.
 * @param type the element type of the arenas
 * @param read returns the expression of element `i` of the current step's reads, to which the forward pass adds, or of
 * their gradients, which the backward pass loads
 */
export function memoryCode(
  { layout, memory }: MemoryKernelOptions,
  type: 'f32' | 'vec4f',
  pass: 'forward' | 'backward',
  read: (i: string) => string,
): string {
  const { spec, M4 } = layout;
  if (spec.memory === 'none') return '';
  const { depth, reads } = spec;
  const width = type === 'f32' ? 4 * M4 : M4;
  const place = read(`readOf(k, n) * ${width}u + c`);
  const elements = type === 'f32' ? spec.width : M4;
  return wgsl`
${memoryIndices(layout, memory.form)}
${valueFunctions(layout, type, pass)}
#if ${pass === 'forward'}
fn addRead(k: u32, n: u32, c: u32, x: ${type}) { ${place} += x; }
#else
fn loadDRead(k: u32, n: u32, c: u32) -> ${type} { return ${place}; }
${loadControls(layout, type)}
#endif
${memoryFunctions({ kind: spec.memory, ...memory, depth, reads, element: type, elements }, pass)}
`;
}

/** The numbers 0, 1 … of a model's memories; empty if it has none. */
export const memoriesOf = ({ spec, E }: Layout): number[] => range(E ? spec.memories : 0);

const XYZW = 'xyzw';

/** Where a control of a memory is stored. */
export interface ControlLocation {
  /** Its number among the model's controls. */
  number: number;
  /** Offset from the first control in the row s. */
  at: number;
  /** Index of its vec4 in the row s, and its component. */
  vector: number;
  component: string;
  /** Component in the vec4s `controls` and `gradients` of its memory. */
  local: string;
}

/** The controls of memory k, ordered by end. */
export function controlsOf({ spec, N4, C, stride }: Layout, k: number): ControlLocation[] {
  const ends = endsOf(spec.memory);
  return range(ends * C).map(i => {
    const at = (k * ends + Math.floor(i / C)) * stride + (i % C);
    const vector = N4 + Math.floor(at / 4);
    return { number: k * ends * C + i, at, vector, component: XYZW[at % 4], local: XYZW[i] };
  });
}

/** `vec4f(…)` with one value per control of memory k. @param of returns the expression of a control's value */
export const controlVector = (
  layout: Layout,
  k: number,
  of: (control: ControlLocation) => string,
): string => {
  const numbers = controlsOf(layout, k).map(of);
  return `vec4f(${XYZW.split('')
    .map((_, i) => numbers[i] ?? '0.0')
    .join(', ')})`;
};

/** `fn loadControls(k, t)`, for kinds whose backward pass needs the controls of the step: those without rows. */
const loadControls = (layout: Layout, acts: 'f32' | 'vec4f'): string => {
  const { spec, N4, C, stride } = layout;
  if (memoryKind(spec.memory).rows) return '';
  const ends = endsOf(spec.memory);
  const element = elementsOf(layout, acts);
  const load = (number: string): string =>
    acts === 'f32'
      ? element('s', '(t * batch.B + seq)', number)
      : `${element('s', '(t * batch.B + seq)', `${number} / 4u`)}[${number} % 4u]`;
  const numbers = range(4).map(i => {
    const at = Math.floor(i / C) * stride + (i % C);
    return i < ends * C ? load(`(${N4 * 4}u + k * ${ends * stride}u + ${at}u)`) : '0.0';
  });
  return `fn loadControls(k: u32, t: u32) -> vec4f { return vec4f(${numbers.join(', ')}); }`;
};

/** `fn loadValue`, and in the backward pass `fn addDValue`: element c of the value of a push, in s and in dS. */
const valueFunctions = (layout: Layout, type: 'f32' | 'vec4f', pass: 'forward' | 'backward'): string => {
  const width = type === 'f32' ? layout.M4 * 4 : layout.M4;
  const element = (field: string): string =>
    elementsOf(layout, type)(field, '(stepOf(push) * batch.B + seq)', `endOf(k, push) * ${width}u + c`);
  return wgsl`
fn loadValue(k: u32, push: u32, c: u32) -> ${type} { return ${element('s')}; }
#if ${pass === 'backward'}
fn addDValue(k: u32, push: u32, c: u32, x: ${type}) { ${element('dS')} += x; }
#endif
`;
};

/** Groups the controls of a memory by end. */
const byEnd = ({ C }: Layout, controls: readonly ControlLocation[]): ControlLocation[][] =>
  range(controls.length / Math.max(1, C)).map(e => controls.slice(e * C, (e + 1) * C));

/**
 * Statements that add the noise of row `row` to the logits of memory k's controls and compute the controls, in place: σ
 * of each, or a softmax over the controls of each end. The kernel must declare `row`.
 * @param at returns the variable of a control
 */
export const activateControls = (
  layout: Layout,
  k: number,
  at: (control: ControlLocation) => string,
): string => {
  const controls = controlsOf(layout, k);
  const logit = (control: ControlLocation): string => `${at(control)} + noiseAt(row, ${control.number}u)`;
  if (memoryKind(layout.spec.memory).activation === 'sigmoid')
    return lines(controls, control => `${at(control)} = sigmoid(${logit(control)});`);
  return lines(byEnd(layout, controls), end => {
    const logits = end.map((control, c) => `let l${c} = ${logit(control)};`);
    const largest = end.map((_, c) => `l${c}`).reduce((a, b) => `max(${a}, ${b})`);
    const exps = end.map((_, c) => `let e${c} = exp(l${c} - largest);`);
    const sum = end.map((_, c) => `e${c}`).join(' + ');
    const quotients = end.map((control, c) => `${at(control)} = e${c} / (${sum});`);
    return `{ ${[...logits, `let largest = ${largest};`, ...exps, ...quotients].join(' ')} }`;
  });
};

/**
 * The backward pass of activateControls: computes the gradients of the logits from those of memory k's controls, in
 * place.
 * @param x returns the variable of a control @param d returns the variable of its gradient
 */
export const activateControlsBackward = (
  layout: Layout,
  k: number,
  x: (control: ControlLocation) => string,
  d: (control: ControlLocation) => string,
): string => {
  const controls = controlsOf(layout, k);
  if (memoryKind(layout.spec.memory).activation === 'sigmoid')
    return lines(controls, u => `${d(u)} *= ${x(u)} * (1.0 - ${x(u)});`);
  return lines(byEnd(layout, controls), end => {
    const mean = end.map(u => `${x(u)} * ${d(u)}`).join(' + ');
    return `{ let mean = ${mean}; ${end.map(u => `${d(u)} = ${x(u)} * (${d(u)} - mean);`).join(' ')} }`;
  });
};
