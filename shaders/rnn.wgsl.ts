import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layout } from '../src/kernels/layout.ts';
import { BATCH } from './lib/batch.wgsl.ts';
import { lossOfRow } from './lib/losses.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import { add, addTransposed } from './lib/product.wgsl.ts';
import { each } from './lib/text.ts';
import { type MemoryOptions, memoryFunctions } from './memory.wgsl.ts';

/**
 * The fused plan: RNN controller and memory over all time steps of a batch in one dispatch, and the same
 * backwards. Equations as in src/base/parameters.ts. Here the `lane` form, one sequence per invocation with its
 * state in registers and all products written out; rnn-block.wgsl.ts has the other.
 */
export interface RnnOptions {
  layout: Layout;
  /** Where the parameters are bound: uniform (up to 64 KiB) or read-only storage. */
  uniform: boolean;
  memory: Pick<MemoryOptions, 'form' | 'size' | 'subgroups'>;
}

const bindings = ({ layout, uniform }: RnnOptions): string => wgsl`
${BATCH}
@group(0) @binding(1) var<${uniform ? 'uniform' : 'storage, read'}> parameters: array<vec4f, ${layout.size4}>;
// A copy per invocation: software adapters load it four lanes at a time, while a load from a buffer is checked and
// gathered lane by lane (2 to 3 times slower as a whole).
var<private> w: array<vec4f, ${layout.size4}>;
fn loadParameters() {
  for (var i = 0u; i < ${layout.size4}u; i++) { w[i] = parameters[i]; }
}
`;

const memory = ({ layout, memory }: RnnOptions, pass: 'forward' | 'backward'): string =>
  memoryFunctions({ kind: layout.spec.memory, ...memory, cell: 'vec4f', cells: layout.M4 }, pass);

const stateAt = wgsl`
var<private> seq: u32;
fn stateAt(i: u32) -> u32 { return i * batch.B + seq; }
`;

/**
 * batch, parameters -> acts: h, r, op, s, y (and xh, xp) of every step; grads: dY (and dXh, dXp); outcomes, extra as
 * in loss.wgsl.ts; slots, log. Rows beyond a sequence's length are left as they are: no kernel of this form reads them.
 */
