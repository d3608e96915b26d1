import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block, Layout } from '../src/layout/layout.ts';
import { operand } from '../src/layout/tensors.ts';
import { CELL_CODE } from './cells/index.wgsl.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { MATH } from './lib/math.wgsl.ts';
import { at } from './lib/rows.wgsl.ts';
import { carriedOf, statesOf } from './lib/states.wgsl.ts';
import { range } from './lib/text.ts';

/**
 * The stepwise plan: one dispatch per layer and time step, for controllers too large to fuse. Every kernel is a
 * matrix product whose invocations keep a tile of `rows` sequences by one vec4 of columns (of every gate) in
 * registers, followed by what is to be done with its numbers. Which step it is comes as a uniform. The memory's
 * steps are in stepwise-memory.wgsl.ts; what does not depend on time is done before and after, as in the fused plan.
 */
export interface StepOptions {
  layout: Layout;
  /** Declares the batch (batchOf). */
  batch: string;
  /** Sequences per invocation. */
  rows: number;
  /** Invocations per workgroup. */
  size: number;
}

const head = ({ layout, batch }: StepOptions, access: 'read' | 'read_write' = 'read'): string => wgsl`
${batch}
@group(0) @binding(1) var<storage, ${access}> w: array<vec4f, ${layout.size4}>;
@group(1) @binding(0) var<uniform> now: vec4u;
${MATH}
`;

/** One invocation: column j of `columns4`, sequences b0 … . The last tile repeats the last sequence. */
const tile = ({ rows, size }: StepOptions, columns4: number): string => wgsl`
${mainOfInvocation(size, 'tile')}
  let t = now.x;
  let B = batch.B;
  let j = tile % ${columns4}u;
  let first = tile / ${columns4}u * ${rows}u;
  if (first >= B) { return; }
  ${range(rows)
    .map(n => `let b${n} = min(first + ${n}u, B - 1u);`)
    .join('\n')}
`;

/** Where the row of a tensor begins that is of sequence b at a time step; of h, c and r, step t is that before step t. */
const rowAt = ({ layout }: StepOptions, field: string, step: string, b: string): string =>
  at(operand(layout, field), `((${step}) * B + ${b})`);

/** The same of a tensor that has one row a sequence. */
const ownRow = ({ layout }: StepOptions, field: string, b: string): string => at(operand(layout, field), b);

/** Workgroups of a kernel whose rows have columns4 vec4s. */
export const stepTiles = ({ rows, size }: StepOptions, columns4: number, B: number): number =>
  Math.ceil((Math.ceil(B / rows) * columns4) / size);

/** sum{g}_{n} += x_n · W[:, gate g, column j], over a matrix of `gates` blocks of H4 columns. x_n begins at x(b_n) in acts. */
export function product(
  o: Pick<StepOptions, 'rows'>,
  x: (b: string) => string,
  { offset4, rows, ld4 }: Block,
  gates: number[],
  stride: number,
): string {
  const tiles = range(o.rows);
  // Places are found before the loop: the sizes in them are loads, which a software adapter would do every time.
  return wgsl`{
  ${tiles.map(n => `let from${n} = ${x(`b${n}`)};`).join('\n')}
  for (var i = 0u; i < ${Math.ceil(rows / 4)}u; i++) {
    let corner = ${offset4}u + i * ${4 * ld4}u + j;
    ${tiles.map(n => `let x${n} = acts[from${n} + i];`).join('\n')}
    ${gates
      .map(
        (gate, k) => `{
      ${range(4)
        .map(r => `let w${r} = w[corner + ${r * ld4 + k * stride}u];`)
        .join('\n')}
      ${tiles.map(n => `sum${gate}_${n} += x${n}.x * w0 + x${n}.y * w1 + x${n}.z * w2 + x${n}.w * w3;`).join('\n')}
    }`,
      )
      .join('\n')}
  }
  }`;
}

