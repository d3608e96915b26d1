import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../src/layout/layout.ts';
import { operand } from '../src/layout/tensors.ts';
import { CELL_CODE } from './cells/index.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import {
  controlLoads,
  controlsOf,
  controlVector,
  type FusedOptions,
  memoriesOf,
  memoryOf,
  memoryPlaces,
} from './lib/model.wgsl.ts';
import { rowsOf } from './lib/rows.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from './lib/sequence.wgsl.ts';
import { carriedOf, statesOf } from './lib/states.wgsl.ts';
import { range } from './lib/text.ts';
import { placeAt } from './memories/index.wgsl.ts';

/**
 * The fused plan in the `block` form: one workgroup per sequence, its invocations sharing the columns of every
 * product; the state lives in workgroup memory. Same function as fused-lane.wgsl.ts, for controllers of any width.
 */

const head = (o: FusedOptions): string => wgsl`
${enableFor(o.memory)}
${o.batch}
@group(0) @binding(1) var<storage, read> w: array<f32, ${o.layout.size4 * 4}>;
${sequenceState(o.memory)}
${memoryPlaces(o.layout, 'block')}
`;

const loadControls = ({ layout }: FusedOptions): string =>
  controlLoads(
    layout,
    (t, number) => `acts[(${rowsOf(layout)('s', `(${t} * batch.B + seq)`)}) * 4u + ${number}]`,
  );

const mainHead = (o: FusedOptions): string => wgsl`
${mainOfSequence(o.memory, 'batch.B')}
  let length = lengthOf(sequence);
`;

/** sum += Σ_n x[n] · W[n][column]; neighbours load neighbouring weights. */
const column = (sum: string, x: string, { offset4, rows, ld4 }: Block, of: string): string =>
  `for (var n = 0u; n < ${rows}u; n++) { ${sum} += ${x}[n] * w[${offset4 * 4}u + n * ${ld4 * 4}u + ${of}]; }`;

/** sum += Σ_j dy[from + j] · W[row][j] over all columns with their padding. */
const row = (dy: string, { offset4, ld4 }: Block, of: string, from = 0): string =>
  `for (var j = 0u; j < ${ld4 * 4}u; j++) { sum += ${dy}[${from}u + j] * w[${offset4 * 4}u + ${of} * ${ld4 * 4}u + j]; }`;

/** for (var i = lid; i < n; i += size) */
const share = (o: FusedOptions, n: number, body: string, i = 'i'): string =>
  n > 0 ? `for (var ${i} = lid; ${i} < ${n}u; ${i} += ${o.memory.size}u) { ${body} }` : '';

/** Words of workgroup memory for each pass, the memory's own left out: see checkWorkgroup in src/kernels/plan.ts. */
export function workgroupWords({ H4, P4, R4, S4, layers, gates, states, C, E }: Layout): number {
  const held = states.length * layers.length;
  const forward = (held + 1) * H4 + P4 + R4 + Math.ceil((C * E) / 2);
  const backward = (held + 2 + gates.all) * H4 + P4 + S4 + R4;
  return 4 * Math.max(forward, backward);
}

