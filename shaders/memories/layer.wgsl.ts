import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { controlCount, endsOf, memoryKind, readsOf } from '../../src/base/memories.ts';
import { placeFunctions } from '../lib/model.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';
import { range } from '../lib/text.ts';
import { memoryFunctions, placeAt } from './index.wgsl.ts';
import { groups, type MemoryOptions } from './kind.wgsl.ts';

/**
 * A memory on its own, E being its ends. In the order `sequences`, controls and values of all steps are given: arrays are [B,T,E]
 * and [B,T,E,M], those of several controls one after the other. In the order `steps` they come step by step, and what belongs to a
 * step lies together: [T,C,B,E] of C controls, and [T,B,E,M].
 */
export interface LayerOptions extends MemoryOptions {
  order: 'sequences' | 'steps';
}

const entry = (o: MemoryOptions): string => wgsl`
${enableFor(o)}
// Time steps sliceFrom … sliceTo − 1 are gone over: from what the log says was before them, or after them.
struct Dims { B: u32, T: u32, sliceFrom: u32, sliceTo: u32 }
const ENDS = ${endsOf(o.kind)}u;
const READS = ${readsOf(o.kind, o.reads)}u;
`;

/** Reads of a step, in cells, that an invocation of the lane form still keeps in registers. */
const MOST_KEPT = 16;

/** Whether it does: then a step's reads are stored, and their gradients loaded, once, and not for every row. */
export const keepsReads = ({ kind, form, reads, cells }: MemoryOptions): boolean =>
  form === 'lane' && cells * readsOf(kind, reads) <= MOST_KEPT;

/** Numbers of a step, all controls of all ends: (name of the place, end, control). */
const eachControl = (
  { kind }: MemoryOptions,
  body: (own: string, end: number, control: number) => string,
): string[] =>
  range(endsOf(kind) * controlCount(kind)).map(i =>
    body('xyzw'[i], Math.floor(i / controlCount(kind)), i % controlCount(kind)),
  );

const prologue = (o: LayerOptions): string => {
  const steps = o.order === 'steps';
  // In the lane form neighbours in the batch lie side by side, in the block form neighbours in the memory.
  const at = (entries: string): string => (o.form === 'lane' ? 'i * dims.B + seq' : `seq * ${entries} + i`);
  const controls = eachControl(o, (_, end, control) => `controls[controlAt(t, ${end}u, ${control}u)]`);
  return wgsl`
${sequenceState(o)}
${placeFunctions(memoryKind(o.kind).storage(groups(o), o.depth), at, 'dims.T')}
fn stepCount() -> u32 { return dims.T; }
fn controlAt(t: u32, end: u32, control: u32) -> u32 {
  return ${
    steps
      ? `((t * ${controlCount(o.kind)}u + control) * dims.B + seq) * ENDS + end`
      : '((control * dims.B + seq) * dims.T + t) * ENDS + end'
  };
}
fn loadControls(k: u32, t: u32) -> vec4f {
  return vec4f(${range(4)
    .map(i => controls[i] ?? '0.0')
    .join(', ')});
}
// The number of a row that is given is t·E + end; of one that is read t·Q + n.
fn cellAt(row: u32, c: u32) -> u32 {
  return (${steps ? '(row / ENDS * dims.B + seq) * ENDS + row % ENDS' : 'seq * dims.T * ENDS + row'}) * ${o.cells}u + c;
}
fn readAt(t: u32, n: u32, c: u32) -> u32 {
  return ((${steps ? 't * dims.B + seq' : 'seq * dims.T + t'}) * READS + n) * ${o.cells}u + c;
}
`;
};

/** `body` for every cell kept: its number, its row, its place in the row. */
const eachKept = (
  { kind, reads, cells }: MemoryOptions,
  body: (i: string, n: string, c: string) => string,
): string =>
  range(readsOf(kind, reads) * cells)
    .map(i => body(`${i}u`, `${Math.floor(i / cells)}u`, `${i % cells}u`))
    .join('\n');

/** controls, value -> read (zero before, unless reads are kept), slots, undoLog. */
export const memoryForward = (o: LayerOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<Cell>;
@group(0) @binding(3) var<storage, read_write> readOut: array<Cell>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undoLog: array<vec4u>;
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, row: u32, c: u32) -> Cell { return value[cellAt(row, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Cell, ${o.cells * readsOf(o.kind, o.reads)}>;
fn addRead(k: u32, n: u32, c: u32, x: Cell) { kept[n * ${o.cells}u + c] += x; }
#else
fn addRead(k: u32, n: u32, c: u32, x: Cell) { readOut[readAt(now, n, c)] += x; }
#endif
${memoryFunctions(o, 'forward')}
${mainOfSequence(o, 'dims.B')}
  var place = ${placeAt(o, 0, 'dims.sliceFrom')};
  for (var t = dims.sliceFrom; t < dims.sliceTo; t++) {
    now = t;
    place = forward(0u, t, place, loadControls(0u, t));
    ${
      keepsReads(o)
        ? eachKept(o, (i, n, c) => `readOut[readAt(t, ${n}, ${c})] = kept[${i}]; kept[${i}] = Cell();`)
        : ''
    }
  }
}
`;

/**
 * controls, value, slots, undoLog, dRead -> dControls, dValue (zero before, as dStrength is). Rewinds slots.
 */
export const memoryBackward = (o: LayerOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> controls: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<Cell>;
@group(0) @binding(3) var<storage, read> dRead: array<Cell>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undoLog: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dStrength: array<f32>;
@group(0) @binding(7) var<storage, read_write> dControls: array<f32>;
@group(0) @binding(8) var<storage, read_write> dValue: array<Cell>;
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, row: u32, c: u32) -> Cell { return value[cellAt(row, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Cell, ${o.cells * readsOf(o.kind, o.reads)}>;
fn loadDRead(k: u32, n: u32, c: u32) -> Cell { return kept[n * ${o.cells}u + c]; }
#else
fn loadDRead(k: u32, n: u32, c: u32) -> Cell { return dRead[readAt(now, n, c)]; }
#endif
fn addDValue(k: u32, row: u32, c: u32, x: Cell) { dValue[cellAt(row, c)] += x; }
${memoryFunctions(o, 'backward')}
${mainOfSequence(o, 'dims.B')}
  var place = ${placeAt(o, 0, 'dims.sliceTo')};
  for (var steps = dims.sliceTo; steps > dims.sliceFrom; steps--) {
    let t = steps - 1u;
    now = t;
    ${keepsReads(o) ? eachKept(o, (i, n, c) => `kept[${i}] = dRead[readAt(t, ${n}, ${c})];`) : ''}
    place = backward(0u, t, place);
#if ${o.form === 'lane'}
    ${store(o)}
#else
    if (lid == 0u) {
      ${store(o)}
    }
#endif
  }
}
`;

const store = (o: MemoryOptions): string =>
  eachControl(
    o,
    (own, end, control) => `dControls[controlAt(t, ${end}u, ${control}u)] = gradients.${own};`,
  ).join('\n');