/** sum_{n} += dy_n · W[4j … 4j + 3, :]ᵀ: the way back through a matrix. */
function transposed(o: StepOptions, dy: (b: string) => string, { offset4, rows, ld4 }: Block): string {
  const tiles = range(o.rows);
  // Beyond the matrix's last row lie other parameters, whose products must not reach the padding.
  const factor = (r: number): string => (rows % 4 === 0 ? '' : ` * f32(j * 4u + ${r}u < ${rows}u)`);
  return wgsl`{
  ${tiles.map(n => `let from${n} = ${dy(`b${n}`)};`).join('\n')}
  for (var i = 0u; i < ${ld4}u; i++) {
    let corner = ${offset4}u + j * ${4 * ld4}u + i;
    ${range(4)
      .map(r => `let w${r} = w[corner + ${r * ld4}u]${factor(r)};`)
      .join('\n')}
    ${tiles
      .map(
        n => `let dy${n} = grads[from${n} + i];
    sum_${n} += vec4f(dot(dy${n}, w0), dot(dy${n}, w1), dot(dy${n}, w2), dot(dy${n}, w3));`,
      )
      .join('\n')}
  }
  }`;
}

/** batch, w -> acts: h, c of layer l before the first step, and r. One invocation per sequence and vec4. */
export function stepStart(o: StepOptions): string {
  const { spec, H4, R4 } = o.layout;
  const widest = Math.max(H4, R4);
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile({ ...o, rows: 1 }, widest)}
  let one = select(vec4f(), vec4f(1.0, 0.0, 0.0, 0.0), j == 0u && ${spec.start === 'one-hot'});
  if (j < ${H4}u) {
    ${statesOf(o.layout)
      .map(({ name, first, layer, state }) => {
        const value = first ? `w[${first.offset4}u + j]` : state === 'h' && layer === 0 ? 'one' : 'vec4f()';
        return `acts[${ownRow(o, name, 'b0')} + j] = ${value};`;
      })
      .join('\n')}
  }
  if (j < ${R4}u) { acts[${ownRow(o, 'r', 'b0')} + j] = one; }
}
`;
}

/** batch, w, acts: states and reads of step t - 1, the layer below -> h, c, g of layer l at step t. */
export function stepCell(o: StepOptions, l: number): string {
  const { spec, layers, gates, H4 } = o.layout;
  const { Wx, Wy, Wh, Wr, b } = layers[l];
  const xGates = range(gates.x);
  const hGates = range(gates.h).map(g => gates.hFrom + g);
  const cell = CELL_CODE[spec.controller];
  const inside = (n: number): string => `t < lengthOf(b${n})`;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, H4)}
  ${range(gates.all)
    .map(g =>
      range(o.rows)
        .map(n => `var sum${g}_${n} = ${g < gates.x ? `w[${b.offset4 + g * H4}u + j]` : 'vec4f()'};`)
        .join('\n'),
    )
    .join('\n')}
  for (var k = 0u; k < batch.K; k++) {
    ${range(o.rows)
      .map(
        n => `{
      let input = inputAt(t * B + b${n}, k);
      if (input != NO_INPUT) {
        let row_at = ${Wx.offset4}u + min(input, ${spec.inputs - 1}u) * ${gates.x * H4}u + j;
        ${xGates.map(g => `sum${g}_${n} += w[row_at + ${g * H4}u];`).join('\n')}
      }
    }`,
      )
      .join('\n')}
  }
  ${Wy ? product(o, b => rowAt(o, `h${l - 1}`, 't + 1u', b), Wy, xGates, H4) : ''}
  ${Wh ? product(o, b => rowAt(o, `h${l}`, 't', b), Wh, hGates, H4) : ''}
  ${Wr ? product(o, b => rowAt(o, 'r', 't', b), Wr, xGates, H4) : ''}
  ${range(o.rows)
    .map(
      n => `{
    ${o.layout.states
      .map(state => `let ${state}From = ${rowAt(o, `${state}${l}`, 't', `b${n}`)} + j;`)
      .join('\n')}
    ${cell.forward({
      a: g => `sum${g}_${n}`,
      before: state => `acts[${state}From]`,
      tanh: 'safeTanh4',
      sigmoid: 'sigmoid4',
    })}
    let inside = ${inside(n)};
    ${o.layout.states
      .map(
        state =>
          `acts[${rowAt(o, `${state}${l}`, 't + 1u', `b${n}`)} + j] = select(vec4f(), ${state}Next, inside);`,
      )
      .join('\n')}
    ${range(gates.kept)
      .map(g => `acts[${rowAt(o, `g${l}`, 't', `b${n}`)} + ${g * H4}u + j] = kept${g};`)
      .join('\n')}
  }`,
    )
    .join('\n')}
}
`;
}