/** batch, w -> acts: h, c, g of every layer, r, op, s of every step; slots, log. Rows beyond a length become 0. */
export function fusedForwardBlock(o: FusedOptions): string {
  const { layout } = o;
  const place = rowsOf(layout);
  const { H4, M4, R4, C, E, blocks, spec, gates, layers } = layout;
  const { hidden: H, width: M, deeper: P } = spec;
  const [HH, RR] = [H4 * 4, R4 * 4];
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const op = P ? 'wg_op' : 'wg_y';
  const layer = ({ Wx, Wy, Wh, Wr, b }: Layout['layers'][number], l: number): string => wgsl`
    // Layer ${l + 1}: reads h and r of the step before and the layer below in wg_y, leaves h in wg_y.
    ${share(
      o,
      H,
      wgsl`
      ${range(gates.all)
        .map(g => `var sum${g} = ${g < gates.x ? `w[${b.offset4 * 4 + g * HH}u + i]` : '0.0'};`)
        .join('\n')}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4 * 4}u + min(input, ${spec.inputs - 1}u) * ${gates.x * HH}u + i;
          ${range(gates.x)
            .map(g => `sum${g} += w[at + ${g * HH}u];`)
            .join('\n')}
        }
      }
      ${products(Wy, 'wg_y', 0, gates.x, HH)}
      ${products(Wh, 'wg_h', gates.hFrom, gates.h, HH, l * HH)}
      ${products(Wr, 'wg_r', 0, gates.x, HH)}
      ${cell.forward({
        a: g => `sum${g}`,
        before: state => `wg_${state}[${l * HH}u + i]`,
        tanh: 'safeTanh',
        sigmoid: 'sigmoid',
      })}
      wg_next[i] = hNext;
      ${carriedOf(layout)
        .map(state => `wg_${state}[${l * HH}u + i] = ${state}Next;`)
        .join('\n')}
      ${layout.states
        .map(state => `acts[(${place(`${state}${l}`, 'row', 1)}) * 4u + i] = ${state}Next;`)
        .join('\n')}
      ${range(gates.kept)
        .map(g => `acts[(${place(`g${l}`, 'row')}) * 4u + ${g * HH}u + i] = kept${g};`)
        .join('\n')}`,
    )}
    workgroupBarrier();
    ${share(o, H, `wg_h[${l * HH}u + i] = wg_next[i]; wg_y[i] = wg_next[i];`)}
    workgroupBarrier();`;
  const heads = wgsl`
    // Heads: v of every end, then the controls of every end.
    ${share(
      o,
      E * (M + C),
      wgsl`
      let value = i < ${E * M}u;
      let control = i - ${E * M}u;
      let at = select(${RR}u + control, (i / ${M}u) * ${M4 * 4}u + i % ${M}u, value);
      var sum = w[${blocks.bS.offset4 * 4}u + at];
      ${column('sum', op, blocks.S, 'at')}
      var s = 0.0;
      if (value) {
        s = safeTanh(sum);
      } else {
        s = sigmoid(sum + noiseAt(row, control));
        wg_controls[control] = s;
      }
      acts[(${place('s', 'row')}) * 4u + at] = s;`,
    )}
    ${share(o, RR, 'wg_r[i] = 0.0;')}
    storageBarrier();
    workgroupBarrier();
    // Memories.
    ${memoriesOf(layout)
      .map(k => {
        const controls = controlVector(layout, k, ({ number }) => `wg_controls[${number}]`);
        return `place${k} = forward(${k}u, t, place${k}, ${controls});`;
      })
      .join('\n')}
    // Another invocation may have read a cell than the one that now stores it.
    workgroupBarrier();
    ${share(o, RR, `acts[(${place('r', 'row', 1)}) * 4u + i] = wg_r[i];`)}
    workgroupBarrier();`;
  const zero = (field: string, skip: 0 | 1 = 0): string =>
    share(o, operand(layout, field).width4 * 4, `acts[(${place(field, 'row', skip)}) * 4u + i] = 0.0;`);
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<f32>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
${MATH}
${layout.states.map(state => `var<workgroup> wg_${state}: array<f32, ${layers.length * HH}>;`).join('\n')}
var<workgroup> wg_next: array<f32, ${HH}>;
var<workgroup> wg_y: array<f32, ${HH}>;
var<workgroup> wg_op: array<f32, ${Math.max(1, P)}>;
var<workgroup> wg_r: array<f32, ${Math.max(1, RR)}>;
var<workgroup> wg_controls: array<f32, ${Math.max(1, C * E)}>;
#if ${E > 0}
fn loadValue(k: u32, row: u32, c: u32) -> f32 {
  return acts[(${place('s', '(stepOf(row) * batch.B + seq)')} + endOf(k, row) * ${M4}u) * 4u + c];
}
fn addRead(k: u32, end: u32, c: u32, x: f32) { wg_r[ofMemory(k, end) * ${M4 * 4}u + c] += x; }
${loadControls(o)}
#endif
${memoryOf(layout, o.memory, 'f32', 'forward')}
${mainHead(o)}
  let begin = batch.sliceFrom;
  if (begin == 0u) {
  // h_0, c_0, r_0.
  ${states
    .map(({ state, layer, name, first, oneHot }) => {
      const value = first ? `w[${first.offset4 * 4}u + i]` : oneHot ? 'select(0.0, 1.0, i == 0u)' : '0.0';
      return share(
        o,
        H,
        `let start = ${value};
    wg_${state}[${layer * HH}u + i] = start;
    acts[(${place(name, 'sequence')}) * 4u + i] = start;`,
      );
    })
    .join('\n')}
  ${share(
    o,
    RR,
    `wg_r[i] = select(0.0, 1.0, i == 0u && ${spec.start === 'one-hot'});
    acts[(${place('r', 'sequence')}) * 4u + i] = wg_r[i];`,
  )}
  } else {
  // What the slice before this one left.
  ${states
    .map(({ state, layer, name }) =>
      share(
        o,
        H,
        `wg_${state}[${layer * HH}u + i] = acts[(${place(name, '(begin * batch.B + sequence)')}) * 4u + i];`,
      ),
    )
    .join('\n')}
  ${share(o, RR, `wg_r[i] = acts[(${place('r', '(begin * batch.B + sequence)')}) * 4u + i];`)}
  }
  ${memoriesOf(layout)
    .map(k => `var place${k} = ${placeAt(o.memory, k, 'begin')};`)
    .join('\n')}
  workgroupBarrier();
  for (var t = begin; t < min(length, batch.sliceTo); t++) {
    let row = t * batch.B + sequence;
    ${layers.map(layer).join('\n')}
    ${
      P
        ? wgsl`
    ${share(
      o,
      P,
      `var sum = w[${blocks.bp.offset4 * 4}u + i];
      ${column('sum', 'wg_y', blocks.Whp, 'i')}
      wg_op[i] = safeTanh(sum);
      acts[(${place('op', 'row')}) * 4u + i] = wg_op[i];`,
    )}
    workgroupBarrier();`
        : ''
    }
    ${E ? heads : ''}
  }
  for (var t = max(length, begin); t < min(batch.T, batch.sliceTo); t++) {
    let row = t * batch.B + sequence;
    ${states.map(({ name }) => zero(name, 1)).join('\n')}
    ${zero('r', 1)}
    ${zero('s')}
    ${P ? zero('op') : ''}
  }
}
`;

  /** sum_g += Σ_n x[from + n] · W[n][g][i] for its gates, which begin at gate `first`. */
  function products(
    W: Block | undefined,
    x: string,
    first: number,
    count: number,
    stride: number,
    from = 0,
  ): string {
    if (!W) return '';
    const sums = range(count).map(g => `sum${first + g} += x * w[at + ${g * stride}u];`);
    return `for (var n = 0u; n < ${W.rows}u; n++) {
        let x = ${x}[${from}u + n];
        let at = ${W.offset4 * 4}u + n * ${W.ld4 * 4}u + i;
        ${sums.join('\n')}
      }`;
  }
}

/** batch, w, acts, slots, log, grads: dOp, dHx -> grads: dA, dP, dS, dH, dC; see fusedBackwardLane. */
export function fusedBackwardBlock(o: FusedOptions): string {
  const { layout } = o;
  const place = rowsOf(layout);
  const { H4, P4, M4, R4, S4, C, E, blocks, spec, gates, layers } = layout;
  const { hidden: H, width: M, deeper: P } = spec;
  const [HH, RR, SS] = [H4 * 4, R4 * 4, S4 * 4];
  const top = layers.length - 1;
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const heads = P || H;
  const act = (field: string, at: string, skip: 0 | 1 = 0): string =>
    `acts[(${place(field, 'row', skip)}) * 4u + ${at}]`;
  const grad = (field: string, at: string): string => `grads[(${place(field, 'row')}) * 4u + ${at}]`;
  const memories = wgsl`
    // Memories, then heads: reads wg_dr, leaves the gradients of the heads' sums in wg_ds.
    storageBarrier();
    workgroupBarrier();
    ${memoriesOf(layout)
      .map(
        k => `place${k} = backward(${k}u, t, place${k});
    if (lid == 0u) {
      ${controlsOf(layout, k)
        .map(({ number, own }) => `wg_ds[${RR + number}] = gradients.${own};`)
        .join('\n')}
    }
    storageBarrier();
    workgroupBarrier();`,
      )
      .join('\n')}
    ${share(
      o,
      E * (M + C),
      wgsl`
      let value = i < ${E * M}u;
      let at = select(${RR}u + i - ${E * M}u, (i / ${M}u) * ${M4 * 4}u + i % ${M}u, value);
      let s = ${act('s', 'at')};
      var ds = 0.0;
      if (value) {
        ds = ${grad('dS', 'at')} * (1.0 - s * s);
      } else {
        ds = wg_ds[at] * s * (1.0 - s);
      }
      wg_ds[at] = ds;
      ${grad('dS', 'at')} = ds;`,
    )}
    workgroupBarrier();`;
  const layer = ({ Wy, Wh, Wr }: Layout['layers'][number], l: number): string => wgsl`
    // Layer ${l + 1}: reads the gradient of its h in wg_dh (from the step after) and wg_dy (from above).
    ${share(
      o,
      H,
      wgsl`
      let dh = wg_dh[${l * HH}u + i] + wg_dy[i];
      ${cell.backward({
        d: state => (state === 'h' ? 'dh' : `wg_d${state}[${l * HH}u + i]`),
        kept: g => act(`g${l}`, `${g * HH}u + i`),
        now: state => act(`${state}${l}`, 'i', 1),
        before: state => act(`${state}${l}`, 'i'),
        tanh: 'safeTanh',
      })}
      ${range(gates.all)
        .map(
          g => `wg_da[${g * HH}u + i] = da${g};
      ${grad(`dA${l}`, `${g * HH}u + i`)} = da${g};`,
        )
        .join('\n')}
      ${carriedOf(layout)
        .map(state => `wg_d${state}[${l * HH}u + i] = d${state}Before;`)
        .join('\n')}
      wg_dh[${l * HH}u + i] = ${gates.direct ? 'dhDirect' : '0.0'};`,
    )}
    workgroupBarrier();
    ${Wh ? share(o, H, `var sum = wg_dh[${l * HH}u + i]; ${row('wg_da', Wh, 'i', gates.hFrom * HH)} wg_dh[${l * HH}u + i] = sum;`) : ''}
    ${Wy ? share(o, H, `var sum = 0.0; ${row('wg_da', Wy, 'i')} wg_dy[i] = sum;`) : ''}
    ${Wr ? share(o, RR, `var sum = ${l === top ? '0.0' : 'wg_dr[i]'}; ${row('wg_da', Wr, 'i')} wg_dr[i] = sum;`) : ''}
    workgroupBarrier();`;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read> acts: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dStrength: array<f32>;
${MATH}
${layout.states.map(state => `var<workgroup> wg_d${state}: array<f32, ${layers.length * HH}>;`).join('\n')}
var<workgroup> wg_dy: array<f32, ${HH}>;
var<workgroup> wg_da: array<f32, ${gates.all * HH}>;
var<workgroup> wg_dop: array<f32, ${P4 * 4}>;
var<workgroup> wg_ds: array<f32, ${Math.max(1, SS)}>;
var<workgroup> wg_dr: array<f32, ${Math.max(1, RR)}>;
#if ${E > 0}
fn valueAt(k: u32, row: u32, c: u32) -> u32 {
  return ((stepOf(row) * batch.B + seq) * ${operand(layout, 's').width4}u + endOf(k, row) * ${M4}u) * 4u + c;
}
fn loadValue(k: u32, row: u32, c: u32) -> f32 { return acts[batch.s * 4u + valueAt(k, row, c)]; }
fn loadDRead(k: u32, end: u32, c: u32) -> f32 { return wg_dr[ofMemory(k, end) * ${M4 * 4}u + c]; }
fn addDValue(k: u32, row: u32, c: u32, x: f32) { grads[batch.dS * 4u + valueAt(k, row, c)] += x; }
${loadControls(o)}
#endif
${memoryOf(layout, o.memory, 'f32', 'backward')}
${mainHead(o)}
  let begin = batch.sliceFrom;
  let end = min(length, batch.sliceTo);
  // The slice with the last steps of all comes first.
  if (batch.sliceTo == batch.T) {
  // Gradients of values and strengths are sums; what lies beyond the length has none.
  for (var t = 0u; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    ${share(o, SS, `${grad('dS', 'i')} = 0.0;`)}
  }
  for (var t = length; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    ${layers.map((_, l) => share(o, gates.all * HH, `${grad(`dA${l}`, 'i')} = 0.0;`)).join('\n')}
    ${P ? share(o, P4 * 4, `${grad('dP', 'i')} = 0.0;`) : ''}
  }
  }
  if (end <= begin) { return; }
  ${memoriesOf(layout)
    .map(k => `var place${k} = ${placeAt(o.memory, k, 'end')};`)
    .join('\n')}
  if (end == length) {
  ${memoriesOf(layout)
    .map(k => `clearGradient(${k}u, place${k});`)
    .join('\n')}
  } else {
  // From the slice after this one.
  ${share(o, RR, `wg_dr[i] = grads[(${place('dR', 'sequence')}) * 4u + i];`)}
  ${states
    .map(({ state, layer, gradient }) =>
      share(o, H, `wg_d${state}[${layer * HH}u + i] = grads[(${place(gradient, 'sequence')}) * 4u + i];`),
    )
    .join('\n')}
  }
  workgroupBarrier();
  for (var steps = end; steps > begin; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + sequence;
    ${E ? memories : ''}
    ${share(
      o,
      heads,
      wgsl`
      var sum = ${grad('dOp', 'i')};
      ${E ? row('wg_ds', blocks.S, 'i') : ''}
      ${
        P
          ? `let op = ${act('op', 'i')};
      sum *= 1.0 - op * op;
      ${grad('dP', 'i')} = sum;`
          : ''
      }
      wg_dop[i] = sum;`,
    )}
    workgroupBarrier();
    ${share(
      o,
      H,
      wgsl`
      var sum = 0.0;
      ${P ? row('wg_dop', blocks.Whp, 'i') : 'sum += wg_dop[i];'}
      ${spec.autoencoder ? `sum += ${grad('dHx', 'i')};` : ''}
      wg_dy[i] = sum;`,
    )}
    workgroupBarrier();
    ${layers
      .map((one, l) => layer(one, l))
      .reverse()
      .join('\n')}
  }
  // Of the starting state, or for the slice before this one.
  ${states
    .map(({ state, layer, gradient }) =>
      share(o, H, `grads[(${place(gradient, 'sequence')}) * 4u + i] = wg_d${state}[${layer * HH}u + i];`),
    )
    .join('\n')}
  ${share(o, RR, `grads[(${place('dR', 'sequence')}) * 4u + i] = wg_dr[i];`)}
}
`;
}
