import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { operand } from '../../src/layout/tensors.ts';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { mainOfInvocation } from '../lib/invocation.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { activateControlsBackward, controlsOf, memoriesOf, memoryCode } from '../lib/model.wgsl.ts';
import { addOuter, addTransposed } from '../lib/product.wgsl.ts';
import { elementsOf } from '../lib/rows.wgsl.ts';
import { statesBesidesH, statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines, unrolled } from '../lib/text.ts';
import { boundsAt } from '../memories/kind.wgsl.ts';
import { bindings, type LaneOptions } from './lane.wgsl.ts';

/**
 * batch, parameters, acts, slots, undoLog, grads: dY, dXh, dXp -> partial [rowSplits, size4]: the gradients of all
 * parameters. Invocation `part` of rowSplits sums over the sequences part, part + rowSplits …, in private memory. The
 * factors of the weight gradients are in registers here; a separate kernel would have to load them from buffers, at
 * twice the cost.
 */
export function fusedBackwardLane(o: LaneOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'vec4f');
  const { H4, P4, N4, R4, S4, E, blocks, spec, gates, layers } = layout;
  const top = layers.length - 1;
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const recurrent = layers[0].Wh !== undefined;
  const op = spec.projection ? 'op' : `hNow${top}`;
  const gradient = (block: Block | undefined, x: string, dy: string, from = 0): string =>
    block ? addOuter('acc', x, dy, block, from) : '';
  const biasGradient = (block: Block | undefined, dy: string): string =>
    block ? unrolled(block.ld4, j => `acc[${block.offset4}u + ${j}] += ${dy}[${j}];`) : '';
  const loaded = (name: string, field: string, skip: 0 | 1 = 0): string => {
    const { width4 } = operand(layout, field);
    return wgsl`
    var ${name}: array<vec4f, ${width4}>;
    ${unrolled(width4, j => `${name}[${j}] = ${element(field, 'row', j, skip)};`)}`;
  };
  // Backward pass through an output matrix: to += dy · Wᵀ, where dy is loaded from the tensor `name`.
  const addBackward = (to: string, name: 'dY' | 'dXh' | 'dXp', W: 'Wo' | 'Whx' | 'Wpx') => {
    const { width4 } = operand(layout, name);
    return `{
      var dy: array<vec4f, ${width4}>;
      ${unrolled(width4, j => `dy[${j}] = ${element(name, 'row', j)};`)}
      ${addTransposed(to, 'dy', blocks[W])}
      ${gradient(blocks[W], W === 'Whx' ? `hNow${top}` : op, 'dy')}
      ${W === 'Wo' ? biasGradient(blocks.bo, 'dy') : ''}
    }`;
  };
  const heads = wgsl`
    // Memories, then heads.
    var strengths: array<vec4f, ${S4 - N4}>;
    var ds: array<vec4f, ${S4}>;
    ${unrolled(S4 - N4, j => `strengths[${j}] = ${element('s', 'row', `${N4}u + ${j}`)};`)}
    ${unrolled(S4 - N4, j => `ds[${N4}u + ${j}] = vec4f();`)}
    ${lines(
      memoriesOf(layout),
      k => `bounds${k} = backward(${k}u, t, bounds${k});
      ${lines(
        controlsOf(layout, k),
        ({ vector, component, local }) => `ds[${vector}].${component} = gradients.${local};`,
      )}`,
    )}
    ${lines(memoriesOf(layout), k =>
      activateControlsBackward(
        layout,
        k,
        ({ vector, component }) => `strengths[${vector - N4}].${component}`,
        ({ vector, component }) => `ds[${vector}].${component}`,
      ),
    )}
    ${unrolled(
      N4,
      c => `{
      let v = ${element('s', 'row', c)};
      ds[${c}] = ${element('dS', 'row', c)} * (1.0 - v * v);
    }`,
    )}
    ${E ? addTransposed('dop', 'ds', blocks.S) : ''}
    ${E ? gradient(blocks.S, op, 'ds') : ''}
    ${E ? biasGradient(blocks.bS, 'ds') : ''}`;
  const layer = ({ Wx, Wy, Wh, Wr, b }: Layout['layers'][number], l: number): string => wgsl`{
      ${Wh ? loaded('hBefore', `h${l}`) : ''}
      var da: array<vec4f, ${gates.all * H4}>;
      ${unrolled(
        H4,
        j => `{
        ${cell.backward({
          d: state => `d${state}${l}[${j}]`,
          kept: g => element(`g${l}`, 'row', `${g * H4}u + ${j}`),
          now: state => (state === 'h' ? `hNow${l}[${j}]` : element(`${state}${l}`, 'row', j, 1)),
          before: state => (state === 'h' ? `hBefore[${j}]` : element(`${state}${l}`, 'row', j)),
          tanh: 'safeTanh4',
        })}
        ${lines(gates.all, g => `da[${g * H4}u + ${j}] = da${g};`)}
        ${lines(statesBesidesH(layout), state => `d${state}${l}[${j}] = d${state}Before;`)}
        dh${l}[${j}] = ${gates.direct ? 'dhDirect' : 'vec4f()'};
      }`,
      )}
      ${Wh ? addTransposed(`dh${l}`, 'da', Wh, gates.hFrom * H4) : ''}
      ${Wy ? addTransposed(`dh${l - 1}`, 'da', Wy) : ''}
      ${Wr ? addTransposed('dr', 'da', Wr) : ''}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4}u + min(input, ${Wx.rows - 1}u) * ${Wx.ld4}u;
          ${unrolled(Wx.ld4, j => `acc[at + ${j}] += da[${j}];`)}
        }
      }
      ${biasGradient(b, 'da')}
      ${gradient(Wy, `hNow${l - 1}`, 'da')}
      ${gradient(Wh, 'hBefore', 'da', gates.hFrom * H4)}
      ${Wr ? `{ ${loaded('rBefore', 'r')} ${gradient(Wr, 'rBefore', 'da')} }` : ''}
    }`;
  return wgsl`
${bindings(o)}
${storage(2, 'acts: vec4f -> grads: vec4f, slots: vec2u, undoLog: vec4u, dStrength: f32, partial: vec4f')}
var<private> acc: array<vec4f, ${layout.size4}>;
${MATH}
var<private> seq: u32;
#if ${E > 0}
var<private> dr: array<vec4f, ${R4}>;
#endif
${memoryCode(o, 'vec4f', 'backward', i => `dr[${i}]`)}

${mainOfInvocation(o.memory.size, 'part')}
  loadBatch();
  if (part >= batch.rowSplits) { return; }
  loadParameters();
  if (batch.first == 0u) {
    for (var i = 0u; i < ${layout.size4}u; i++) { acc[i] = partial[part * ${layout.size4}u + i]; }
  }
  for (var n = batch.round; n < batch.round + batch.rounds; n++) {
    seq = part + n * batch.rowSplits;
    if (seq >= batch.B) { break; }
    if (lengthOf(seq) > batch.sliceFrom) { backwardOverSteps(); }
  }
  for (var i = 0u; i < ${layout.size4}u; i++) { partial[part * ${layout.size4}u + i] = acc[i]; }
}

fn backwardOverSteps() {
  let length = lengthOf(seq);
  let end = min(length, batch.sliceTo);
  ${lines(states, ({ name }) => `var d${name} = array<vec4f, ${H4}>();`)}
  ${lines(memoriesOf(layout), k => `var bounds${k} = ${boundsAt(o.memory, `${k}u`, 'end')};`)}
  if (end == length) {
  // After the last step there is no gradient. Clear dr, which may contain that of the previous sequence.
  ${unrolled(R4, c => `dr[${c}] = vec4f();`)}
#if ${E > 0}
  // Clear the gradients of values and strengths, to which the steps add.
  for (var t = 0u; t < length; t++) {
    for (var j = 0u; j < ${S4}u; j++) { ${element('dS', '(t * batch.B + seq)', 'j')} = vec4f(); }
  }
  ${lines(memoriesOf(layout), k => `clearGradient(${k}u, bounds${k});`)}
#endif
  } else {
  // Continue from the slice of later steps.
  ${unrolled(R4, c => `dr[${c}] = ${element('dR', 'seq', c)};`)}
  ${lines(states, ({ name, gradient }) => unrolled(H4, j => `d${name}[${j}] = ${element(gradient, 'seq', j)};`))}
  }
  for (var steps = end; steps > batch.sliceFrom; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + seq;
    ${lines(layers, (_, l) => loaded(`hNow${l}`, `h${l}`, 1))}
    ${spec.projection ? loaded('op', 'op') : ''}
    var dop = array<vec4f, ${P4}>();
    ${E ? heads : ''}
    ${addBackward('dop', 'dY', 'Wo')}
    ${spec.autoencoder ? addBackward('dop', 'dXp', 'Wpx') : ''}
    // Controller.
#if ${spec.projection > 0}
    ${unrolled(P4, j => `dop[${j}] *= 1.0 - op[${j}] * op[${j}];`)}
    ${spec.projection ? addTransposed(`dh${top}`, 'dop', blocks.Whp) : ''}
    ${spec.projection ? gradient(blocks.Whp, `hNow${top}`, 'dop') + biasGradient(blocks.bp, 'dop') : ''}
#else
    ${unrolled(H4, j => `dh${top}[${j}] += dop[${j}];`)}
#endif
    ${spec.autoencoder ? addBackward(`dh${top}`, 'dXh', 'Whx') : ''}
    ${unrolled(R4, c => `dr[${c}] = vec4f();`)}
    ${layers
      .map((matrices, l) => layer(matrices, l))
      .reverse()
      .join('\n')}
  }
  if (batch.sliceFrom > 0u) {
  ${unrolled(R4, c => `${element('dR', 'seq', c)} = dr[${c}];`)}
  ${lines(states, ({ name, gradient }) => unrolled(H4, j => `${element(gradient, 'seq', j)} = d${name}[${j}];`))}
  return;
  }
#if ${spec.start === 'trained' && recurrent}
  ${lines(states, ({ name, first }) => biasGradient(first, `d${name}`))}
#endif
}
`;
}