/** batch, w, acts: h of the last layer -> op of step t. */
export function stepDeeper(o: StepOptions): string {
  const { layers, blocks, P4 } = o.layout;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, P4)}
  ${range(o.rows)
    .map(n => `var sum0_${n} = w[${blocks.bp.offset4}u + j];`)
    .join('\n')}
  ${product(o, b => rowAt(o, `h${layers.length - 1}`, 't + 1u', b), blocks.Whp, [0], 0)}
  ${range(o.rows)
    .map(
      n =>
        `acts[${rowAt(o, 'op', 't', `b${n}`)} + j] = select(vec4f(), safeTanh4(sum0_${n}), t < lengthOf(b${n}));`,
    )
    .join('\n')}
}
`;
}

/** batch, w, acts: o' -> s of step t: v and controls of every end. */
export function stepHeads(o: StepOptions): string {
  const { spec, layers, blocks, R4, S4, C, E } = o.layout;
  const op = (b: string): string =>
    spec.deeper ? rowAt(o, 'op', 't', b) : rowAt(o, `h${layers.length - 1}`, 't + 1u', b);
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> acts: array<vec4f>;
${tile(o, S4)}
  ${range(o.rows)
    .map(n => `var sum0_${n} = w[${blocks.bS.offset4}u + j];`)
    .join('\n')}
  ${product(o, op, blocks.S, [0], 0)}
  ${range(o.rows)
    .map(
      n => `{
    var s = safeTanh4(sum0_${n});
    if (j >= ${R4}u) {
      let first = 4u * (j - ${R4}u);
      let row = t * B + b${n};
      let noise = vec4f(noiseAt(row, first), noiseAt(row, first + 1u), noiseAt(row, first + 2u), noiseAt(row, first + 3u));
      // Padding stays 0.
      let control = vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(${C * E}u);
      s = select(vec4f(), sigmoid4(sum0_${n} + noise), control);
    }
    acts[${rowAt(o, 's', 't', `b${n}`)} + j] = select(vec4f(), s, t < lengthOf(b${n}));
  }`,
    )
    .join('\n')}
}
`;
}

/** batch, w, grads: dA of step t + 1 -> dR, the gradient of the reads of step t. */
export function stepReadsBackward(o: StepOptions): string {
  const { layers, R4 } = o.layout;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tile(o, R4)}
  ${range(o.rows)
    .map(n => `var sum_${n} = vec4f();`)
    .join('\n')}
  if (t + 1u < batch.T) {
    ${layers.map(({ Wr }, l) => (Wr ? transposed(o, b => rowAt(o, `dA${l}`, 't + 1u', b), Wr) : '')).join('\n')}
  }
  ${range(o.rows)
    .map(n => `grads[${ownRow(o, 'dR', `b${n}`)} + j] = sum_${n};`)
    .join('\n')}
}
`;
}

/** batch, w, acts, grads: dOp, dS -> dP of step t, of what goes into o'. */
export function stepDeeperBackward(o: StepOptions): string {
  const { blocks, P4, E } = o.layout;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> grads: array<vec4f>;
${tile(o, P4)}
  ${range(o.rows)
    .map(n => `var sum_${n} = grads[${rowAt(o, 'dOp', 't', `b${n}`)} + j];`)
    .join('\n')}
  ${E ? transposed(o, b => rowAt(o, 'dS', 't', b), blocks.S) : ''}
  ${range(o.rows)
    .map(
      n => `{
    let op = acts[${rowAt(o, 'op', 't', `b${n}`)} + j];
    grads[${rowAt(o, 'dP', 't', `b${n}`)} + j] = sum_${n} * (1.0 - op * op);
  }`,
    )
    .join('\n')}
}
`;
}

/** The gradient of h of layer l that comes from step t + 1: through W_hh, and past it. */
const fromAfter = (o: StepOptions, l: number): string => {
  const { layers, gates, H4 } = o.layout;
  const { Wh } = layers[l];
  const step = 't + 1u';
  return `${Wh ? transposed(o, b => `${rowAt(o, `dA${l}`, step, b)} + ${gates.hFrom * H4}u`, Wh) : ''}
  ${
    gates.direct
      ? range(o.rows)
          .map(n => `sum_${n} += grads[${ownRow(o, `dD${l}`, `b${n}`)} + j];`)
          .join('\n')
      : ''
  }`;
};

