import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { memoryKind } from '../../src/base/memories.ts';
import type { Block, Layout } from '../../src/layout/layout.ts';
import { transposedOf } from '../../src/layout/transposed.ts';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { MATH } from '../lib/math.wgsl.ts';
import { activateControlsBackward, controlsOf, memoriesOf, memoryCode } from '../lib/model.wgsl.ts';
import { elementsOf } from '../lib/rows.wgsl.ts';
import { statesBesidesH, statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines } from '../lib/text.ts';
import { barrier, boundsAt } from '../memories/kind.wgsl.ts';
import {
  type BlockOptions,
  type Factor,
  headAt,
  mainPrologue,
  productDeclarations,
  products,
  prologue,
  share,
} from './block.wgsl.ts';

/**
 * batch, transposed w, acts, slots, undoLog, dStrength (scratch), grads: dOp, dHx -> grads: dA, dP, dS, dH, dC, dR.
 * See fusedBackwardLane for the lane form.
 */
export function fusedBackwardBlock(o: BlockOptions): string {
  const { layout } = o;
  const element = elementsOf(layout, 'f32');
  const { H4, P4, N4, R4, S4, E, C, blocks, spec, gates, layers } = layout;
  const { hidden: H, width: M, projection: P } = spec;
  const [HH, NN, RR, SS] = [H4 * 4, N4 * 4, R4 * 4, S4 * 4];
  const top = layers.length - 1;
  const cell = CELL_CODE[spec.controller];
  const states = statesOf(layout);
  const opWidth = P || H;
  const softmax = memoryKind(spec.memory).activation === 'softmax';
  /** Element i in the row of this step. For h, c and r, skip 0 is the state before the step, 1 the state after it. */
  const inRow = (field: string, i: string, skip: 0 | 1 = 0): string => element(field, 'row', i, skip);
  const memories = wgsl`
    // Memories, then heads. Reads wg_dr; leaves the gradients of the heads' pre-activations in wg_ds.
    ${barrier(o.memory)}
    ${lines(
      memoriesOf(layout),
      k => `bounds${k} = backward(${k}u, t, bounds${k});
    if (lid == 0u) {
      ${lines(controlsOf(layout, k), ({ at, local }) => `wg_ds[${NN + at}] = gradients.${local};`)}
      ${
        softmax
          ? activateControlsBackward(
              layout,
              k,
              ({ at }) => inRow('s', `${NN + at}u`),
              ({ at }) => `wg_ds[${NN + at}]`,
            )
          : ''
      }
    }
    ${barrier(o.memory)}`,
    )}
    ${share(
      o,
      E * (M + C),
      wgsl`
      ${headAt(layout)}
      let s = ${inRow('s', 'at')};
      var ds = 0.0;
      if (value) {
        ds = ${inRow('dS', 'at')} * (1.0 - s * s);
      } else {
        ds = wg_ds[at]${softmax ? '' : ' * s * (1.0 - s)'};
      }
      wg_ds[at] = ds;
      ${inRow('dS', 'at')} = ds;`,
    )}
    workgroupBarrier();`;
  const transposed = transposedOf(layout);
  const layer = ({ Wy, Wh, Wr }: Layout['layers'][number], l: number): string => {
    /** Products for the gradients of the layer's inputs side by side: its h of step t - 1, h of the layer below, r. */
    const factors: Factor[] = [];
    let width4 = 0;
    const add = (W: Block | undefined, from = 0): number => {
      const first = width4;
      if (!W) return first;
      const copy = transposed.of(W);
      factors.push({ x: 'wg_da', from, W: copy, first });
      width4 += copy.ld4;
      return first;
    };
    const [h4, y4, r4] = [add(Wh, gates.hFrom * HH), add(Wy), add(Wr)];
    const inputs = products(o, width4, factors);
    return wgsl`
    // Layer ${l + 1}: the gradient of its h is wg_dh (from the next step) + wg_dy (from above).
    ${share(
      o,
      H,
      wgsl`
      let dh = wg_dh[${l * HH}u + i] + wg_dy[i];
      ${cell.backward({
        d: state => (state === 'h' ? 'dh' : `wg_d${state}[${l * HH}u + i]`),
        kept: g => inRow(`g${l}`, `${g * HH}u + i`),
        now: state => inRow(`${state}${l}`, 'i', 1),
        before: state => inRow(`${state}${l}`, 'i'),
        tanh: 'safeTanh',
      })}
      ${lines(
        gates.all,
        g => `wg_da[${g * HH}u + i] = da${g};
      ${inRow(`dA${l}`, `${g * HH}u + i`)} = da${g};`,
      )}
      ${lines(statesBesidesH(layout), state => `wg_d${state}[${l * HH}u + i] = d${state}Before;`)}
      wg_dh[${l * HH}u + i] = ${gates.direct ? 'dhDirect' : '0.0'};`,
    )}
    workgroupBarrier();
    ${
      width4
        ? wgsl`
    ${inputs.code}
    ${Wh ? share(o, H, `wg_dh[${l * HH}u + i] += ${inputs.at(`${4 * h4}u + i`)};`) : ''}
    ${Wy ? share(o, H, `wg_dy[i] = ${inputs.at(`${4 * y4}u + i`)};`) : ''}
    ${Wr ? share(o, RR, `wg_dr[i] = ${l === top ? '' : 'wg_dr[i] + '}${inputs.at(`${4 * r4}u + i`)};`) : ''}
    workgroupBarrier();`
        : ''
    }`;
  };
  const opSums = E ? products(o, P ? P4 : H4, [{ x: 'wg_ds', W: transposed.of(blocks.S) }]) : undefined;
  const hSums = P ? products(o, H4, [{ x: 'wg_dop', W: transposed.of(blocks.Whp) }]) : undefined;
  return wgsl`
${prologue(o, Math.max(1, transposed.size4))}
${storage(2, 'acts: f32 -> grads: f32, slots: vec2u, undoLog: vec4u, dStrength: f32')}
${MATH}
${lines(layout.states, state => `var<workgroup> wg_d${state}: array<f32, ${layers.length * HH}>;`)}
var<workgroup> wg_dy: array<f32, ${HH}>;
var<workgroup> wg_da: array<f32, ${gates.all * HH}>;
${productDeclarations(o)}
var<workgroup> wg_dop: array<f32, ${P4 * 4}>;
var<workgroup> wg_ds: array<f32, ${Math.max(1, SS)}>;
var<workgroup> wg_dr: array<f32, ${Math.max(1, RR)}>;
${memoryCode(o, 'f32', 'backward', i => `wg_dr[${i}]`)}
${mainPrologue(o)}
  let begin = batch.sliceFrom;
  let end = min(length, batch.sliceTo);
  // The slice with the last time steps runs first.
  if (batch.sliceTo == batch.T) {
  // Clear dS, because the steps add to the gradients of the values in it. Steps beyond the length have gradient 0.
  for (var t = 0u; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    ${share(o, SS, `${inRow('dS', 'i')} = 0.0;`)}
  }
  for (var t = length; t < batch.T; t++) {
    let row = t * batch.B + sequence;
    ${lines(layers, (_, l) => share(o, gates.all * HH, `${inRow(`dA${l}`, 'i')} = 0.0;`))}
    ${P ? share(o, P4 * 4, `${inRow('dP', 'i')} = 0.0;`) : ''}
  }
  }
  if (end <= begin) { return; }
  ${lines(memoriesOf(layout), k => `var bounds${k} = ${boundsAt(o.memory, `${k}u`, 'end')};`)}
  if (end == length) {
  // wg_dr and wg_dh … are 0, like all workgroup variables at the start.
  ${lines(memoriesOf(layout), k => `clearGradient(${k}u, bounds${k});`)}
  } else {
  // Continue from the slice of later steps.
  ${share(o, RR, `wg_dr[i] = ${element('dR', 'sequence', 'i')};`)}
  ${lines(states, ({ state, layer, gradient }) =>
    share(o, H, `wg_d${state}[${layer * HH}u + i] = ${element(gradient, 'sequence', 'i')};`),
  )}
  }
  workgroupBarrier();
  for (var steps = end; steps > begin; steps--) {
    let t = steps - 1u;
    let row = t * batch.B + sequence;
    ${E ? memories : ''}
    ${opSums?.code ?? ''}
    ${share(
      o,
      opWidth,
      wgsl`
      var sum = ${inRow('dOp', 'i')}${opSums ? ` + ${opSums.at('i')}` : ''};
      ${
        P
          ? `let op = ${inRow('op', 'i')};
      sum *= 1.0 - op * op;
      ${inRow('dP', 'i')} = sum;`
          : ''
      }
      wg_dop[i] = sum;`,
    )}
    workgroupBarrier();
    ${hSums?.code ?? ''}
    ${share(
      o,
      H,
      wgsl`
      var sum = ${hSums ? hSums.at('i') : 'wg_dop[i]'};
      ${spec.autoencoder ? `sum += ${inRow('dHx', 'i')};` : ''}
      wg_dy[i] = sum;`,
    )}
    workgroupBarrier();
    ${layers
      .map((matrices, l) => layer(matrices, l))
      .reverse()
      .join('\n')}
  }
  // The gradients of the starting state, or those passed to the slice of earlier steps.
  ${lines(states, ({ state, layer, gradient }) =>
    share(o, H, `${element(gradient, 'sequence', 'i')} = wg_d${state}[${layer * HH}u + i];`),
  )}
  ${share(o, RR, `${element('dR', 'sequence', 'i')} = wg_dr[i];`)}
}
`;
}