export function rnnForwardLane(o: RnnOptions): string {
  const { H4, P4, M4, S4, V4, D4, blocks, spec } = o.layout;
  // An auto-encoder head: recalls the input of the step before from `x`.
  const recall = (
    x: string,
    W: 'Whx' | 'Wpx',
    field: 'xh' | 'xp',
    dField: 'dXh' | 'dXp',
    component: string,
  ) => wgsl`
    {
      var y = array<vec4f, ${D4}>();
      ${add('y', x, blocks[W])}
      let weight = select(0.0, weightOf(seq), t > 0u);
      ${lossOfRow('sigmoid', spec.inputs, j => `before[${j}]`)}
      recalled.${component} = select(0.0, lost, t > 0u);
      ${each(D4, Infinity, j => `acts[batch.${field} + row * ${D4}u + ${j}] = y[${j}];`)}
      ${each(D4, Infinity, j => `grads[batch.${dField} + row * ${D4}u + ${j}] = dy[${j}];`)}
    }`;
  const op = spec.deeper ? 'op' : 'h';
  return wgsl`
${bindings(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> outcomes: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> extra: array<vec2f>;
${MATH}
${stateAt}
var<private> r: array<vec4f, ${M4}>;
fn loadValue(t: u32, c: u32) -> vec4f { return acts[batch.s + (t * batch.B + seq) * ${S4}u + c]; }
fn addRead(c: u32, x: vec4f) { r[c] += x; }
${memory(o, 'forward')}

@compute @workgroup_size(${o.memory.size})
fn main(@builtin(global_invocation_id) id: vec3u) {
  seq = id.x;
  if (seq >= batch.B) { return; }
  let length = lengthOf(seq);
  loadParameters();
  // h_0, r_0.
  var h: array<vec4f, ${H4}>;
#if ${spec.start === 'trained'}
  ${each(H4, Infinity, j => `h[${j}] = w[${blocks.h0.offset4}u + ${j}];`)}
#elif ${spec.start === 'one-hot'}
  h[0].x = 1.0;
  r[0].x = 1.0;
#endif
  ${each(H4, Infinity, j => `acts[batch.h + seq * ${H4}u + ${j}] = h[${j}];`)}
  ${each(M4, Infinity, c => `acts[batch.r + seq * ${M4}u + ${c}] = r[${c}];`)}
  var hi = 0u;
  for (var t = 0u; t < length; t++) {
    let row = t * batch.B + seq;
    // Controller.
    var a: array<vec4f, ${H4}>;
    ${each(H4, Infinity, j => `a[${j}] = w[${blocks.bh.offset4}u + ${j}];`)}
    for (var k = 0u; k < batch.K; k++) {
      let input = inputAt(row, k);
      if (input != NO_INPUT) {
        let at = ${blocks.Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${H4}u;
        ${each(H4, Infinity, j => `a[${j}] += w[at + ${j}];`)}
      }
    }
    ${add('a', 'h', blocks.Wh)}
    ${add('a', 'r', blocks.Wr)}
    ${each(H4, Infinity, j => `h[${j}] = safeTanh4(a[${j}]);`)}
    ${each(H4, Infinity, j => `acts[batch.h + (row + batch.B) * ${H4}u + ${j}] = h[${j}];`)}
#if ${spec.deeper > 0}
    var op: array<vec4f, ${P4}>;
    ${each(P4, Infinity, j => `op[${j}] = w[${blocks.bp.offset4}u + ${j}];`)}
    ${spec.deeper ? add('op', 'h', blocks.Whp) : ''}
    ${each(P4, Infinity, j => `op[${j}] = safeTanh4(op[${j}]);`)}
    ${each(P4, Infinity, j => `acts[batch.op + row * ${P4}u + ${j}] = op[${j}];`)}
#endif
    // Output and its loss.
    {
      var y: array<vec4f, ${V4}>;
      ${each(V4, Infinity, j => `y[${j}] = w[${blocks.bo.offset4}u + ${j}];`)}
      ${add('y', op, blocks.Wo)}
      let label = targetAt(row);
      let counts = label != MASKED;
      let weight = select(0.0, weightOf(seq), counts);
      ${lossOfRow(
        spec.output,
        spec.outputs,
        j => `vec4f(vec4u(label) == vec4u(4u * ${j}) + vec4u(0u, 1u, 2u, 3u))`,
      )}
      outcomes[row] = vec4f(select(0.0, lost, counts), select(0.0, error, counts), f32(best), f32(counts));
      ${each(V4, Infinity, j => `acts[batch.y + row * ${V4}u + ${j}] = y[${j}];`)}
      ${each(V4, Infinity, j => `grads[batch.dY + row * ${V4}u + ${j}] = dy[${j}];`)}
    }
#if ${spec.autoencoder}
    var before = array<vec4f, ${D4}>();
    if (t > 0u) {
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row - batch.B, k);
        ${each(D4, Infinity, j => `before[${j}] += vec4f(vec4u(input) == vec4u(4u * ${j}) + vec4u(0u, 1u, 2u, 3u));`)}
      }
    }
    var recalled = vec2f();
    ${spec.autoencoder ? recall('h', 'Whx', 'xh', 'dXh', 'x') : ''}
    ${spec.autoencoder ? recall(op, 'Wpx', 'xp', 'dXp', 'y') : ''}
    extra[row] = recalled;
#endif
    // Heads: s = (v, d, u).
    var s: array<vec4f, ${S4}>;
    ${each(S4, Infinity, j => `s[${j}] = w[${blocks.bS.offset4}u + ${j}];`)}
    ${add('s', op, blocks.S)}
    ${each(M4, Infinity, c => `s[${c}] = safeTanh4(s[${c}]);`)}
    let noise = noiseAt(row);
    s[${M4}] = vec4f(sigmoid(s[${M4}].x + noise.x), sigmoid(s[${M4}].y + noise.y), 0.0, 0.0);
    ${each(S4, Infinity, j => `acts[batch.s + row * ${S4}u + ${j}] = s[${j}];`)}
    // Memory.
    ${each(M4, Infinity, c => `r[${c}] = vec4f();`)}
    hi = forward(t, hi, s[${M4}].x, s[${M4}].y);
    ${each(M4, Infinity, c => `acts[batch.r + (row + batch.B) * ${M4}u + ${c}] = r[${c}];`)}
  }
}
`;
}

/**
 * batch, parameters, acts, slots, log, grads: dY, dXh, dXp -> grads: dA, dP, dS (of what goes into each tanh and σ),
 * dH0. Rows beyond a sequence's length are left as they are.
 */
