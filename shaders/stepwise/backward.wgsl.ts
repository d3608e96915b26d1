import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { statesOf } from '../lib/states.wgsl.ts';
import { storage } from '../lib/storage.wgsl.ts';
import { lines } from '../lib/text.ts';
import {
  prologue,
  rowAt,
  type StepOptions,
  sequenceElement,
  stepElement,
  tile,
  transposed,
} from './step.wgsl.ts';

/** batch, w, grads: dA of step t + 1 -> dR, the gradient of the reads of step t. */
export function stepReadsBackward(o: StepOptions): string {
  const { layers, R4 } = o.layout;
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tile(o, R4)}
  ${lines(o.rows, n => `var sum_${n} = vec4f();`)}
  if (t + 1u < batch.T) {
    ${lines(layers, ({ Wr }, l) => (Wr ? transposed(o, b => rowAt(o, `dA${l}`, 't + 1u', b), Wr) : ''))}
  }
  ${lines(o.rows, n => `${sequenceElement(o, 'dR', `b${n}`)} = sum_${n};`)}
}
`;
}

/** batch, w, acts, grads: dOp, dS -> dP of step t, the gradient of the pre-activation of o'. */
export function stepProjectionBackward(o: StepOptions): string {
  const { blocks, P4, E } = o.layout;
  return wgsl`
${prologue(o)}
${storage(2, 'acts: vec4f -> grads: vec4f')}
${tile(o, P4)}
  ${lines(o.rows, n => `var sum_${n} = ${stepElement(o, 'dOp', 't', `b${n}`)};`)}
  ${E ? transposed(o, b => rowAt(o, 'dS', 't', b), blocks.S) : ''}
  ${lines(
    o.rows,
    n => `{
    let op = ${stepElement(o, 'op', 't', `b${n}`)};
    ${stepElement(o, 'dP', 't', `b${n}`)} = sum_${n} * (1.0 - op * op);
  }`,
  )}
}
`;
}

/** Adds the part of dh of layer l that comes from the step `step`: through W_hh, and directly. */
const fromStep = (o: StepOptions, l: number, step: string): string => {
  const { layers, gates, H4 } = o.layout;
  const { Wh } = layers[l];
  return `${Wh ? transposed(o, b => `${rowAt(o, `dA${l}`, step, b)} + ${gates.hFrom * H4}u`, Wh) : ''}
  ${gates.direct ? lines(o.rows, n => `sum_${n} += ${sequenceElement(o, `dD${l}`, `b${n}`)};`) : ''}`;
};

/**
 * batch, w, acts, grads: dOp (or dP), dS, dHx and dA of the layer above, all of step t; dA of step t + 1; dC, dD -> dA
 * of layer l at step t, dC, dD. After the end of a sequence the results are 0.
 */
export function stepCellBackward(o: StepOptions, l: number): string {
  const { spec, layers, gates, blocks, H4, E } = o.layout;
  const cell = CELL_CODE[spec.controller];
  const carried = statesOf(o.layout).filter(({ layer, state }) => layer === l && state !== 'h');
  const top = l === layers.length - 1;
  const above = layers[l + 1]?.Wy;
  const start = (b: string): string => {
    if (!top) return 'vec4f()';
    const direct = spec.projection ? 'vec4f()' : stepElement(o, 'dOp', 't', b);
    return spec.autoencoder ? `${direct} + ${stepElement(o, 'dHx', 't', b)}` : direct;
  };
  return wgsl`
${prologue(o)}
${storage(2, 'acts: vec4f -> grads: vec4f')}
${tile(o, H4)}
  ${lines(o.rows, n => `var sum_${n} = ${start(`b${n}`)};`)}
  ${top && spec.projection ? transposed(o, b => rowAt(o, 'dP', 't', b), blocks.Whp) : ''}
  ${top && !spec.projection && E ? transposed(o, b => rowAt(o, 'dS', 't', b), blocks.S) : ''}
  ${above ? transposed(o, b => rowAt(o, `dA${l + 1}`, 't', b), above) : ''}
  let later = t + 1u < batch.T;
  // Load everything before the first store, because the last tile repeats its last sequence.
  ${lines(carried, ({ state }) => lines(o.rows, n => `var d${state}_${n} = vec4f();`))}
  if (later) {
    ${fromStep(o, l, 't + 1u')}
    ${lines(carried, ({ state, gradient }) =>
      lines(o.rows, n => `d${state}_${n} = ${sequenceElement(o, gradient, `b${n}`)};`),
    )}
  }
  ${lines(o.rows, n => {
    const b = `b${n}`;
    return `{
    let inside = t < lengthOf(${b});
    ${cell.backward({
      d: state => (state === 'h' ? `sum_${n}` : `d${state}_${n}`),
      kept: g => stepElement(o, `g${l}`, 't', b, `${g * H4}u + j`),
      now: state => stepElement(o, `${state}${l}`, 't + 1u', b),
      before: state => stepElement(o, `${state}${l}`, 't', b),
      tanh: 'safeTanh4',
    })}
    ${lines(gates.all, g => `${stepElement(o, `dA${l}`, 't', b, `${g * H4}u + j`)} = select(vec4f(), da${g}, inside);`)}
    ${lines(
      carried,
      ({ state, gradient }) =>
        `${sequenceElement(o, gradient, b)} = select(vec4f(), d${state}Before, inside);`,
    )}
    ${gates.direct ? `${sequenceElement(o, `dD${l}`, b)} = select(vec4f(), dhDirect, inside);` : ''}
  }`;
  })}
}
`;
}

/**
 * batch, w, grads: dA of step 0, dD -> dH of layer l, the gradient of its h_0. (At this point dC is the gradient of
 * c_0.)
 */
export function stepStartBackward(o: StepOptions, l: number): string {
  const { H4 } = o.layout;
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tile(o, H4)}
  ${lines(o.rows, n => `var sum_${n} = vec4f();`)}
  ${fromStep(o, l, '0u')}
  ${lines(o.rows, n => `${sequenceElement(o, `dH${l}`, `b${n}`)} = sum_${n};`)}
}
`;
}
