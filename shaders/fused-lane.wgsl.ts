import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../src/layout/layout.ts';
import { operand } from '../src/layout/tensors.ts';
import { cellBackward, cellForward } from './lib/cells.wgsl.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { lossOfRow } from './lib/losses.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import {
  type FusedOptions,
  memoriesOf,
  memoryOf,
  memoryPlaces,
  perEnd,
  strengthPlaces,
  strengthsAt,
} from './lib/model.wgsl.ts';
import { add, addOuter, addTransposed } from './lib/product.wgsl.ts';
import { rowsOf } from './lib/rows.wgsl.ts';
import { each, range } from './lib/text.ts';

/**
 * The fused plan: controller and memories over all time steps of a batch in one dispatch, and the same backwards.
 * Equations as in src/base/parameters.ts. Here the `lane` form, one sequence per invocation with its state in
 * registers and all products written out; fused-block.wgsl.ts has the other.
 */
const bindings = ({ layout, batch, uniform }: FusedOptions): string => wgsl`
${batch}
@group(0) @binding(1) var<${uniform ? 'uniform' : 'storage, read'}> parameters: array<vec4f, ${layout.size4}>;
// A copy per invocation: software adapters load it four lanes at a time, while a load from a buffer is checked and
// gathered lane by lane (2 to 3 times slower as a whole).
var<private> w: array<vec4f, ${layout.size4}>;
fn loadParameters() {
  for (var i = 0u; i < ${layout.size4}u; i++) { w[i] = parameters[i]; }
}
`;

/**
 * batch, parameters -> acts: h, c, g of every layer, r, op, s, y (and xh, xp) of every step; grads: dY (and dXh, dXp);
 * outcomes, extra as in loss.wgsl.ts; slots, log. Rows beyond a sequence's length are left as they are: no kernel of
 * this form reads them.
 */
export function fusedForwardLane(o: FusedOptions): string {
  const { layout } = o;
  const place = rowsOf(layout);
  const { H4, P4, M4, R4, S4, V4, D4, E, blocks, spec, gates, layers } = layout;
  const top = layers.length - 1;
  const lstm = gates.cell;
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
      ${each(D4, Infinity, j => `acts[${place(field, 'row')} + ${j}] = y[${j}];`)}
      ${each(D4, Infinity, j => `grads[${place(dField, 'row')} + ${j}] = dy[${j}];`)}
    }`;
  const op = spec.deeper ? 'op' : `h${top}`;
  // Into a slice of the time steps that is not the first: what the one before it left.
  const goOn = layers.map(
    (_, l) => wgsl`
  ${each(H4, Infinity, j => `h${l}[${j}] = acts[${place(`h${l}`, '(batch.sliceFrom * batch.B + seq)')} + ${j}];`)}
  ${lstm ? each(H4, Infinity, j => `c${l}[${j}] = acts[${place(`c${l}`, '(batch.sliceFrom * batch.B + seq)')} + ${j}];`) : ''}`,
  );
  const states = layers.map(
    (_, l) => `var h${l} = array<vec4f, ${H4}>(); ${lstm ? `var c${l} = array<vec4f, ${H4}>();` : ''}`,
  );
  const start = layers.map(
    (layer, l) => wgsl`
#if ${layer.h0 !== undefined}
  ${each(H4, Infinity, j => `h${l}[${j}] = w[${layer.h0?.offset4 ?? 0}u + ${j}];`)}
#elif ${spec.start === 'one-hot' && l === 0}
  h0[0].x = 1.0;
#endif
  ${each(H4, Infinity, j => `acts[${place(`h${l}`, 'seq')} + ${j}] = h${l}[${j}];`)}
#if ${lstm}
#if ${layer.c0 !== undefined}
  ${each(H4, Infinity, j => `c${l}[${j}] = w[${layer.c0?.offset4 ?? 0}u + ${j}];`)}
#endif
  ${lstm ? each(H4, Infinity, j => `acts[${place(`c${l}`, 'seq')} + ${j}] = c${l}[${j}];`) : ''}
