import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { memoryKind } from '../../src/base/memories.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { operand } from '../../src/layout/tensors.ts';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { activateControls, controlsOf, controlVector, memoriesOf, memoryCode } from '../lib/model.wgsl.ts';
import { elementsOf } from '../lib/rows.wgsl.ts';
import { statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines } from '../lib/text.ts';
import { barrier, boundsAt } from '../memories/kind.wgsl.ts';
import {
  type BlockOptions,
  headAt,
  mainPrologue,
  productDeclarations,
  products,
  prologue,
  share,
} from './block.wgsl.ts';

/**
 * batch, w -> acts: h, c, g of every layer, r, op, s of every step; slots, undoLog. Rows of h, c, r, op and
 * s after a sequence's end become 0; those of g are not written.
 */
export function fusedForwardBlock(o: BlockOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'f32');
  const { H4, P4, N4, R4, S4, C, E, blocks, spec, gates, layers } = layout;
  const { hidden: H, width: M, projection: P } = spec;
  const [HH, RR] = [H4 * 4, R4 * 4];
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const op = P ? 'wg_op' : 'wg_y';
  /** Adds the gates' biases and the rows of Wx of the active inputs, which only the first gates.x blocks have. */
  const inputsOf = ({ Wx, b }: Layout['layers'][number]): string => {
    const code = wgsl`
        sum = w[${b.offset4}u + column];
        for (var k = 0u; k < batch.K; k++) {
          let input = inputAt(row, k);
          if (input != NO_INPUT) { sum += w[${Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${gates.x * H4}u + column]; }
        }`;
    return gates.x === gates.all ? code : `if (column < ${gates.x * H4}u) {${code}\n      }`;
  };
  const layer = (matrices: Layout['layers'][number], l: number): string => {
    const { Wy, Wh, Wr } = matrices;
    const gateSums = products(
      o,
      gates.all * H4,
      [
        ...(Wy ? [{ x: 'wg_y', W: Wy }] : []),
        ...(Wh ? [{ x: 'wg_h', from: l * HH, W: Wh, first: gates.hFrom * H4 }] : []),
        ...(Wr ? [{ x: 'wg_r', W: Wr }] : []),
      ],
      inputsOf(matrices),
    );
    return wgsl`
    // Layer ${l + 1}: reads h and r of step t - 1, and h of the layer below from wg_y. Leaves its h in wg_y.
    ${gateSums.code}
    ${share(
      o,
      H,
      wgsl`
      ${lines(gates.all, g => `let sum${g} = ${gateSums.at(`${g * HH}u + i`)};`)}
      ${cell.forward({
        a: g => `sum${g}`,
        before: state => `wg_${state}[${l * HH}u + i]`,
        tanh: 'safeTanh',
        sigmoid: 'sigmoid',
      })}
      wg_y[i] = hNext;
      ${lines(layout.states, state => `wg_${state}[${l * HH}u + i] = ${state}Next;`)}
      ${lines(layout.states, state => `${element(`${state}${l}`, 'row', 'i', 1)} = ${state}Next;`)}
      ${lines(gates.kept, g => `${element(`g${l}`, 'row', `${g * HH}u + i`)} = kept${g};`)}`,
    )}
    workgroupBarrier();`;
  };
  const softmax = memoryKind(spec.memory).activation === 'softmax';
  // A softmax needs all logits of an end, so one invocation per memory computes it after a barrier.
  const softmaxControls = wgsl`
    workgroupBarrier();
    ${lines(
      memoriesOf(layout),
      k => `if (lid == ${k}u) {
      ${activateControls(layout, k, ({ number }) => `wg_controls[${number}]`)}
      ${lines(controlsOf(layout, k), ({ number, at }) => `${element('s', 'row', `${N4 * 4 + at}u`)} = wg_controls[${number}];`)}
    }`,
    )}`;
  const headSums = products(o, S4, [{ x: op, W: blocks.S }], `sum = w[${blocks.bS.offset4}u + column];`);
  const heads = wgsl`
    // Heads: v of every end, then the controls of every end.
    ${headSums.code}
    ${share(
      o,
      E * (M + C),
      wgsl`
      ${headAt(layout)}
      let sum = ${headSums.at('at')};
      var s = 0.0;
      if (value) {
        s = safeTanh(sum);
      } else {
        s = ${softmax ? 'sum' : 'sigmoid(sum + noiseAt(row, control))'};
        wg_controls[control] = s;
      }
      ${softmax ? 'if (value) ' : ''}{ ${element('s', 'row', 'at')} = s; }`,
    )}
    ${softmax ? softmaxControls : ''}
    ${share(o, RR, 'wg_r[i] = 0.0;')}
    ${barrier(o.memory)}
    // Memories.
    ${lines(memoriesOf(layout), k => {
      const controls = controlVector(layout, k, ({ number }) => `wg_controls[${number}]`);
      return `bounds${k} = forward(${k}u, t, bounds${k}, ${controls});`;
    })}
    // Below, an element of wg_r may be stored by a different invocation from the one that computed it.
    workgroupBarrier();
    ${share(o, RR, `${element('r', 'row', 'i', 1)} = wg_r[i];`)}
    workgroupBarrier();`;
  const zero = (field: string, skip: 0 | 1 = 0): string =>
    share(o, operand(layout, field).width4 * 4, `${element(field, 'row', 'i', skip)} = 0.0;`);
  const projection = products(
    o,
    P4,
    [{ x: 'wg_y', W: blocks.Whp }],
    `sum = w[${blocks.bp.offset4}u + column];`,
  );
  return wgsl`
${prologue(o, layout.size4)}
${storage(2, '-> acts: f32, slots: vec2u, undoLog: vec4u')}
${MATH}
${lines(layout.states, state => `var<workgroup> wg_${state}: array<f32, ${layers.length * HH}>;`)}
${productDeclarations(o)}
var<workgroup> wg_y: array<f32, ${HH}>;
var<workgroup> wg_op: array<f32, ${P4 * 4}>;
var<workgroup> wg_r: array<f32, ${Math.max(1, RR)}>;
var<workgroup> wg_controls: array<f32, ${Math.max(1, C * E)}>;
${memoryCode(o, 'f32', 'forward', i => `wg_r[${i}]`)}
${mainPrologue(o)}
  let begin = batch.sliceFrom;
  if (begin == 0u) {
  // h_0, c_0, r_0.
  ${lines(states, ({ state, layer, name, first, oneHot }) => {
    const value = first
      ? `w[${first.offset4}u + i / 4u][i % 4u]`
      : oneHot
        ? 'select(0.0, 1.0, i == 0u)'
        : '0.0';
    return share(
      o,
      H,
      `let start = ${value};
    wg_${state}[${layer * HH}u + i] = start;
    ${element(name, 'sequence', 'i')} = start;`,
    );
  })}
  ${share(
    o,
    RR,
    `wg_r[i] = select(0.0, 1.0, i == 0u && ${spec.start === 'one-hot'});
    ${element('r', 'sequence', 'i')} = wg_r[i];`,
  )}
  } else {
  // Continue from the slice of earlier steps.
  ${lines(states, ({ state, layer, name }) =>
    share(o, H, `wg_${state}[${layer * HH}u + i] = ${element(name, '(begin * batch.B + sequence)', 'i')};`),
  )}
  ${share(o, RR, `wg_r[i] = ${element('r', '(begin * batch.B + sequence)', 'i')};`)}
  }
  ${lines(memoriesOf(layout), k => `var bounds${k} = ${boundsAt(o.memory, `${k}u`, 'begin')};`)}
  workgroupBarrier();
  for (var t = begin; t < min(length, batch.sliceTo); t++) {
    let row = t * batch.B + sequence;
    ${lines(layers, layer)}
    ${
      P
        ? wgsl`
    ${projection.code}
    ${share(
      o,
      P,
      `wg_op[i] = safeTanh(${projection.at('i')});
      ${element('op', 'row', 'i')} = wg_op[i];`,
    )}
    workgroupBarrier();`
        : ''
    }
    ${E ? heads : ''}
  }
  for (var t = max(length, begin); t < min(batch.T, batch.sliceTo); t++) {
    let row = t * batch.B + sequence;
    ${lines(states, ({ name }) => zero(name, 1))}
    ${zero('r', 1)}
    ${zero('s')}
    ${P ? zero('op') : ''}
  }
}
`;
}
