import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { controlCount, endsOf, memoryKind, readsOf } from '../../src/base/memories.ts';
import { indexFunctions } from '../lib/model.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from '../lib/sequence.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines, range } from '../lib/text.ts';
import { memoryFunctions } from './index.wgsl.ts';
import { boundsAt, byFirstInvocation, type MemoryOptions, vec4sPerRow } from './kind.wgsl.ts';

/**
 * The kernels of a memory layer with E ends. In the order `sequences` the controls and values of all steps are known:
 * each control is an array [B,T,E], all C of them one after another, and values are [B,T,E,M]. In the order `steps`
 * they become known step by step, so the data of a step are contiguous: controls [T,C,B,E], values [T,B,E,M].
 */
export interface LayerKernelOptions extends MemoryOptions {
  order: 'sequences' | 'steps';
}

const entry = (o: MemoryOptions): string => wgsl`
${enableFor(o)}
// The kernel processes time steps sliceFrom … sliceTo − 1. It takes the bounds before them (forward pass)
// or after them (backward pass) from the log.
struct Dims { B: u32, T: u32, sliceFrom: u32, sliceTo: u32 }
const ENDS = ${endsOf(o.kind)}u;
const READS = ${readsOf(o.kind, o.reads)}u;
`;

/** Maximum number of elements of a step's reads that an invocation of the lane form keeps in registers. */
const MAX_KEPT = 16;

/**
 * Whether a step's reads are kept in registers: they are then stored once, and their gradients loaded once, instead of
 * once per row that is read.
 */
export const keepsReads = ({ kind, form, reads, elements }: MemoryOptions): boolean =>
  form === 'lane' && elements * readsOf(kind, reads) <= MAX_KEPT;

/** `body` for all controls of all ends: component of the vec4 of controls, number of the end, number of the control. */
const eachControl = (
  { kind }: MemoryOptions,
  body: (component: string, end: number, control: number) => string,
): string[] =>
  range(endsOf(kind) * controlCount(kind)).map(i =>
    body('xyzw'[i], Math.floor(i / controlCount(kind)), i % controlCount(kind)),
  );

const prologue = (o: LayerKernelOptions): string => {
  const steps = o.order === 'steps';
  // In the lane form, entry i of all sequences is contiguous; in the block form, all entries of a sequence are.
  const at = (entries: string): string => (o.form === 'lane' ? 'i * dims.B + seq' : `seq * ${entries} + i`);
  const controls = eachControl(o, (_, end, control) => `controls[controlAt(t, ${end}u, ${control}u)]`);
  return wgsl`
${sequenceState(o)}
${indexFunctions(memoryKind(o.kind).storage(vec4sPerRow(o), o.depth), at, 'dims.T')}
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
// Indices of element c: of the value of push t·E + end; of read n of step t.
fn elementAt(push: u32, c: u32) -> u32 {
  return (${steps ? '(push / ENDS * dims.B + seq) * ENDS + push % ENDS' : 'seq * dims.T * ENDS + push'}) * ${o.elements}u + c;
}
fn readAt(t: u32, n: u32, c: u32) -> u32 {
  return ((${steps ? 't * dims.B + seq' : 'seq * dims.T + t'}) * READS + n) * ${o.elements}u + c;
}
`;
};

/** `body` for every element kept in registers: its number, the number of its read, and its number in the read. */
const eachKept = (
  { kind, reads, elements }: MemoryOptions,
  body: (i: string, n: string, c: string) => string,
): string =>
  lines(readsOf(kind, reads) * elements, i =>
    body(`${i}u`, `${Math.floor(i / elements)}u`, `${i % elements}u`),
  );

/** controls, value -> read, slots, undoLog. The caller clears `read`, unless keepsReads(). */
export const memoryForward = (o: LayerKernelOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
${storage(1, 'controls: f32, value: Element -> readOut: Element, slots: vec2u, undoLog: vec4u')}
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, push: u32, c: u32) -> Element { return value[elementAt(push, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Element, ${o.elements * readsOf(o.kind, o.reads)}>;
fn addRead(k: u32, n: u32, c: u32, x: Element) { kept[n * ${o.elements}u + c] += x; }
#else
fn addRead(k: u32, n: u32, c: u32, x: Element) { readOut[readAt(now, n, c)] += x; }
#endif
${memoryFunctions(o, 'forward')}
${mainOfSequence(o, 'dims.B')}
  var bounds = ${boundsAt(o, '0u', 'dims.sliceFrom')};
  for (var t = dims.sliceFrom; t < dims.sliceTo; t++) {
    now = t;
    bounds = forward(0u, t, bounds, loadControls(0u, t));
    ${
      keepsReads(o)
        ? eachKept(o, (i, n, c) => `readOut[readAt(t, ${n}, ${c})] = kept[${i}]; kept[${i}] = Element();`)
        : ''
    }
  }
}
`;

/**
 * controls, value, slots, undoLog, dRead -> dControls, dValue. Rewinds slots. The caller clears dValue and dStrength.
 */
export const memoryBackward = (o: LayerKernelOptions): string => wgsl`
${entry(o)}
@group(0) @binding(0) var<uniform> dims: Dims;
${storage(1, 'controls: f32, value: Element, dRead: Element -> slots: vec2u, undoLog: vec4u, dStrength: f32, dControls: f32, dValue: Element')}
var<private> now: u32;
${prologue(o)}
fn loadValue(k: u32, push: u32, c: u32) -> Element { return value[elementAt(push, c)]; }
#if ${keepsReads(o)}
var<private> kept: array<Element, ${o.elements * readsOf(o.kind, o.reads)}>;
fn loadDRead(k: u32, n: u32, c: u32) -> Element { return kept[n * ${o.elements}u + c]; }
#else
fn loadDRead(k: u32, n: u32, c: u32) -> Element { return dRead[readAt(now, n, c)]; }
#endif
fn addDValue(k: u32, push: u32, c: u32, x: Element) { dValue[elementAt(push, c)] += x; }
${memoryFunctions(o, 'backward')}
${mainOfSequence(o, 'dims.B')}
  var bounds = ${boundsAt(o, '0u', 'dims.sliceTo')};
  for (var steps = dims.sliceTo; steps > dims.sliceFrom; steps--) {
    let t = steps - 1u;
    now = t;
    ${keepsReads(o) ? eachKept(o, (i, n, c) => `kept[${i}] = dRead[readAt(t, ${n}, ${c})];`) : ''}
    bounds = backward(0u, t, bounds);
    ${byFirstInvocation(o, store(o))}
  }
}
`;

const store = (o: MemoryOptions): string =>
  eachControl(
    o,
    (component, end, control) => `dControls[controlAt(t, ${end}u, ${control}u)] = gradients.${component};`,
  ).join('\n');
