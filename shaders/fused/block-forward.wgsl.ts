import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { memoryKind } from '../../src/base/memories.ts';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { operand } from '../../src/layout/tensors.ts';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import {
  activateControls,
  controlsOf,
  controlVector,
  type MemoryKernelOptions,
  memoriesOf,
  memoryCode,
} from '../lib/model.wgsl.ts';
import { elementsOf } from '../lib/rows.wgsl.ts';
import { statesBesidesH, statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines, range } from '../lib/text.ts';
import { barrier, boundsAt } from '../memories/kind.wgsl.ts';
import { column, headAt, mainPrologue, prologue, share } from './block.wgsl.ts';

/**
 * batch, w -> acts: h, c, g of every layer, r, op, s of every step; slots, undoLog. Rows of h, c, r, op and
 * s after a sequence's end become 0; those of g are not written.
 */
export function fusedForwardBlock(o: MemoryKernelOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'f32');
  const { H4, N4, R4, C, E, blocks, spec, gates, layers } = layout;
  const { hidden: H, width: M, projection: P } = spec;
  const [HH, RR] = [H4 * 4, R4 * 4];
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const op = P ? 'wg_op' : 'wg_y';
  const layer = ({ Wx, Wy, Wh, Wr, b }: Layout['layers'][number], l: number): string => wgsl`
    // Layer ${l + 1}: reads h and r of step t - 1, and h of the layer below from wg_y. Leaves its h in wg_y.
    ${share(
      o,
      H,
      wgsl`
      ${lines(gates.all, g => `var sum${g} = ${g < gates.x ? `w[${b.offset4 * 4 + g * HH}u + i]` : '0.0'};`)}
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(row, k);
        if (input != NO_INPUT) {
          let at = ${Wx.offset4 * 4}u + min(input, ${spec.inputs - 1}u) * ${gates.x * HH}u + i;
          ${lines(gates.x, g => `sum${g} += w[at + ${g * HH}u];`)}
        }
      }
      ${products(Wy, 'wg_y', 0, gates.x)}
      ${products(Wh, 'wg_h', gates.hFrom, gates.h, l * HH)}
      ${products(Wr, 'wg_r', 0, gates.x)}
      ${cell.forward({
        a: g => `sum${g}`,
        before: state => `wg_${state}[${l * HH}u + i]`,
        tanh: 'safeTanh',
        sigmoid: 'sigmoid',
      })}
      wg_next[i] = hNext;
      ${lines(statesBesidesH(layout), state => `wg_${state}[${l * HH}u + i] = ${state}Next;`)}
      ${lines(layout.states, state => `${element(`${state}${l}`, 'row', 'i', 1)} = ${state}Next;`)}
      ${lines(gates.kept, g => `${element(`g${l}`, 'row', `${g * HH}u + i`)} = kept${g};`)}`,
    )}
    workgroupBarrier();
    ${share(o, H, `wg_h[${l * HH}u + i] = wg_next[i]; wg_y[i] = wg_next[i];`)}
    workgroupBarrier();`;
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
  const heads = wgsl`
    // Heads: v of every end, then the controls of every end.
    ${share(
      o,
      E * (M + C),
      wgsl`
      ${headAt(layout)}
      var sum = w[${blocks.bS.offset4 * 4}u + at];
      ${column(op, blocks.S, 'at')}
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
  return wgsl`
${prologue(o)}
${storage(2, '-> acts: f32, slots: vec2u, undoLog: vec4u')}
${MATH}
${lines(layout.states, state => `var<workgroup> wg_${state}: array<f32, ${layers.length * HH}>;`)}
var<workgroup> wg_next: array<f32, ${HH}>;
var<workgroup> wg_y: array<f32, ${HH}>;
var<workgroup> wg_op: array<f32, ${Math.max(1, P)}>;
var<workgroup> wg_r: array<f32, ${Math.max(1, RR)}>;
var<workgroup> wg_controls: array<f32, ${Math.max(1, C * E)}>;
${memoryCode(o, 'f32', 'forward', i => `wg_r[${i}]`)}
${mainPrologue(o)}
  let begin = batch.sliceFrom;
  if (begin == 0u) {
  // h_0, c_0, r_0.
  ${lines(states, ({ state, layer, name, first, oneHot }) => {
    const value = first ? `w[${first.offset4 * 4}u + i]` : oneHot ? 'select(0.0, 1.0, i == 0u)' : '0.0';
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
    ${share(
      o,
      P,
      `var sum = w[${blocks.bp.offset4 * 4}u + i];
      ${column('wg_y', blocks.Whp, 'i')}
      wg_op[i] = safeTanh(sum);
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

  /** sum_{first + g} += Σ_n x[from + n] · W[n][g][i] for g = 0 … count − 1. */
  function products(W: Block | undefined, x: string, first: number, count: number, from = 0): string {
    if (!W) return '';
    const sums = range(count).map(g => `sum${first + g} += x * w[at + ${g * HH}u];`);
    return `for (var n = 0u; n < ${W.rows}u; n++) {
        let x = ${x}[${from}u + n];
        let at = ${W.offset4 * 4}u + n * ${W.ld4 * 4}u + i;
        ${sums.join('\n')}
      }`;
  }
}
