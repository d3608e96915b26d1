import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf, type MemoryStorage, memoryKind, readsOf } from '../../src/base/memories.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { memoryFunctions } from '../memories/index.wgsl.ts';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';
import { rowsOf } from './rows.wgsl.ts';
import { range } from './text.ts';

/**
 * For the kernels of whole models: the locations of the memories' states and of the controls, and code that uses them.
 */

/** Options of the kernels that contain a memory. */
export interface FusedOptions {
  layout: Layout;
  /** WGSL that declares the batch (batchOf). */
  batch: string;
  /** Whether the parameters are bound as a uniform (up to 64 KiB) or as read-only storage. */
  uniform: boolean;
  memory: Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;
}

/**
 * The WGSL functions slotAt(k, i), undoAt(k, i) and gradientAt(k, i).
 * @param at returns the index expression, given the number of entries of a memory
 * @param steps expression of T
 */
export const placeFunctions = (
  storage: MemoryStorage,
  at: (entries: string) => string,
  steps: string,
): string =>
  (
    [
      ['slotAt', storage.slots],
      ['undoAt', storage.undoLog],
      ['gradientAt', storage.dStrength],
    ] as const
  )
    .map(
      ([name, { perStep, once }]) =>
        `fn ${name}(k: u32, i: u32) -> u32 { return ${at(`(${steps} * ${perStep}u + ${once}u)`)}; }`,
    )
    .join('\n');

/** Index functions of a model's memories (slotAt, undoAt …), for a shader that declares `seq` and the batch. */
export const memoryPlaces = ({ spec, M4 }: Layout, form: MemoryOptions['form']): string => {
  if (spec.memory === 'none') return '';
  const ends = endsOf(spec.memory);
  const at = (entries: string): string =>
    form === 'lane'
      ? `(k * ${entries} + i) * batch.B + seq`
      : `(seq * ${spec.memories}u + k) * ${entries} + i`;
  return wgsl`
${placeFunctions(memoryKind(spec.memory).storage(M4, spec.depth), at, 'batch.T')}
fn stepCount() -> u32 { return batch.T; }
// Time step of an input row; number of read n of memory k among the reads of all memories; number of the end of an
// input row among the ends of all memories.
fn stepOf(row: u32) -> u32 { return row / ${ends}u; }
fn readOf(k: u32, n: u32) -> u32 { return k * ${readsOf(spec.memory, spec.reads)}u + n; }
fn endOf(k: u32, row: u32) -> u32 { return k * ${ends}u + row % ${ends}u; }
`;
};

/** The functions of the memories for a kernel of the whole model. */
export const memoryOf = (
  { spec, M4 }: Layout,
  memory: FusedOptions['memory'],
  cell: MemoryOptions['cell'],
  pass: 'forward' | 'backward',
): string =>
  spec.memory === 'none'
    ? ''
    : memoryFunctions(
        {
          kind: spec.memory,
          ...memory,
          depth: spec.depth,
          reads: spec.reads,
          cell,
          cells: cell === 'f32' ? spec.width : M4,
        },
        pass,
      );

/** The numbers 0, 1 … of a model's memories; empty if it has none. */
export const memoriesOf = ({ spec, E }: Layout): number[] => range(E ? spec.memories : 0);

const XYZW = 'xyzw';

/** The locations of one control of a memory. */
export interface ControlPlace {
  /** Number among the model's controls; and offset in the row s from the first control. */
  number: number;
  at: number;
  /** In the row s: index of the vec4, and component. */
  vector: number;
  component: string;
  /** Component in the vec4s `controls` and `gradients` of its memory. */
  local: string;
}

/** The controls of memory k, ordered by end. */
export function controlsOf({ spec, N4, C, stride }: Layout, k: number): ControlPlace[] {
  const ends = endsOf(spec.memory);
  return range(ends * C).map(i => {
    const at = (k * ends + Math.floor(i / C)) * stride + (i % C);
    const vector = N4 + Math.floor(at / 4);
    return { number: k * ends * C + i, at, vector, component: XYZW[at % 4], local: XYZW[i] };
  });
}

