import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { enableFor, mainOfSequence, sequenceState } from './lib/sequence.wgsl.ts';
import { range } from './lib/text.ts';
import { endsOfKind, type MemoryOptions, memoryFunctions } from './memory.wgsl.ts';

/**
 * The memory on its own, driven open-loop: push, pop and values of all steps are given. Arrays are [B,T,E] and
 * [B,T,E,M], E being 2 for a deque (top, bottom) and 1 otherwise.
 */

const entry = (o: MemoryOptions): string => wgsl`
${enableFor(o)}
// Time steps sliceFrom … sliceTo − 1 are gone over: from what the log says was before them, or after them.
struct Dims { B: u32, T: u32, sliceFrom: u32, sliceTo: u32 }
const ENDS = ${endsOfKind(o.kind)}u;
`;

/** Reads of all ends, in cells, that an invocation of the lane form still keeps in registers. */
const MOST_KEPT = 16;

/** Whether it does: then a step's reads are stored, and their gradients loaded, once, and not for every row. */
export const keepsReads = ({ kind, form, cells }: MemoryOptions): boolean =>
  form === 'lane' && cells * endsOfKind(kind) <= MOST_KEPT;

const prologue = (o: MemoryOptions): string => wgsl`
${sequenceState(o)}
fn stateAt(i: u32) -> u32 {
#if ${o.form === 'lane'}
  return i * dims.B + seq;  // neighbours in the batch lie side by side
#else
  return seq * dims.T * ENDS + i;  // neighbours in the memory do
#endif
}
fn slotAt(k: u32, i: u32) -> u32 { return stateAt(i); }
fn undoAt(k: u32, i: u32) -> u32 { return stateAt(i); }
fn origin() -> u32 { return dims.T * (ENDS - 1u); }
fn strengthAt(t: u32, end: u32) -> u32 { return (seq * dims.T + t) * ENDS + end; }
// A row's number is t·E + end, which is its place.
fn cellAt(row: u32, c: u32) -> u32 { return (seq * dims.T * ENDS + row) * ${o.cells}u + c; }
`;

/** `body` for every cell kept: its number, its end, its place in the row. */
const eachKept = (
  { kind, cells }: MemoryOptions,
  body: (i: string, end: string, c: string) => string,
): string =>
  range(endsOfKind(kind) * cells)
    .map(i => body(`${i}u`, `${Math.floor(i / cells)}u`, `${i % cells}u`))
    .join('\n');

/** (x of the first end, x of the second or 0). */
const pair = (o: MemoryOptions, x: string): string =>
  o.kind === 'deque'
    ? `vec2f(${x}[strengthAt(t, 0u)], ${x}[strengthAt(t, 1u)])`
    : `vec2f(${x}[strengthAt(t, 0u)], 0.0)`;

const boundsAt = ({ form }: MemoryOptions, t: string): string =>
  `${form === 'lane' ? 'boundsBefore' : 'uniformBounds'}(0u, ${t})`;

/** push, pop [B,T,E], value [B,T,E,M] -> read [B,T,E,M] (zero before, unless reads are kept), slots, log. */
export const memoryForward = (o: MemoryOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> push: array<f32>;
@group(0) @binding(2) var<storage, read> pop: array<f32>;
@group(0) @binding(3) var<storage, read> value: array<Cell>;
@group(0) @binding(4) var<storage, read_write> readOut: array<Cell>;
@group(0) @binding(5) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> undo: array<vec4u>;
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, row: u32, c: u32) -> Cell { return value[cellAt(row, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Cell, ${o.cells * endsOfKind(o.kind)}>;
fn addRead(k: u32, end: u32, c: u32, x: Cell) { kept[end * ${o.cells}u + c] += x; }
#else
fn addRead(k: u32, end: u32, c: u32, x: Cell) { readOut[cellAt(now * ENDS + end, c)] += x; }
#endif
${memoryFunctions(o, 'forward')}
${mainOfSequence(o, 'dims.B')}
  var bounds = ${boundsAt(o, 'dims.sliceFrom')};
  for (var t = dims.sliceFrom; t < dims.sliceTo; t++) {
    now = t;
    bounds = forward(0u, t, bounds, ${pair(o, 'push')}, ${pair(o, 'pop')});
    ${
      keepsReads(o)
        ? eachKept(
            o,
            (i, end, c) => `readOut[cellAt(t * ENDS + ${end}, ${c})] = kept[${i}]; kept[${i}] = Cell();`,
          )
        : ''
    }
  }
}
`;

/** value, slots, log, dRead [B,T,E,M] -> dPush, dPop [B,T,E], dValue [B,T,E,M] (zero before). Rewinds slots. */
export const memoryBackward = (o: MemoryOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> value: array<Cell>;
@group(0) @binding(2) var<storage, read> dRead: array<Cell>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> dStrength: array<f32>;
@group(0) @binding(6) var<storage, read_write> dPush: array<f32>;
@group(0) @binding(7) var<storage, read_write> dPop: array<f32>;
@group(0) @binding(8) var<storage, read_write> dValue: array<Cell>;
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, row: u32, c: u32) -> Cell { return value[cellAt(row, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Cell, ${o.cells * endsOfKind(o.kind)}>;
fn loadDRead(k: u32, end: u32, c: u32) -> Cell { return kept[end * ${o.cells}u + c]; }
#else
fn loadDRead(k: u32, end: u32, c: u32) -> Cell { return dRead[cellAt(now * ENDS + end, c)]; }
#endif
fn addDValue(k: u32, row: u32, c: u32, x: Cell) { dValue[cellAt(row, c)] += x; }
${memoryFunctions(o, 'backward')}
${mainOfSequence(o, 'dims.B')}
  var bounds = ${boundsAt(o, 'dims.sliceTo')};
  for (var steps = dims.sliceTo; steps > dims.sliceFrom; steps--) {
    let t = steps - 1u;
    now = t;
    ${keepsReads(o) ? eachKept(o, (i, end, c) => `kept[${i}] = dRead[cellAt(t * ENDS + ${end}, ${c})];`) : ''}
    bounds = backward(0u, t, bounds);
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
  ['x y', 'z w']
    .slice(0, endsOfKind(o.kind))
    .map((pair, end) => {
      const [d, u] = pair.split(' ');
      return `dPush[strengthAt(t, ${end}u)] = gradients.${d}; dPop[strengthAt(t, ${end}u)] = gradients.${u};`;
    })
    .join('\n');