#endif`,
  );
  const layer = layers.map(({ Wx, Wy, Wh, Wr, b }, l) => {
    const width = gates.all * H4;
    const xWidth = gates.x * H4;
    return wgsl`{
      var a = array<vec4f, ${width}>();
      ${each(xWidth, Infinity, j => `a[${j}] = w[${b.offset4}u + ${j}];`)}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${xWidth}u;
          ${each(xWidth, Infinity, j => `a[${j}] += w[at + ${j}];`)}
        }
      }
      ${Wy ? add('a', `h${l - 1}`, Wy) : ''}
      ${Wh ? add('a', `h${l}`, Wh, gates.hFrom * H4) : ''}
      ${Wr ? add('a', 'r', Wr) : ''}
      ${each(
        H4,
        Infinity,
        j => `{
        ${cellForward(spec.controller, {
          a: g => `a[${g * H4}u + ${j}]`,
          h: `h${l}[${j}]`,
          c: `c${l}[${j}]`,
          tanh: 'safeTanh4',
          sigmoid: 'sigmoid4',
        })}
        h${l}[${j}] = hNext;
        acts[${place(`h${l}`, 'row', 1)} + ${j}] = hNext;
        ${lstm ? `c${l}[${j}] = cNext; acts[${place(`c${l}`, 'row', 1)} + ${j}] = cNext;` : ''}
        ${range(gates.kept)
          .map(g => `acts[${place(`g${l}`, 'row')} + ${g * H4}u + ${j}] = kept${g};`)
          .join('\n')}
      }`,
      )}
    }`;
  });
  const heads = wgsl`
    // Heads: s = (v of every end, d and u of every end).
    var s: array<vec4f, ${S4}>;
    ${each(S4, Infinity, j => `s[${j}] = w[${blocks.bS.offset4}u + ${j}];`)}
    ${E ? add('s', op, blocks.S) : ''}
    ${each(R4, Infinity, c => `s[${c}] = safeTanh4(s[${c}]);`)}
    ${range(E)
      .map(end => {
        const { vector, d, u } = strengthsAt(layout, end);
        return `{
      let noise = noiseAt(row, ${end}u);
      s[${vector}].${d} = sigmoid(s[${vector}].${d} + noise.x);
      s[${vector}].${u} = sigmoid(s[${vector}].${u} + noise.y);
    }`;
      })
      .join('\n')}
    ${each(S4, Infinity, j => `acts[${place('s', 'row')} + ${j}] = s[${j}];`)}
    // Memories.
    ${each(R4, Infinity, c => `r[${c}] = vec4f();`)}
    ${memoriesOf(layout)
      .map(k => {
        const of = (which: 'd' | 'u') =>
          perEnd(layout, k, end => {
            const place = strengthsAt(layout, end);
            return `s[${place.vector}].${place[which]}`;
          });
        return `bounds${k} = forward(${k}u, t, bounds${k}, ${of('d')}, ${of('u')});`;
      })
      .join('\n')}
    ${each(R4, Infinity, c => `acts[${place('r', 'row', 1)} + ${c}] = r[${c}];`)}`;
  return wgsl`
${bindings(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> outcomes: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> extra: array<vec2f>;
${MATH}
var<private> seq: u32;
${memoryPlaces(layout, 'lane')}
#if ${E > 0}
var<private> r: array<vec4f, ${R4}>;
fn loadValue(k: u32, row: u32, c: u32) -> vec4f {
  return acts[${place('s', '(stepOf(row) * batch.B + seq)')} + endOf(k, row) * ${M4}u + c];
}
fn addRead(k: u32, end: u32, c: u32, x: vec4f) { r[ofMemory(k, end) * ${M4}u + c] += x; }
#endif
${memoryOf(layout, o.memory, 'vec4f', 'forward')}

${mainOfInvocation(o.memory.size, 'sequence')}
  loadBatch();
  seq = sequence;
  if (seq >= batch.B) { return; }
  let length = lengthOf(seq);
  loadParameters();
  ${states.join('\n')}
  if (batch.sliceFrom == 0u) {
  ${start.join('\n')}
#if ${spec.start === 'one-hot' && E > 0}
  r[0].x = 1.0;
#endif
  ${each(R4, Infinity, c => `acts[${place('r', 'seq')} + ${c}] = r[${c}];`)}
  } else {
  ${goOn.join('\n')}
  ${each(R4, Infinity, c => `r[${c}] = acts[${place('r', '(batch.sliceFrom * batch.B + seq)')} + ${c}];`)}
  }
  ${memoriesOf(layout)
    .map(k => `var bounds${k} = boundsBefore(${k}u, batch.sliceFrom);`)
    .join('\n')}
  for (var t = batch.sliceFrom; t < min(length, batch.sliceTo); t++) {
    let row = t * batch.B + seq;
    // Controller.
    ${layer.join('\n')}
#if ${spec.deeper > 0}
    var op: array<vec4f, ${P4}>;
    ${each(P4, Infinity, j => `op[${j}] = w[${blocks.bp.offset4}u + ${j}];`)}
    ${spec.deeper ? add('op', `h${top}`, blocks.Whp) : ''}
    ${each(P4, Infinity, j => `op[${j}] = safeTanh4(op[${j}]);`)}
    ${each(P4, Infinity, j => `acts[${place('op', 'row')} + ${j}] = op[${j}];`)}
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
      ${each(V4, Infinity, j => `acts[${place('y', 'row')} + ${j}] = y[${j}];`)}
      ${each(V4, Infinity, j => `grads[${place('dY', 'row')} + ${j}] = dy[${j}];`)}
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
    ${spec.autoencoder ? recall(`h${top}`, 'Whx', 'xh', 'dXh', 'x') : ''}
    ${spec.autoencoder ? recall(op, 'Wpx', 'xp', 'dXp', 'y') : ''}
    extra[row] = recalled;
#endif
    ${E ? heads : ''}
  }
}
`;
}

