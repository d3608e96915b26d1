import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf, memoryKind, readsOf, type Storage } from '../../src/base/memories.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { memoryFunctions } from '../memories/index.wgsl.ts';
import type { MemoryOptions } from '../memories/kind.wgsl.ts';
import { rowsOf } from './rows.wgsl.ts';
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

/** `fn slotAt(k, i)` and its like of all buffers of a memory, by an expression for each buffer's entries. */
export const placeFunctions = (storage: Storage, at: (entries: string) => string, steps: string): string =>
  (
    [
      ['slotAt', storage.slots],
      ['undoAt', storage.undo],
      ['gradientAt', storage.dStrength],
    ] as const
  )
    .map(
      ([name, { perStep, once }]) =>
        `fn ${name}(k: u32, i: u32) -> u32 { return ${at(`(${steps} * ${perStep}u + ${once}u)`)}; }`,
    )
    .join('\n');

/** Where the memories of a model lie, for a shader that has `seq` (and the batch). */
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
// A row that memory k shows among all the model's; time step and end of one of the rows that it is given.
fn stepOf(row: u32) -> u32 { return row / ${ends}u; }
fn readOf(k: u32, n: u32) -> u32 { return k * ${readsOf(spec.memory, spec.reads)}u + n; }
fn endOf(k: u32, row: u32) -> u32 { return k * ${ends}u + row % ${ends}u; }
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

/** Memories of a model; none where it has none. */
export const memoriesOf = ({ spec, E }: Layout): number[] => range(E ? spec.memories : 0);

const XYZW = 'xyzw';

/** A control of a memory. */
export interface ControlPlace {
  /** Its number among the model's, and where it stands among them in the row s. */
  number: number;
  at: number;
  /** Where it stands in the row s: which vec4, and which component of it. */
  vector: number;
  component: string;
  /** Its component of `controls` and `gradients`. */
  own: string;
}

/** The controls of memory k, of one end after the other. */
export function controlsOf({ spec, N4, C, stride }: Layout, k: number): ControlPlace[] {
  const ends = endsOf(spec.memory);
  return range(ends * C).map(i => {
    const at = (k * ends + Math.floor(i / C)) * stride + (i % C);
    const vector = N4 + Math.floor(at / 4);
    return { number: k * ends * C + i, at, vector, component: XYZW[at % 4], own: XYZW[i] };
  });
}

/** `vec4f(…)` of what each control of memory k has. */
export const controlVector = (layout: Layout, k: number, of: (control: ControlPlace) => string): string => {
  const numbers = controlsOf(layout, k).map(of);
  return `vec4f(${XYZW.split('')
    .map((_, i) => numbers[i] ?? '0.0')
    .join(', ')})`;
};

/**
 * `fn loadControls(k, t)`, for kinds that look at controls of other steps.
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

/** Which of a memory's controls are one end's. */
const byEnd = ({ C }: Layout, controls: readonly ControlPlace[]): ControlPlace[][] =>
  range(controls.length / Math.max(1, C)).map(e => controls.slice(e * C, (e + 1) * C));

/**
 * Statements that make memory k's controls of their logits, in place: σ of each, or a softmax over those of an end.
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

/** The same backwards: gradients of memory k's controls become those of their logits. @param x a control @param d its gradient */
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