/**
 * batch, w, acts, grads: of step t dOp (or dP), dS, dHx, dA of the layer above; dA of step t + 1; dC, dD -> dA of layer l
 * at step t, dC, dD. 0 beyond a length.
 */
export function stepCellBackward(o: StepOptions, l: number): string {
  const { spec, layers, gates, blocks, H4, E } = o.layout;
  const cell = CELL_CODE[spec.controller];
  const carried = carriedOf(o.layout);
  const top = l === layers.length - 1;
  const above = layers[l + 1]?.Wy;
  const start = (b: string): string => {
    if (!top) return 'vec4f()';
    const direct = spec.deeper ? 'vec4f()' : `grads[${rowAt(o, 'dOp', 't', b)} + j]`;
    return spec.autoencoder ? `${direct} + grads[${rowAt(o, 'dHx', 't', b)} + j]` : direct;
  };
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read> acts: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> grads: array<vec4f>;
${tile(o, H4)}
  ${range(o.rows)
    .map(n => `var sum_${n} = ${start(`b${n}`)};`)
    .join('\n')}
  ${top && spec.deeper ? transposed(o, b => rowAt(o, 'dP', 't', b), blocks.Whp) : ''}
  ${top && !spec.deeper && E ? transposed(o, b => rowAt(o, 'dS', 't', b), blocks.S) : ''}
  ${above ? transposed(o, b => rowAt(o, `dA${l + 1}`, 't', b), above) : ''}
  let later = t + 1u < batch.T;
  // All are loaded before any is stored, for the last tile has one sequence more than once.
  ${carried.flatMap(state => range(o.rows).map(n => `var d${state}_${n} = vec4f();`)).join('\n')}
  if (later) {
    ${fromAfter(o, l)}
    ${carried
      .flatMap(state =>
        range(o.rows).map(
          n => `d${state}_${n} = grads[${ownRow(o, `d${state.toUpperCase()}${l}`, `b${n}`)} + j];`,
        ),
      )
      .join('\n')}
  }
  ${range(o.rows)
    .map(n => {
      const b = `b${n}`;
      return `{
    let inside = t < lengthOf(${b});
    ${cell.backward({
      d: state => (state === 'h' ? `sum_${n}` : `d${state}_${n}`),
      kept: g => `acts[${rowAt(o, `g${l}`, 't', b)} + ${g * H4}u + j]`,
      now: state => `acts[${rowAt(o, `${state}${l}`, 't + 1u', b)} + j]`,
      before: state => `acts[${rowAt(o, `${state}${l}`, 't', b)} + j]`,
      tanh: 'safeTanh4',
    })}
    ${range(gates.all)
      .map(g => `grads[${rowAt(o, `dA${l}`, 't', b)} + ${g * H4}u + j] = select(vec4f(), da${g}, inside);`)
      .join('\n')}
    ${carried
      .map(
        state =>
          `grads[${ownRow(o, `d${state.toUpperCase()}${l}`, b)} + j] = select(vec4f(), d${state}Before, inside);`,
      )
      .join('\n')}
    ${gates.direct ? `grads[${ownRow(o, `dD${l}`, b)} + j] = select(vec4f(), dhDirect, inside);` : ''}
  }`;
    })
    .join('\n')}
}
`;
}

/** batch, w, grads: dA of step 0, dD -> dH of layer l, the gradient of its h_0. (dC is that of c_0 by then.) */
export function stepStartBackward(o: StepOptions, l: number): string {
  const { H4 } = o.layout;
  return wgsl`
${head(o)}
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
${tile(o, H4)}
  ${range(o.rows)
    .map(n => `var sum_${n} = vec4f();`)
    .join('\n')}
  ${fromAfter(o, l).replaceAll('(t + 1u) * B', '0u * B')}
  ${range(o.rows)
    .map(n => `grads[${ownRow(o, `dH${l}`, `b${n}`)} + j] = sum_${n};`)
    .join('\n')}
}
`;
}
