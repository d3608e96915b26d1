import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/kernels/layout.ts';
import { BATCH } from './lib/batch.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import { memoryFunctions } from './memory.wgsl.ts';
import type { RnnOptions } from './rnn.wgsl.ts';

/**
 * The fused plan in the `block` form: one workgroup per sequence, its invocations sharing the columns of every
 * product; the state lives in workgroup memory. Same function as rnn.wgsl.ts, for controllers of any width.
 */

const head = (o: RnnOptions): string => wgsl`
#if ${o.memory.subgroups}
enable subgroups;
#endif
${BATCH}
@group(0) @binding(1) var<storage, read> w: array<f32, ${o.layout.size4 * 4}>;
var<private> seq: u32;
var<private> lid: u32;
#if ${o.memory.subgroups}
var<private> subgroupWidth: u32;
#endif
fn stateAt(i: u32) -> u32 { return seq * batch.T + i; }
`;

const mainHead = (o: RnnOptions): string => wgsl`
@compute @workgroup_size(${o.memory.size})
fn main(
#if ${o.memory.subgroups}
  @builtin(subgroup_size) width: u32,
#endif
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  lid = local;
#if ${o.memory.subgroups}
  subgroupWidth = width;
#endif
  // Uniform: dispatches have exactly B workgroups.
  let sequence = group.x;
  seq = sequence;
  let length = lengthOf(sequence);
`;

const memory = ({ layout, memory }: RnnOptions, pass: 'forward' | 'backward'): string =>
  memoryFunctions({ kind: layout.spec.memory, ...memory, cell: 'f32', cells: layout.spec.width }, pass);

/** Σ_i x[i] · W[i][column]; neighbours load neighbouring weights. */
const column = (x: string, { offset4, rows, ld4 }: Block, of: string): string =>
  wgsl`for (var i = 0u; i < ${rows}u; i++) { sum += ${x}[i] * w[${offset4 * 4}u + i * ${ld4 * 4}u + ${of}]; }`;

/** Σ_j dy[j] · W[row][j] over the first n columns. */
const row = (dy: string, { offset4, ld4 }: Block, n: number, of: string, from = 0): string =>
  wgsl`for (var j = 0u; j < ${n}u; j++) { sum += ${dy}[j] * w[${offset4 * 4 + from}u + ${of} * ${ld4 * 4}u + j]; }`;

/** batch, w -> acts: h, r, op, s of every step; slots, log. Rows beyond a sequence's length become 0. */
export function rnnForwardBlock(o: RnnOptions): string {
  const { H4, P4, M4, S4, blocks, spec } = o.layout;
  const { hidden: H, width: M, deeper: P } = spec;
  const size = `${o.memory.size}u`;
  const op = spec.deeper ? 'wg_op' : 'wg_h';
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<f32>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
${MATH}
var<workgroup> wg_h: array<f32, ${H}>;
var<workgroup> wg_next: array<f32, ${H}>;
var<workgroup> wg_op: array<f32, ${Math.max(1, P)}>;
var<workgroup> wg_r: array<f32, ${M}>;
var<workgroup> wg_strengths: vec2f;
fn loadValue(t: u32, c: u32) -> f32 { return acts[(batch.s + (t * batch.B + seq) * ${S4}u) * 4u + c]; }
fn addRead(c: u32, x: f32) { wg_r[c] += x; }
${memory(o, 'forward')}
${mainHead(o)}
  // h_0, r_0.
  for (var j = lid; j < ${H}u; j += ${size}) {
    var start = 0.0;
#if ${spec.start === 'trained'}
    start = w[${blocks.h0.offset4 * 4}u + j];
#elif ${spec.start === 'one-hot'}
    start = select(0.0, 1.0, j == 0u);
#endif
    wg_h[j] = start;
    acts[(batch.h + sequence * ${H4}u) * 4u + j] = start;
  }
  for (var c = lid; c < ${M}u; c += ${size}) {
    wg_r[c] = select(0.0, 1.0, c == 0u && ${spec.start === 'one-hot'});
    acts[(batch.r + sequence * ${M4}u) * 4u + c] = wg_r[c];
  }
  var hi = 0u;
  for (var t = 0u; t < length; t++) {
    let row = t * batch.B + sequence;
    workgroupBarrier();
    // Controller: reads h and r of the step before, leaves h in wg_h.
    for (var j = lid; j < ${H}u; j += ${size}) {
      var sum = w[${blocks.bh.offset4 * 4}u + j];
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          sum += w[${blocks.Wx.offset4 * 4}u + min(input, ${spec.inputs - 1}u) * ${H4 * 4}u + j];
        }
      }
      ${column('wg_h', blocks.Wh, 'j')}
      ${column('wg_r', blocks.Wr, 'j')}
      wg_next[j] = safeTanh(sum);
    }
    workgroupBarrier();
    for (var j = lid; j < ${H}u; j += ${size}) {
      wg_h[j] = wg_next[j];
      acts[(batch.h + (row + batch.B) * ${H4}u) * 4u + j] = wg_next[j];
    }
    workgroupBarrier();
