import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { mainOfInvocation } from '../lib/invocation.wgsl.ts';
import { lossOfRow } from '../lib/losses.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { activateControls, controlVector, memoriesOf, memoryCode } from '../lib/model.wgsl.ts';
import { add } from '../lib/product.wgsl.ts';
import { elementsOf } from '../lib/rows.wgsl.ts';
import { statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines, unrolled } from '../lib/text.ts';
import { boundsAt } from '../memories/kind.wgsl.ts';
import { bindings, type LaneOptions } from './lane.wgsl.ts';

/**
 * batch, parameters -> acts of every step: the states h, c and the gates g that the backward pass needs, of every
 * layer; the reads r, the projection op, the heads s, the outputs y (and the reconstructions xh, xp); grads: dY (and
 * dXh, dXp); rowMetrics and autoencoderLoss as in loss.wgsl.ts; slots, undoLog. Rows after the end of a sequence are
 * not written, and no kernel of this form reads them.
 */
export function fusedForwardLane(o: LaneOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'vec4f');
  const { H4, P4, N4, R4, S4, V4, D4, E, blocks, spec, gates, layers } = layout;
  const top = layers.length - 1;
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  // An auto-encoder head: reconstructs the input of step t - 1 from `x`.
  const reconstruct = (
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
      reconstructionLoss.${component} = select(0.0, loss, t > 0u);
      ${unrolled(D4, j => `${element(field, 'row', j)} = y[${j}];`)}
      ${unrolled(D4, j => `${element(dField, 'row', j)} = dy[${j}];`)}
    }`;
  const op = spec.projection ? 'op' : `h${top}`;
  const declared = states.map(({ name }) => `var ${name} = array<vec4f, ${H4}>();`);
  // At the start of a later slice, load the state that the previous slice stored.
  const resumeState = states.map(({ name }) =>
    unrolled(H4, j => `${name}[${j}] = ${element(name, '(batch.sliceFrom * batch.B + seq)', j)};`),
  );
  const start = states.map(({ name, first, oneHot }) =>
    [
      first ? unrolled(H4, j => `${name}[${j}] = w[${first.offset4}u + ${j}];`) : '',
      oneHot ? `${name}[0].x = 1.0;` : '',
      unrolled(H4, j => `${element(name, 'seq', j)} = ${name}[${j}];`),
    ].join('\n'),
  );
  const layer = layers.map(({ Wx, Wy, Wh, Wr, b }, l) => {
    const width = gates.all * H4;
    const xWidth = gates.x * H4;
    return wgsl`{
      var a = array<vec4f, ${width}>();
      ${unrolled(xWidth, j => `a[${j}] = w[${b.offset4}u + ${j}];`)}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${xWidth}u;
          ${unrolled(xWidth, j => `a[${j}] += w[at + ${j}];`)}
        }
      }
      ${Wy ? add('a', `h${l - 1}`, Wy) : ''}
      ${Wh ? add('a', `h${l}`, Wh, gates.hFrom * H4) : ''}
      ${Wr ? add('a', 'r', Wr) : ''}
      ${unrolled(
        H4,
        j => `{
        ${cell.forward({
          a: g => `a[${g * H4}u + ${j}]`,
          before: state => `${state}${l}[${j}]`,
          tanh: 'safeTanh4',
          sigmoid: 'sigmoid4',
        })}
        ${lines(
          layout.states,
          state => `${state}${l}[${j}] = ${state}Next;
        ${element(`${state}${l}`, 'row', j, 1)} = ${state}Next;`,
        )}
        ${lines(gates.kept, g => `${element(`g${l}`, 'row', `${g * H4}u + ${j}`)} = kept${g};`)}
      }`,
      )}
    }`;
  });
  const heads = wgsl`
    // Heads: s = (v of every end, then the controls of every end).
    var s: array<vec4f, ${S4}>;
    ${unrolled(S4, j => `s[${j}] = w[${blocks.bS.offset4}u + ${j}];`)}
    ${E ? add('s', op, blocks.S) : ''}
    ${unrolled(N4, c => `s[${c}] = safeTanh4(s[${c}]);`)}
    ${lines(memoriesOf(layout), k => activateControls(layout, k, ({ vector, component }) => `s[${vector}].${component}`))}
    ${unrolled(S4, j => `${element('s', 'row', j)} = s[${j}];`)}
    // Memories.
    ${unrolled(R4, c => `r[${c}] = vec4f();`)}
    ${lines(memoriesOf(layout), k => {
      const controls = controlVector(layout, k, ({ vector, component }) => `s[${vector}].${component}`);
      return `bounds${k} = forward(${k}u, t, bounds${k}, ${controls});`;
    })}
    ${unrolled(R4, c => `${element('r', 'row', c, 1)} = r[${c}];`)}`;
  return wgsl`