/**
 * batch, parameters, acts, slots, log, grads: dY, dXh, dXp -> partial [parts, size4]: the gradients of all parameters over
 * the sequences seq, seq + parts …, of which each of `parts` invocations goes back over its own. What a weight gradient is
 * a product of is in registers here; from buffers it would cost as much again. The sums stay in private memory.
 */
export function fusedBackwardLane(o: FusedOptions): string {
  const { layout } = o;
  const place = rowsOf(layout);
  const { H4, P4, M4, R4, S4, E, blocks, spec, gates, layers } = layout;
  const top = layers.length - 1;
  const lstm = gates.cell;
  const recurrent = layers[0].Wh !== undefined;
  const op = spec.deeper ? 'op' : `hNow${top}`;
  const gradient = (block: Block | undefined, x: string, dy: string, from = 0): string =>
    block ? addOuter('acc', block.offset4, x, dy, block, from) : '';
  const biasGradient = (block: Block | undefined, dy: string): string =>
    block ? each(block.ld4, Infinity, j => `acc[${block.offset4}u + ${j}] += ${dy}[${j}];`) : '';
  const loaded = (name: string, field: string, skip: 0 | 1 = 0): string => {
    const { width4 } = operand(layout, field);
    return wgsl`
    var ${name}: array<vec4f, ${width4}>;
    ${each(width4, Infinity, j => `${name}[${j}] = acts[${place(field, 'row', skip)} + ${j}];`)}`;
  };
  // A gradient from a buffer, through a matrix: `name` times Wᵀ, added to `to`.
  const addBackward = (to: string, name: 'dY' | 'dXh' | 'dXp', W: 'Wo' | 'Whx' | 'Wpx') => {
    const { width4 } = operand(layout, name);
    return `{
      var dy: array<vec4f, ${width4}>;
      ${each(width4, Infinity, j => `dy[${j}] = grads[${place(name, 'row')} + ${j}];`)}
      ${addTransposed(to, 'dy', blocks[W])}
      ${gradient(blocks[W], W === 'Whx' ? `hNow${top}` : op, 'dy')}
      ${W === 'Wo' ? biasGradient(blocks.bo, 'dy') : ''}
    }`;
  };
  const heads = wgsl`
    // Memories, then heads.
    var strengths: array<vec4f, ${S4 - R4}>;
    var ds: array<vec4f, ${S4}>;
    ${each(S4 - R4, Infinity, j => `strengths[${j}] = acts[${place('s', 'row')} + ${R4}u + ${j}];`)}
    ${each(S4 - R4, Infinity, j => `ds[${R4}u + ${j}] = vec4f();`)}
    ${memoriesOf(layout)
      .map(
        k => `bounds${k} = backward(${k}u, t, bounds${k});
    ${strengthPlaces(layout, k)
      .map(({ gradient, end }) => {
        const { vector, d, u } = strengthsAt(layout, end);
        return `ds[${vector}].${d} = gradients.${gradient[0]};
    ds[${vector}].${u} = gradients.${gradient[1]};`;
      })
      .join('\n')}`,
      )
      .join('\n')}
    ${each(S4 - R4, Infinity, j => `ds[${R4}u + ${j}] *= strengths[${j}] * (1.0 - strengths[${j}]);`)}
    ${each(
      R4,
      Infinity,
      c => `{
      let v = acts[${place('s', 'row')} + ${c}];
      ds[${c}] = grads[${place('dS', 'row')} + ${c}] * (1.0 - v * v);
    }`,
    )}
    ${E ? addTransposed('dop', 'ds', blocks.S) : ''}
    ${E ? gradient(blocks.S, op, 'ds') : ''}
    ${E ? biasGradient(blocks.bS, 'ds') : ''}`;
  const layer = ({ Wx, Wy, Wh, Wr, b }: Layout['layers'][number], l: number): string => wgsl`{
      ${Wh ? loaded('hBefore', `h${l}`) : ''}
      var da: array<vec4f, ${gates.all * H4}>;
      ${each(
        H4,
        Infinity,
        j => `{
        ${cellBackward(spec.controller, {
          dh: `dh${l}[${j}]`,
          dc: `dc${l}[${j}]`,
          kept: g => `acts[${place(`g${l}`, 'row')} + ${g * H4}u + ${j}]`,
          hNow: `hNow${l}[${j}]`,
          cNow: lstm ? `acts[${place(`c${l}`, 'row', 1)} + ${j}]` : '',
          h: `hBefore[${j}]`,
          c: lstm ? `acts[${place(`c${l}`, 'row')} + ${j}]` : '',
          tanh: 'safeTanh4',
        })}
        ${range(gates.all)
          .map(g => `da[${g * H4}u + ${j}] = da${g};`)
          .join('\n')}
        ${lstm ? `dc${l}[${j}] = dcBefore;` : ''}
        dh${l}[${j}] = ${spec.controller === 'gru' ? 'dhDirect' : 'vec4f()'};
      }`,
      )}
      ${Wh ? addTransposed(`dh${l}`, 'da', Wh, gates.hFrom * H4) : ''}
      ${Wy ? addTransposed(`dh${l - 1}`, 'da', Wy) : ''}
      ${Wr ? addTransposed('dr', 'da', Wr) : ''}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4}u + min(input, ${Wx.rows - 1}u) * ${Wx.ld4}u;
          ${each(Wx.ld4, Infinity, j => `acc[at + ${j}] += da[${j}];`)}
        }
      }
      ${biasGradient(b, 'da')}
      ${gradient(Wy, `hNow${l - 1}`, 'da')}
      ${gradient(Wh, 'hBefore', 'da', gates.hFrom * H4)}
      ${Wr ? `{ ${loaded('rBefore', 'r')} ${gradient(Wr, 'rBefore', 'da')} }` : ''}
    }`;
  return wgsl`
${bindings(o)}
@group(0) @binding(2) var<storage, read> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> slots: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> undo: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dStrength: array<f32>;
@group(0) @binding(7) var<storage, read_write> partial: array<vec4f>;
var<private> acc: array<vec4f, ${layout.size4}>;
${MATH}
var<private> seq: u32;
${memoryPlaces(layout, 'lane')}
#if ${E > 0}
var<private> dr: array<vec4f, ${R4}>;
fn rowOf(t: u32) -> u32 { return (t * batch.B + seq) * ${operand(layout, 's').width4}u; }
fn valueAt(k: u32, row: u32, c: u32) -> u32 { return rowOf(stepOf(row)) + endOf(k, row) * ${M4}u + c; }
fn loadValue(k: u32, row: u32, c: u32) -> vec4f { return acts[batch.s + valueAt(k, row, c)]; }
fn loadDRead(k: u32, end: u32, c: u32) -> vec4f { return dr[ofMemory(k, end) * ${M4}u + c]; }
fn addDValue(k: u32, row: u32, c: u32, x: vec4f) { grads[batch.dS + valueAt(k, row, c)] += x; }
#endif
${memoryOf(layout, o.memory, 'vec4f', 'backward')}

${mainOfInvocation(o.memory.size, 'part')}
  loadBatch();
  if (part >= batch.parts) { return; }
  loadParameters();
  if (batch.first == 0u) {
    for (var i = 0u; i < ${layout.size4}u; i++) { acc[i] = partial[part * ${layout.size4}u + i]; }
  }
  for (var n = batch.round; n < batch.round + batch.rounds; n++) {
    seq = part + n * batch.parts;
    if (seq >= batch.B) { break; }
    if (lengthOf(seq) > batch.sliceFrom) { backOver(); }
  }
  for (var i = 0u; i < ${layout.size4}u; i++) { partial[part * ${layout.size4}u + i] = acc[i]; }
}

fn backOver() {
  let length = lengthOf(seq);
  let end = min(length, batch.sliceTo);
  ${layers
    .map((_, l) => `var dh${l} = array<vec4f, ${H4}>(); ${lstm ? `var dc${l} = array<vec4f, ${H4}>();` : ''}`)
    .join('\n')}
  ${memoriesOf(layout)
    .map(k => `var bounds${k} = boundsBefore(${k}u, end);`)
    .join('\n')}
  if (end == length) {
  // Nothing comes from after the last step: not from the sequence before this one either.
  ${each(R4, Infinity, c => `dr[${c}] = vec4f();`)}
#if ${E > 0}
  // Gradients of values and strengths are sums. A deque's slots have two places a step.
  for (var t = 0u; t < length; t++) {
    for (var j = 0u; j < ${S4}u; j++) { grads[batch.dS + rowOf(t) + j] = vec4f(); }
  }
  ${memoriesOf(layout)
    .map(k => `for (var i = bounds${k}.x; i < bounds${k}.y; i++) { dStrength[slotAt(${k}u, i)] = 0.0; }`)
    .join('\n')}
#endif
  } else {
  // From the slice after this one.
  ${each(R4, Infinity, c => `dr[${c}] = grads[${place('dR', 'seq')} + ${c}];`)}
  ${layers
    .map(
      (_, l) => `${each(H4, Infinity, j => `dh${l}[${j}] = grads[${place(`dH${l}`, 'seq')} + ${j}];`)}
  ${lstm ? each(H4, Infinity, j => `dc${l}[${j}] = grads[${place(`dC${l}`, 'seq')} + ${j}];`) : ''}`,
    )
    .join('\n')}
  }
  for (var steps = end; steps > batch.sliceFrom; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + seq;
    ${layers.map((_, l) => loaded(`hNow${l}`, `h${l}`, 1)).join('\n')}
    ${spec.deeper ? loaded('op', 'op') : ''}
    var dop = array<vec4f, ${P4}>();
    ${E ? heads : ''}
    ${addBackward('dop', 'dY', 'Wo')}
    ${spec.autoencoder ? addBackward('dop', 'dXp', 'Wpx') : ''}
    // Controller.
#if ${spec.deeper > 0}
    ${each(P4, Infinity, j => `dop[${j}] *= 1.0 - op[${j}] * op[${j}];`)}
    ${spec.deeper ? addTransposed(`dh${top}`, 'dop', blocks.Whp) : ''}
    ${spec.deeper ? gradient(blocks.Whp, `hNow${top}`, 'dop') + biasGradient(blocks.bp, 'dop') : ''}
#else
    ${each(H4, Infinity, j => `dh${top}[${j}] += dop[${j}];`)}
#endif
    ${spec.autoencoder ? addBackward(`dh${top}`, 'dXh', 'Whx') : ''}
    ${each(R4, Infinity, c => `dr[${c}] = vec4f();`)}
    ${layers
      .map((one, l) => layer(one, l))
      .reverse()
      .join('\n')}
  }
  if (batch.sliceFrom > 0u) {
  ${each(R4, Infinity, c => `grads[${place('dR', 'seq')} + ${c}] = dr[${c}];`)}
  ${layers
    .map(
      (_, l) => `${each(H4, Infinity, j => `grads[${place(`dH${l}`, 'seq')} + ${j}] = dh${l}[${j}];`)}
  ${lstm ? each(H4, Infinity, j => `grads[${place(`dC${l}`, 'seq')} + ${j}] = dc${l}[${j}];`) : ''}`,
    )
    .join('\n')}
  return;
  }
#if ${spec.start === 'trained' && recurrent}
  ${layers.map(({ h0, c0 }, l) => biasGradient(h0, `dh${l}`) + biasGradient(c0, `dc${l}`)).join('\n')}
#endif
}
`;
}