export function rnnBackwardLane(o: RnnOptions): string {
  const { H4, P4, M4, S4, V4, D4, blocks, spec } = o.layout;
  // A gradient from a buffer, through a matrix: `name` of width4 times Wᵀ, added to `to`.
  const addBackward = (to: string, name: 'dY' | 'dXh' | 'dXp', width4: number, W: 'Wo' | 'Whx' | 'Wpx') => `{
      var dy: array<vec4f, ${width4}>;
      ${each(width4, Infinity, j => `dy[${j}] = grads[batch.${name} + row * ${width4}u + ${j}];`)}
      ${addTransposed(to, 'dy', blocks[W])}
    }`;
  return wgsl`
${bindings(o)}
@group(0) @binding(2) var<storage, read> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dStrength: array<f32>;
${stateAt}
var<private> dr: array<vec4f, ${M4}>;
fn rowOf(t: u32) -> u32 { return (t * batch.B + seq) * ${S4}u; }
fn loadValue(t: u32, c: u32) -> vec4f { return acts[batch.s + rowOf(t) + c]; }
fn loadDRead(c: u32) -> vec4f { return dr[c]; }
fn addDValue(t: u32, c: u32, x: vec4f) { grads[batch.dS + rowOf(t) + c] += x; }
${memory(o, 'backward')}

@compute @workgroup_size(${o.memory.size})
fn main(@builtin(global_invocation_id) id: vec3u) {
  seq = id.x;
  if (seq >= batch.B) { return; }
  let length = lengthOf(seq);
  loadParameters();
  // Gradients of values and strengths are sums.
  for (var t = 0u; t < length; t++) {
    for (var j = 0u; j < ${S4}u; j++) { grads[batch.dS + rowOf(t) + j] = vec4f(); }
    dStrength[stateAt(t)] = 0.0;
  }
  var dh: array<vec4f, ${H4}>;
  var hi = (undo[stateAt(length - 1u)].x & ~REACHED) + 1u;
  for (var steps = length; steps > 0u; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + seq;
    // Memory, then heads.
    hi = backward(t, hi);
    var ds: array<vec4f, ${S4}>;
    ${each(
      M4,
      Infinity,
      c => `{
      let v = acts[batch.s + row * ${S4}u + ${c}];
      ds[${c}] = grads[batch.dS + row * ${S4}u + ${c}] * (1.0 - v * v);
    }`,
    )}
    let strengths = acts[batch.s + row * ${S4}u + ${M4}u].xy;
    ds[${M4}] = vec4f(gradients * strengths * (1.0 - strengths), 0.0, 0.0);
    ${each(S4, Infinity, j => `grads[batch.dS + row * ${S4}u + ${j}] = ds[${j}];`)}
    var dop = array<vec4f, ${P4}>();
    ${addTransposed('dop', 'ds', blocks.S)}
    ${addBackward('dop', 'dY', V4, 'Wo')}
    ${spec.autoencoder ? addBackward('dop', 'dXp', D4, 'Wpx') : ''}
    // Controller.
#if ${spec.deeper > 0}
    ${each(
      P4,
      Infinity,
      j => `{
      let op = acts[batch.op + row * ${P4}u + ${j}];
      dop[${j}] *= 1.0 - op * op;
      grads[batch.dP + row * ${P4}u + ${j}] = dop[${j}];
    }`,
    )}
    ${spec.deeper ? addTransposed('dh', 'dop', blocks.Whp) : ''}
#else
    ${each(H4, Infinity, j => `dh[${j}] += dop[${j}];`)}
#endif
    ${spec.autoencoder ? addBackward('dh', 'dXh', D4, 'Whx') : ''}
    var da: array<vec4f, ${H4}>;
    ${each(
      H4,
      Infinity,
      j => `{
      let h = acts[batch.h + (row + batch.B) * ${H4}u + ${j}];
      da[${j}] = dh[${j}] * (1.0 - h * h);
      grads[batch.dA + row * ${H4}u + ${j}] = da[${j}];
    }`,
    )}
    ${each(H4, Infinity, j => `dh[${j}] = vec4f();`)}
    ${each(M4, Infinity, c => `dr[${c}] = vec4f();`)}
    ${addTransposed('dh', 'da', blocks.Wh)}
    ${addTransposed('dr', 'da', blocks.Wr)}
  }
#if ${spec.start === 'trained'}
  ${each(H4, Infinity, j => `grads[batch.dH0 + seq * ${H4}u + ${j}] = dh[${j}];`)}
#endif
}
`;
}