${bindings(o)}
${storage(2, '-> acts: vec4f, slots: vec2u, undoLog: vec4u, grads: vec4f, rowMetrics: vec4f, autoencoderLoss: vec2f')}
${MATH}
var<private> seq: u32;
#if ${E > 0}
var<private> r: array<vec4f, ${R4}>;
#endif
${memoryCode(o, 'vec4f', 'forward', i => `r[${i}]`)}

${mainOfInvocation(o.memory.size, 'sequence')}
  loadBatch();
  seq = sequence;
  if (seq >= batch.B) { return; }
  let length = lengthOf(seq);
  loadParameters();
  ${declared.join('\n')}
  if (batch.sliceFrom == 0u) {
  ${start.join('\n')}
#if ${spec.start === 'one-hot' && E > 0}
  r[0].x = 1.0;
#endif
  ${unrolled(R4, c => `${element('r', 'seq', c)} = r[${c}];`)}
  } else {
  ${resumeState.join('\n')}
  ${unrolled(R4, c => `r[${c}] = ${element('r', '(batch.sliceFrom * batch.B + seq)', c)};`)}
  }
  ${lines(memoriesOf(layout), k => `var bounds${k} = ${boundsAt(o.memory, `${k}u`, 'batch.sliceFrom')};`)}
  for (var t = batch.sliceFrom; t < min(length, batch.sliceTo); t++) {
    let row = t * batch.B + seq;
    // Controller.
    ${layer.join('\n')}
#if ${spec.projection > 0}
    var op: array<vec4f, ${P4}>;
    ${unrolled(P4, j => `op[${j}] = w[${blocks.bp.offset4}u + ${j}];`)}
    ${spec.projection ? add('op', `h${top}`, blocks.Whp) : ''}
    ${unrolled(P4, j => `op[${j}] = safeTanh4(op[${j}]);`)}
    ${unrolled(P4, j => `${element('op', 'row', j)} = op[${j}];`)}
#endif
    // Output and its loss.
    {
      var y: array<vec4f, ${V4}>;
      ${unrolled(V4, j => `y[${j}] = w[${blocks.bo.offset4}u + ${j}];`)}
      ${add('y', op, blocks.Wo)}
      let label = targetAt(row);
      let hasTarget = label != MASKED;
      let weight = select(0.0, weightOf(seq), hasTarget);
      // Reads y and weight; declares dy, loss, error and best.
      ${lossOfRow(
        spec.output,
        spec.outputs,
        j => `vec4f(vec4u(label) == vec4u(4u * ${j}) + vec4u(0u, 1u, 2u, 3u))`,
      )}
      rowMetrics[row] = vec4f(select(0.0, loss, hasTarget), select(0.0, error, hasTarget), f32(best), f32(hasTarget));
      ${unrolled(V4, j => `${element('y', 'row', j)} = y[${j}];`)}
      ${unrolled(V4, j => `${element('dY', 'row', j)} = dy[${j}];`)}
    }
#if ${spec.autoencoder}
    var before = array<vec4f, ${D4}>();
    if (t > 0u) {
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row - batch.B, k);
        ${unrolled(D4, j => `before[${j}] += vec4f(vec4u(input) == vec4u(4u * ${j}) + vec4u(0u, 1u, 2u, 3u));`)}
      }
    }
    var reconstructionLoss = vec2f();
    ${spec.autoencoder ? reconstruct(`h${top}`, 'Whx', 'xh', 'dXh', 'x') : ''}
    ${spec.autoencoder ? reconstruct(op, 'Wpx', 'xp', 'dXp', 'y') : ''}
    autoencoderLoss[row] = reconstructionLoss;
#endif
    ${E ? heads : ''}
  }
}
`;
}