/** `vec4f(…)` with one value per control of memory k. @param of returns the expression of a control's value */
export const controlVector = (layout: Layout, k: number, of: (control: ControlPlace) => string): string => {
  const numbers = controlsOf(layout, k).map(of);
  return `vec4f(${XYZW.split('')
    .map((_, i) => numbers[i] ?? '0.0')
    .join(', ')})`;
};

/**
 * `fn loadControls(k, t)`, for kinds that need the controls of other steps.
 * @param acts the type of an element of `acts`
 */
export const loadControls = (layout: Layout, acts: 'f32' | 'vec4f'): string => {
  const { spec, N4, C, stride } = layout;
  const ends = endsOf(spec.memory);
  if (!ends) return '';
  const row = rowsOf(layout)('s', '(t * batch.B + seq)');
  const load = (number: string): string =>
    acts === 'f32' ? `acts[(${row}) * 4u + ${number}]` : `acts[${row} + ${number} / 4u][${number} % 4u]`;
  const numbers = range(4).map(i => {
    const at = Math.floor(i / C) * stride + (i % C);
    return i < ends * C ? load(`(${N4 * 4}u + k * ${ends * stride}u + ${at}u)`) : '0.0';
  });
  return `fn loadControls(k: u32, t: u32) -> vec4f { return vec4f(${numbers.join(', ')}); }`;
};

/** Groups the controls of a memory by end. */
const byEnd = ({ C }: Layout, controls: readonly ControlPlace[]): ControlPlace[][] =>
  range(controls.length / Math.max(1, C)).map(e => controls.slice(e * C, (e + 1) * C));

/**
 * Statements that compute the controls of memory k from their logits, in place: σ of each, or a softmax over the
 * controls of each end.
 * @param at returns the variable of a control
 */
export const activateControls = (
  layout: Layout,
  k: number,
  at: (control: ControlPlace) => string,
): string => {
  const controls = controlsOf(layout, k);
  const logit = (control: ControlPlace): string => `${at(control)} + noiseAt(row, ${control.number}u)`;
  if (memoryKind(layout.spec.memory).activation === 'sigmoid')
    return controls.map(control => `${at(control)} = sigmoid(${logit(control)});`).join('\n');
  return byEnd(layout, controls)
    .map(end => {
      const logits = end.map((control, c) => `let l${c} = ${logit(control)};`);
      const largest = end.map((_, c) => `l${c}`).reduce((a, b) => `max(${a}, ${b})`);
      const powers = end.map((_, c) => `let e${c} = exp(l${c} - most);`);
      const sum = end.map((_, c) => `e${c}`).join(' + ');
      const shares = end.map((control, c) => `${at(control)} = e${c} / (${sum});`);
      return `{ ${[...logits, `let most = ${largest};`, ...powers, ...shares].join(' ')} }`;
    })
    .join('\n');
};

/**
 * The backward pass of activateControls: computes the gradients of the logits from those of memory k's controls, in
 * place.
 * @param x returns the variable of a control @param d returns the variable of its gradient
 */
export const activateControlsBackward = (
  layout: Layout,
  k: number,
  x: (control: ControlPlace) => string,
  d: (control: ControlPlace) => string,
): string => {
  const controls = controlsOf(layout, k);
  if (memoryKind(layout.spec.memory).activation === 'sigmoid')
    return controls.map(u => `${d(u)} *= ${x(u)} * (1.0 - ${x(u)});`).join('\n');
  return byEnd(layout, controls)
    .map(end => {
      const mean = end.map(u => `${x(u)} * ${d(u)}`).join(' + ');
      return `{ let mean = ${mean}; ${end.map(u => `${d(u)} = ${x(u)} * (${d(u)} - mean);`).join(' ')} }`;
    })
    .join('\n');
};
