import { cellOf } from './cells.ts';
import type { ModelConfig } from './config.ts';
import { endsOfModel, memoryKind, readsOfModel } from './memories.ts';
import { Rng, STREAM } from './rng.ts';

/** The configuration of a model, with the sizes that its task determines. */
export interface ModelSpec extends ModelConfig {
  /** D, inputs. */
  inputs: number;
  /** V, outputs. */
  outputs: number;
}

/** Width of o', the input of all heads. */
export const headInputWidth = (spec: ModelConfig): number => spec.projection || spec.hidden;

/** `W_hh` of layer 1, `W_hh_2` of layer 2 … */
export const layerName = (name: string, layer: number): string =>
  layer === 0 ? name : `${name}_${layer + 1}`;

/** One parameter tensor: a matrix [rows, columns]; a bias has one row. */
export interface Parameter {
  name: string;
  shape: [rows: number, columns: number];
  /** Initial values: uniform in centre ± spread. With several centres, each applies to an equal block of columns. */
  init: { centre: number | readonly number[]; spread: number };
}

/**
 * The parameter table of a model. Maps of tensors and checkpoints have its order; the packed buffer of the fast engines
 * (src/layout/layout.ts) does not.
 *
 *   x_t  multi-hot, or the sum of the embeddings of its active inputs: rows of W_e
 *   a    = x_t·W_xh + y_t·W_yh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h, in every layer; y is h_t of the layer below (not the output)
 *   rnn, feedforward (no W_hh): h_t = tanh(a)
 *   lstm (i, f, g, o): c_t = σ(f)·c_{t-1} + σ(i)·tanh(g),  h_t = σ(o)·tanh(c_t)
 *   lstm-coupled (i, g, o): the same with σ(f) = 1 − σ(i)
 *   gru (z, r, n):     n = tanh(a_n without W_hh + σ(r)·(h_{t-1}·W_hh of n)),  h_t = (1 - σ(z))·n + σ(z)·h_{t-1}
 *   o'_t = h_t of the last layer, or tanh(h_t·W_hp + b_p) with the projection layer
 *   d_t  = σ(o'·W_d + b_d)   u_t = σ(o'·W_u + b_u)   v_t = tanh(o'·W_v + b_v), for each of E ends
 *        (other kinds of memory have other controls: src/base/memories.ts)
 *   output_t = f(o'·W_o + b_o), f = softmax, tanh or σ; with a readout f(tanh(o'·W_o + b_o)·W_s + b_s)
 *   auto-encoder: σ(h_t·W_hx) and σ(o'_t·W_px); both reconstruct x_{t-1}
 *
 * Matrices of several gates or ends have one block of columns per gate or end, in that order. W_rh has one block of
 * rows per row read (Q).
 */
export function parameters(spec: ModelSpec): Parameter[] {
  const { inputs: D, hidden: H, width: M, outputs: V } = spec;
  const P = headInputWidth(spec);
  const E = endsOfModel(spec);
  const X = spec.embedding || D;
  const { gates, states, recurrent, forgetGate } = cellOf(spec);
  const G = gates.length;
  const uniform = spec.init === 'uniform';
  const spread = (rows: number, columns: number): number => (uniform ? 0.1 : Math.sqrt(6 / (rows + columns)));
  /** A weight matrix of `blocks` equal blocks of columns. Each block has the Glorot range of its own shape. */
  const weight = (name: string, rows: number, columns: number, gain = 1, blocks = 1): Parameter => ({
    name,
    shape: [rows, columns * blocks],
    init: { centre: 0, spread: uniform ? 0.1 : gain * spread(rows, columns) },
  });
  const bias = (name: string, columns: number, centre: number | readonly number[] = 0): Parameter => ({
    name,
    shape: [1, columns],
    init: { centre, spread: uniform ? 0.1 : 0 },
  });
  const start = (name: string): Parameter => ({ ...bias(name, H), init: { centre: 0, spread: 0 } });

  const table: Parameter[] = [];
  // The sum of the few active embeddings should be of order 1, like one-hot inputs.
  if (spec.embedding) table.push({ ...weight('W_e', D, X), init: { centre: 0, spread: uniform ? 0.1 : 1 } });
  for (let layer = 0; layer < spec.layers; layer++) {
    const of = (name: string): string => layerName(name, layer);
    table.push(weight(of('W_xh'), X, H, 1, G));
    if (layer > 0) table.push(weight(of('W_yh'), H, H, 1, G));
    if (recurrent) table.push(weight(of('W_hh'), H, H, 1, G));
    if (E) table.push(weight(of('W_rh'), readsOfModel(spec) * M, H, 1, G));
    const forget = gates.map((_, gate) => (gate === forgetGate ? spec.forgetBias : 0));
    table.push(bias(of('b_h'), G * H, forgetGate === undefined ? 0 : forget));
    if (spec.start === 'trained' && recurrent) table.push(...states.map(state => start(of(`${state}_0`))));
  }
  if (spec.projection) table.push(weight('W_hp', H, P), bias('b_p', P));
  if (E) {
    for (const { symbol, bias: centre } of memoryKind(spec.memory).controls) {
      // One centre per column: the ends of a deque may start with different biases.
      const centres = Array.from({ length: E }, (_, end) => centre(spec, end));
      const same = centres.every(value => value === centres[0]);
      table.push(
        weight(`W_${symbol}`, P, 1, spec.headGain, E),
        bias(`b_${symbol}`, E, same ? centres[0] : centres),
      );
    }
    table.push(weight('W_v', P, M, 1, E), bias('b_v', E * M));
  }
  const O = spec.readout || V;
  table.push(weight('W_o', P, O), bias('b_o', O));
  if (spec.readout) table.push(weight('W_s', O, V), bias('b_s', V));
  if (spec.autoencoder) table.push(weight('W_hx', H, D), weight('W_px', P, D));
  return table;
}

/** Total number of trained parameters of a model: the sum of the sizes of its tensors. @function */
export const countParameters = (spec: ModelSpec): number =>
  parameters(spec).reduce((sum, { shape }) => sum + shape[0] * shape[1], 0);

/** Named tensors, row-major. They are float64 on the host, whatever precision the engine computes in. */
export type Tensors = Map<string, Float64Array>;

/**
 * Initial values of all parameters. They are exact in float32, and therefore the same on every engine.
 * @param attempt number of restarts so far: every attempt gets different values
 */
export function initialise(spec: ModelSpec, seed: number, attempt = 0): Tensors {
  const tensors: Tensors = new Map();
  parameters(spec).forEach(({ name, shape, init }, index) => {
    const rng = new Rng(seed, STREAM.init, index + attempt * 2 ** 16);
    const centres = typeof init.centre === 'number' ? [init.centre] : init.centre;
    const block = shape[1] / centres.length;
    const values = Float64Array.from({ length: shape[0] * shape[1] }, (_, n) => {
      const centre = centres[Math.floor((n % shape[1]) / block)];
      return Math.fround(centre + init.spread * (2 * rng.uniform() - 1));
    });
    tensors.set(name, values);
  });
  return tensors;
}

/** Zero tensors with the shapes of the parameter table. */
export const zeros = (spec: ModelSpec): Tensors =>
  new Map(parameters(spec).map(({ name, shape }) => [name, new Float64Array(shape[0] * shape[1])]));
