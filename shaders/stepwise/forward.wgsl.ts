import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { memoryKind } from '../../src/base/memories.ts';
import { CELL_CODE } from '../cells/index.wgsl.ts';
import { statesOf } from '../lib/states.wgsl.ts';
import { lines, range } from '../lib/text.ts';
import {
  product,
  prologue,
  rowAt,
  type StepOptions,
  sequenceElement,
  stepElement,
  tile,
} from './step.wgsl.ts';

/** batch, w -> acts: h, c of every layer before the first step, and r. One invocation per sequence and vec4. */
export function stepStart(o: StepOptions): string {
  const { spec, H4, R4 } = o.layout;
  const widest = Math.max(H4, R4);
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile({ ...o, rows: 1 }, widest)}
  let one = select(vec4f(), vec4f(1.0, 0.0, 0.0, 0.0), j == 0u && ${spec.start === 'one-hot'});
  if (j < ${H4}u) {
    ${lines(statesOf(o.layout), ({ name, first, oneHot }) => {
      const value = first ? `w[${first.offset4}u + j]` : oneHot ? 'one' : 'vec4f()';
      return `${sequenceElement(o, name, 'b0')} = ${value};`;
    })}
  }
  if (j < ${R4}u) { ${sequenceElement(o, 'r', 'b0')} = one; }
}
`;
}

/** batch, w, acts: states and reads of step t - 1, h of the layer below -> h, c, g of layer l at step t. */
export function stepCell(o: StepOptions, l: number): string {
  const { spec, layers, gates, H4 } = o.layout;
  const { Wx, Wy, Wh, Wr, b } = layers[l];
  const xGates = range(gates.x);
  const hGates = range(gates.h).map(g => gates.hFrom + g);
  const cell = CELL_CODE[spec.controller];
  const inside = (n: number): string => `t < lengthOf(b${n})`;
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, H4)}
  ${lines(gates.all, g =>
    lines(o.rows, n => `var sum${g}_${n} = ${g < gates.x ? `w[${b.offset4 + g * H4}u + j]` : 'vec4f()'};`),
  )}
  for (var k = 0u; k < batch.K; k++) {
    ${lines(
      o.rows,
      n => `{
      let input = inputAt(t * B + b${n}, k);
      if (input != NO_INPUT) {
        let row_at = ${Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${gates.x * H4}u + j;
        ${lines(xGates, g => `sum${g}_${n} += w[row_at + ${g * H4}u];`)}
      }
    }`,
    )}
  }
  ${Wy ? product(o, b => rowAt(o, `h${l - 1}`, 't + 1u', b), Wy, xGates, H4) : ''}
  ${Wh ? product(o, b => rowAt(o, `h${l}`, 't', b), Wh, hGates, H4) : ''}
  ${Wr ? product(o, b => rowAt(o, 'r', 't', b), Wr, xGates, H4) : ''}
  ${lines(
    o.rows,
    n => `{
    ${lines(o.layout.states, state => `let ${state}From = ${rowAt(o, `${state}${l}`, 't', `b${n}`)} + j;`)}
    ${cell.forward({
      a: g => `sum${g}_${n}`,
      before: state => `acts[${state}From]`,
      tanh: 'safeTanh4',
      sigmoid: 'sigmoid4',
    })}
    let inside = ${inside(n)};
    ${lines(
      o.layout.states,
      state =>
        `${stepElement(o, `${state}${l}`, 't + 1u', `b${n}`)} = select(vec4f(), ${state}Next, inside);`,
    )}
    ${lines(gates.kept, g => `${stepElement(o, `g${l}`, 't', `b${n}`, `${g * H4}u + j`)} = kept${g};`)}
  }`,
  )}
}
`;
}

/** batch, w, acts: h of the last layer -> op of step t. */
export function stepProjection(o: StepOptions): string {
  const { layers, blocks, P4 } = o.layout;
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, P4)}
  ${lines(o.rows, n => `var sum0_${n} = w[${blocks.bp.offset4}u + j];`)}
  ${product(o, b => rowAt(o, `h${layers.length - 1}`, 't + 1u', b), blocks.Whp, [0], 0)}
  ${lines(
    o.rows,
    n =>
      `${stepElement(o, 'op', 't', `b${n}`)} = select(vec4f(), safeTanh4(sum0_${n}), t < lengthOf(b${n}));`,
  )}
}
`;
}

/** batch, w, acts: o' -> s of step t: v and the controls of every end. */
export function stepHeads(o: StepOptions): string {
  const { spec, layers, blocks, N4, S4, C, E } = o.layout;
  const softmax = memoryKind(spec.memory).activation === 'softmax';
  // The padding stays 0.
  const sigmoidControls = (sum: string): string => `let first = 4u * (j - ${N4}u);
      let noise = vec4f(noiseAt(row, first), noiseAt(row, first + 1u), noiseAt(row, first + 2u), noiseAt(row, first + 3u));
      let control = vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(${C * E}u);
      s = select(vec4f(), sigmoid4(${sum} + noise), control);`;
  // The controls of each end occupy one vec4.
  const softmaxControls = (sum: string): string => {
    const logits = range(C).map(
      c => `let l${c} = ${sum}[${c}] + noiseAt(row, ${C}u * (j - ${N4}u) + ${c}u);`,
    );
    const largest = range(C)
      .map(c => `l${c}`)
      .reduce((a, b) => `max(${a}, ${b})`);
    const exps = range(4).map(c => (c < C ? `exp(l${c} - largest)` : '0.0'));
    return `${logits.join(' ')} let largest = ${largest};
      let exps = vec4f(${exps.join(', ')});
      s = exps / dot(exps, vec4f(1.0));`;
  };
  const op = (b: string): string =>
    spec.projection ? rowAt(o, 'op', 't', b) : rowAt(o, `h${layers.length - 1}`, 't + 1u', b);
  return wgsl`
${prologue(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, S4)}
  ${lines(o.rows, n => `var sum0_${n} = w[${blocks.bS.offset4}u + j];`)}
  ${product(o, op, blocks.S, [0], 0)}
  ${lines(
    o.rows,
    n => `{
    var s = safeTanh4(sum0_${n});
    if (j >= ${N4}u) {
      let row = t * B + b${n};
      ${softmax ? softmaxControls(`sum0_${n}`) : sigmoidControls(`sum0_${n}`)}
    }
    ${stepElement(o, 's', 't', `b${n}`)} = select(vec4f(), s, t < lengthOf(b${n}));
  }`,
  )}
}
`;
}
