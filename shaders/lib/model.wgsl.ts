import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf, type MemoryStorage, memoryKind, readsOf } from '../../src/base/memories.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { memoryFunctions } from '../memories/index.wgsl.ts';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';
import { rowsOf } from './rows.wgsl.ts';
import { range } from './text.ts';

/** Shared by the kernels of whole models: where the states of memories and the numbers of each end are stored. */

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
 * `fn slotAt(k, i)` and the like for all buffers of a memory.
 * @param at index expression, given the number of entries
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

/** Index functions of a model's memories (slotAt, undoAt …), for a shader that has `seq` and the batch. */
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
// Number of a read row of memory k among those of all memories; time step and end of one of its input rows.
fn stepOf(row: u32) -> u32 { return row / ${ends}u; }
fn readOf(k: u32, n: u32) -> u32 { return k * ${readsOf(spec.memory, spec.reads)}u + n; }
fn endOf(k: u32, row: u32) -> u32 { return k * ${ends}u + row % ${ends}u; }
`;
};

/** The functions of the memories in a kernel of the whole model. */
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

/** Numbers of a model's memories; empty if it has none. */
export const memoriesOf = ({ spec, E }: Layout): number[] => range(E ? spec.memories : 0);

const XYZW = 'xyzw';

/** A control of a memory. */
export interface ControlPlace {
  /** Number among the model's controls, and offset among the controls in the row s. */
  number: number;
  at: number;
  /** Place in the row s: index of the vec4, and component. */
  vector: number;
  component: string;
  /** Component in `controls` and `gradients`. */
  own: string;
}

/** The controls of memory k, ordered by end. */
export function controlsOf({ spec, N4, C, stride }: Layout, k: number): ControlPlace[] {
  const ends = endsOf(spec.memory);
  return range(ends * C).map(i => {
    const at = (k * ends + Math.floor(i / C)) * stride + (i % C);
    const vector = N4 + Math.floor(at / 4);
    return { number: k * ends * C + i, at, vector, component: XYZW[at % 4], own: XYZW[i] };
  });
}

/** `vec4f(…)` with one value per control of memory k. @param of expression of a control's value */
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

/** Splits the controls of a memory by end. */
const byEnd = ({ C }: Layout, controls: readonly ControlPlace[]): ControlPlace[][] =>
  range(controls.length / Math.max(1, C)).map(e => controls.slice(e * C, (e + 1) * C));

/**
 * Statements that turn the logits of memory k's controls into controls, in place: σ of each, or a softmax over each
 * end.
 * @param at the variable of a control
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
      const most = end.map((_, c) => `l${c}`).reduce((a, b) => `max(${a}, ${b})`);
      const powers = end.map((_, c) => `let e${c} = exp(l${c} - most);`);
      const sum = end.map((_, c) => `e${c}`).join(' + ');
      const shares = end.map((control, c) => `${at(control)} = e${c} / (${sum});`);
      return `{ ${[...logits, `let most = ${most};`, ...powers, ...shares].join(' ')} }`;
    })
    .join('\n');
};

/**
 * The backward pass of activateControls: turns gradients of memory k's controls into gradients of their logits, in
 * place.
 * @param x variable of a control @param d variable of its gradient
 */
export const activateControlsBackward = (
  layout: Layout,
  k: number,
  x: (control: ControlPlace) => string,
  d: (control: ControlPlace) => string,
): string => {
  const controls = controlsOf(layout, k);
  if (memoryKind(layout.spec.memory).activation === 'sigmoid')
    return controls.map(one => `${d(one)} *= ${x(one)} * (1.0 - ${x(one)});`).join('\n');
  return byEnd(layout, controls)
    .map(end => {
      const mean = end.map(one => `${x(one)} * ${d(one)}`).join(' + ');
      return `{ let mean = ${mean}; ${end.map(one => `${d(one)} = ${x(one)} * (${d(one)} - mean);`).join(' ')} }`;
    })
    .join('\n');
};