#if ${P > 0}
    for (var j = lid; j < ${P}u; j += ${size}) {
      var sum = w[${blocks.bp.offset4 * 4}u + j];
      ${column('wg_h', blocks.Whp, 'j')}
      wg_op[j] = safeTanh(sum);
      acts[(batch.op + row * ${P4}u) * 4u + j] = wg_op[j];
    }
    workgroupBarrier();
#endif
    // Heads: v, then d and u.
    for (var k = lid; k < ${M + 2}u; k += ${size}) {
      let at = select(${M4 * 4}u + k - ${M}u, k, k < ${M}u);
      var sum = w[${blocks.bS.offset4 * 4}u + at];
      ${column(op, blocks.S, 'at')}
      var s = 0.0;
      if (k < ${M}u) {
        s = safeTanh(sum);
      } else {
        s = sigmoid(sum + noiseAt(row)[k - ${M}u]);
        wg_strengths[k - ${M}u] = s;
      }
      acts[(batch.s + row * ${S4}u) * 4u + at] = s;
    }
    for (var c = lid; c < ${M}u; c += ${size}) { wg_r[c] = 0.0; }
    storageBarrier();
    workgroupBarrier();
    // Memory.
    hi = forward(t, hi, wg_strengths.x, wg_strengths.y);
    for (var c = lid; c < ${M}u; c += ${size}) { acts[(batch.r + (row + batch.B) * ${M4}u) * 4u + c] = wg_r[c]; }
  }
  for (var t = length; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    for (var j = lid; j < ${H4 * 4}u; j += ${size}) { acts[(batch.h + (row + batch.B) * ${H4}u) * 4u + j] = 0.0; }
    for (var j = lid; j < ${M4 * 4}u; j += ${size}) { acts[(batch.r + (row + batch.B) * ${M4}u) * 4u + j] = 0.0; }
    for (var j = lid; j < ${S4 * 4}u; j += ${size}) { acts[(batch.s + row * ${S4}u) * 4u + j] = 0.0; }
#if ${P > 0}
    for (var j = lid; j < ${P4 * 4}u; j += ${size}) { acts[(batch.op + row * ${P4}u) * 4u + j] = 0.0; }
#endif
  }
}
`;
}

/** batch, w, acts, slots, log, grads: dO, dHx -> grads: dA, dP, dS, dH0; see rnnBackwardLane. */
export function rnnBackwardBlock(o: RnnOptions): string {
  const { H4, P4, M4, S4, blocks, spec } = o.layout;
  const { hidden: H, width: M, deeper: P } = spec;
  const size = `${o.memory.size}u`;
  const heads = P || H;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read> acts: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dStrength: array<f32>;
var<workgroup> wg_dh: array<f32, ${H}>;
var<workgroup> wg_da: array<f32, ${H}>;
var<workgroup> wg_dop: array<f32, ${heads}>;
var<workgroup> wg_ds: array<f32, ${S4 * 4}>;
var<workgroup> wg_dr: array<f32, ${M}>;
fn rowOf(t: u32) -> u32 { return (t * batch.B + seq) * ${S4}u; }
fn loadValue(t: u32, c: u32) -> f32 { return acts[(batch.s + rowOf(t)) * 4u + c]; }
fn loadDRead(c: u32) -> f32 { return wg_dr[c]; }
fn addDValue(t: u32, c: u32, x: f32) { grads[(batch.dS + rowOf(t)) * 4u + c] += x; }
${memory(o, 'backward')}
${mainHead(o)}
  // Gradients of values and strengths are sums; what lies beyond the length has none.
  for (var t = 0u; t < batch.T; t++) {
    for (var j = lid; j < ${S4 * 4}u; j += ${size}) { grads[(batch.dS + rowOf(t)) * 4u + j] = 0.0; }
  }
  for (var t = lid; t < batch.T; t += ${size}) { dStrength[stateAt(t)] = 0.0; }
  for (var t = length; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    for (var j = lid; j < ${H4 * 4}u; j += ${size}) { grads[(batch.dA + row * ${H4}u) * 4u + j] = 0.0; }
#if ${P > 0}
    for (var j = lid; j < ${P4 * 4}u; j += ${size}) { grads[(batch.dP + row * ${P4}u) * 4u + j] = 0.0; }
#endif
  }
  for (var j = lid; j < ${H}u; j += ${size}) { wg_dh[j] = 0.0; }
  for (var c = lid; c < ${M}u; c += ${size}) { wg_dr[c] = 0.0; }
  for (var j = lid; j < ${S4 * 4}u; j += ${size}) { wg_ds[j] = 0.0; }
  if (lid == 0u) { wg_uniform = (undo[stateAt(length - 1u)].x & ~REACHED) + 1u; }
  var hi = workgroupUniformLoad(&wg_uniform);
  for (var steps = length; steps > 0u; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + sequence;
    // Memory, then heads: reads wg_dr, leaves the gradients of the heads' sums in wg_ds.
    storageBarrier();
    workgroupBarrier();
    hi = backward(t, hi);
    storageBarrier();
    workgroupBarrier();
    for (var k = lid; k < ${M + 2}u; k += ${size}) {
      let at = select(${M4 * 4}u + k - ${M}u, k, k < ${M}u);
      let s = acts[(batch.s + row * ${S4}u) * 4u + at];
      var ds = 0.0;
      if (k < ${M}u) {
        ds = grads[(batch.dS + row * ${S4}u) * 4u + at] * (1.0 - s * s);
      } else {
        ds = gradients[k - ${M}u] * s * (1.0 - s);
      }
      wg_ds[at] = ds;
      grads[(batch.dS + row * ${S4}u) * 4u + at] = ds;
    }
    workgroupBarrier();
    for (var i = lid; i < ${heads}u; i += ${size}) {
      var sum = grads[(batch.dO + row * ${P4}u) * 4u + i];
      ${row('wg_ds', blocks.S, S4 * 4, 'i')}
#if ${P > 0}
      let op = acts[(batch.op + row * ${P4}u) * 4u + i];
      sum *= 1.0 - op * op;
      grads[(batch.dP + row * ${P4}u) * 4u + i] = sum;
#endif
      wg_dop[i] = sum;
    }
    workgroupBarrier();
    // Controller.
    for (var i = lid; i < ${H}u; i += ${size}) {
      var sum = wg_dh[i];
#if ${P > 0}
      ${row('wg_dop', blocks.Whp, P, 'i')}
#else
      sum += wg_dop[i];
#endif
#if ${spec.autoencoder}
      sum += grads[(batch.dHx + row * ${H4}u) * 4u + i];
#endif
      let h = acts[(batch.h + (row + batch.B) * ${H4}u) * 4u + i];
      wg_da[i] = sum * (1.0 - h * h);
      grads[(batch.dA + row * ${H4}u) * 4u + i] = wg_da[i];
    }
    workgroupBarrier();
    for (var i = lid; i < ${H}u; i += ${size}) {
      var sum = 0.0;
      ${row('wg_da', blocks.Wh, H, 'i')}
      wg_dh[i] = sum;
    }
    for (var i = lid; i < ${M}u; i += ${size}) {
      var sum = 0.0;
      ${row('wg_da', blocks.Wr, H, 'i')}
      wg_dr[i] = sum;
    }
  }
#if ${spec.start === 'trained'}
  workgroupBarrier();
  for (var j = lid; j < ${H}u; j += ${size}) { grads[(batch.dH0 + sequence * ${H4}u) * 4u + j] = wg_dh[j]; }
#endif
}
`;
}
