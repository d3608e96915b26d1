import type { ModelConfig } from './config.ts';
import { Rng, STREAM } from './rng.ts';

/** The sizes of a model: what its task and its configuration fix together. */
export interface ModelSpec extends ModelConfig {
  /** D, inputs. */
  inputs: number;
  /** V, outputs. */
  outputs: number;
}

/** Width of o', from which all heads read. */
export const widthOfHeads = (spec: ModelSpec): number => spec.deeper || spec.hidden;

/** One parameter tensor: a matrix [rows, columns], a bias being one row. */
export interface Parameter {
  name: string;
  shape: [rows: number, columns: number];
  /** Centre and half-width of the uniform distribution it starts from. */
  init: { centre: number; spread: number };
}

/**
 * The parameter table of a model, in the one order used everywhere (engines, checkpoints, counts).
 *
 *   h_t  = tanh(x_t·W_xh + h_{t-1}·W_hh + r_{t-1}·W_rh + b_h)
 *   o'_t = h_t, or tanh(h_t·W_hp + b_p) with the deeper layer
 *   d_t  = σ(o'·W_d + b_d)   u_t = σ(o'·W_u + b_u)   v_t = tanh(o'·W_v + b_v)
 *   y_t  = f(o'·W_o + b_o), f = softmax, tanh or σ
 *   auto-encoder: σ(h_t·W_hx) and σ(o'_t·W_px), both to recall x_{t-1}
 */
export function parameters(spec: ModelSpec): Parameter[] {
  const { inputs: D, hidden: H, width: M, outputs: V } = spec;
  const P = widthOfHeads(spec);
  const uniform = spec.init === 'uniform';
  const weight = (name: string, rows: number, columns: number, gain = 1): Parameter => ({
    name,
    shape: [rows, columns],
    init: { centre: 0, spread: uniform ? 0.1 : gain * Math.sqrt(6 / (rows + columns)) },
  });
  const bias = (name: string, columns: number, centre = 0): Parameter => ({
    name,
    shape: [1, columns],
    init: { centre, spread: uniform ? 0.1 : 0 },
  });
  const table = [weight('W_xh', D, H), weight('W_hh', H, H), weight('W_rh', M, H), bias('b_h', H)];
  if (spec.start === 'trained') table.push({ ...bias('h_0', H), init: { centre: 0, spread: 0 } });
  if (spec.deeper) table.push(weight('W_hp', H, P), bias('b_p', P));
  table.push(
    weight('W_d', P, 1, spec.headGain),
    bias('b_d', 1, spec.pushBias),
    weight('W_u', P, 1, spec.headGain),
    bias('b_u', 1, spec.popBias),
    weight('W_v', P, M),
    bias('b_v', M),
    weight('W_o', P, V),
    bias('b_o', V),
  );
  if (spec.autoencoder) table.push(weight('W_hx', H, D), weight('W_px', P, D));
  return table;
}

/** Number of trained numbers. */
export const countParameters = (spec: ModelSpec): number =>
  parameters(spec).reduce((sum, { shape }) => sum + shape[0] * shape[1], 0);

/** Named tensors, row-major, float64 on the host whatever the engine computes in. */
export type Tensors = Map<string, Float64Array>;

/**
 * Starting values of all parameters; the same on every engine, since all are exact in float32. Every attempt has
 * others.
 */
export function initialise(spec: ModelSpec, seed: number, attempt = 0): Tensors {
  const tensors: Tensors = new Map();
  parameters(spec).forEach(({ name, shape, init }, index) => {
    const rng = new Rng(seed, STREAM.init, index + attempt * 2 ** 16);
    const values = Float64Array.from({ length: shape[0] * shape[1] }, () =>
      Math.fround(init.centre + init.spread * (2 * rng.uniform() - 1)),
    );
    tensors.set(name, values);
  });
  return tensors;
}

/** Zeros of the form of the table. */
export const zeros = (spec: ModelSpec): Tensors =>
  new Map(parameters(spec).map(({ name, shape }) => [name, new Float64Array(shape[0] * shape[1])]));
