import { type Controller, hasCellState, isRecurrent } from '../base/cells.ts';
import type { ModelSpec } from '../base/parameters.ts';
import type { Input, LayerInputGradients, LayerInputs } from './cell.ts';
import { coupledLstm, coupledLstmBackward } from './coupled-lstm.ts';
import { type GruState, gru, gruBackward } from './gru.ts';
import { addTo, linear, linearBackward, tanhBackward, type Weights } from './linear.ts';
import { type LstmState, lstm, lstmBackward } from './lstm.ts';
import { rnn, rnnBackward } from './rnn.ts';

/**
 * The controller: `layers` stacked cells of one kind. The inputs of every layer are x_t, r_{t-1} and, unless it is
 * feed-forward, its own state of step t−1. Every layer but the first also has h_t of the layer below as an input.
 */

/** State of a layer after a step: h, and what else its cell needs for the next step or the backward pass. */
export interface LayerState {
  /** [H] */
  h: Float64Array;
  /** [H], LSTM only. */
  c?: Float64Array;
  /** LSTM and GRU only: see LstmState and GruState. */
  gates?: Float64Array;
  /** [H], GRU only. */
  hn?: Float64Array;
}

/** Gradient of a layer's state, from step t+1 and the layer above (last layer: outputs and heads). dc: LSTM only. */
export interface LayerStateGradient {
  dh: Float64Array;
  dc: Float64Array;
}

const EMPTY = new Float64Array(0);

/** h_0 [H] of every layer, and c_0 [H] of an LSTM: parameters, or zeros, or (1, 0, …, 0) for h of the first layer. */
export function controllerStart(spec: ModelSpec, layers: readonly Weights[]): LayerState[] {
  const { hidden: H, start } = spec;
  const trained = start === 'trained' && isRecurrent(spec);
  return layers.map((w, layer) => {
    const h = trained ? w.h_0.slice() : new Float64Array(H);
    if (start === 'one-hot' && layer === 0) h[0] = 1;
    if (!hasCellState(spec)) return { h };
    return { h, c: trained ? w.c_0.slice() : new Float64Array(H) };
  });
}

/** Adds the gradient of the state before the first step to dh_0 and dc_0, if they are trained. */
export function controllerStartBackward(
  spec: ModelSpec,
  arriving: readonly LayerStateGradient[],
  dLayers: readonly Weights[],
): void {
  if (spec.start !== 'trained' || !isRecurrent(spec)) return;
  arriving.forEach(({ dh, dc }, layer) => {
    addTo(dLayers[layer].h_0, dh);
    if (hasCellState(spec)) addTo(dLayers[layer].c_0, dc);
  });
}

/** Zero gradients for the state after the last step of every layer. */
export const zeroLayerStateGradients = ({ layers, hidden }: ModelSpec): LayerStateGradient[] =>
  Array.from({ length: layers }, () => ({ dh: new Float64Array(hidden), dc: new Float64Array(hidden) }));

/** One step of a cell, forward and backward. `before` and `after` are the layer's states of steps t−1 and t. */
interface Cell {
  step(w: Weights, inputs: LayerInputs, before: LayerState): LayerState;
  backward(
    w: Weights,
    inputs: LayerInputs,
    before: LayerState,
    after: LayerState,
    arriving: LayerStateGradient,
    into: LayerInputGradients,
    dw: Weights,
  ): LayerStateGradient;
}

const CELLS: Record<Controller, Cell> = {
  rnn: {
    step: (w, inputs, { h }) => ({ h: rnn(w, inputs, h) }),
    backward: (w, inputs, { h }, after, { dh }, into, dw) => ({
      dh: rnnBackward(w, inputs, h, after.h, dh, into, dw),
      dc: EMPTY,
    }),
  },
  feedforward: {
    step: (w, inputs) => ({ h: rnn(w, inputs, EMPTY) }),
    backward(w, inputs, _before, after, { dh }, into, dw) {
      rnnBackward(w, inputs, EMPTY, after.h, dh, into, dw);
      // Gradients flow back in time through the memory only.
      return { dh: new Float64Array(dh.length), dc: EMPTY };
    },
  },
  lstm: {
    step: (w, inputs, { h, c }) => lstm(w, inputs, h, c!),
    backward: (w, inputs, { h, c }, after, arriving, into, dw) =>
      lstmBackward(w, inputs, h, c!, after as LstmState, arriving, into, dw),
  },
  'lstm-coupled': {
    step: (w, inputs, { h, c }) => coupledLstm(w, inputs, h, c!),
    backward: (w, inputs, { h, c }, after, arriving, into, dw) =>
      coupledLstmBackward(w, inputs, h, c!, after as LstmState, arriving, into, dw),
  },
  gru: {
    step: (w, inputs, { h }) => gru(w, inputs, h),
    backward: (w, inputs, { h }, after, { dh }, into, dw) => ({
      dh: gruBackward(w, inputs, h, after as GruState, dh, into, dw),
      dc: EMPTY,
    }),
  },
};

/**
 * One step. x_t, r_{t-1} [R], states of all layers of step t−1 → states of all layers of step t, lowest layer first.
 */
export function controller(
  spec: ModelSpec,
  layers: readonly Weights[],
  x: Input,
  r: Float64Array,
  before: readonly LayerState[],
): LayerState[] {
  let y: Float64Array = EMPTY;
  return layers.map((w, layer) => {
    const after = CELLS[spec.controller].step(w, { x, y, r }, before[layer]);
    y = after.h;
    return after;
  });
}

/**
 * Backward pass of one step. `arriving` holds the gradients of all layers' states of step t; that of the last layer
 * includes the gradients from outputs and heads. Every layer adds to the gradient of the layer below. → the gradients
 * passed to step t−1, dr_{t-1} [R], dx_t [X] (empty without embeddings). Adds the gradients of the parameters to
 * `dLayers`.
 */
export function controllerBackward(
  spec: ModelSpec,
  layers: readonly Weights[],
  x: Input,
  r: Float64Array,
  before: readonly LayerState[],
  after: readonly LayerState[],
  arriving: readonly LayerStateGradient[],
  dLayers: readonly Weights[],
): { passed: LayerStateGradient[]; dr: Float64Array; dx: Float64Array } {
  const dr = new Float64Array(r.length);
  const dx = new Float64Array(x.embedded?.length ?? 0);
  const passed: LayerStateGradient[] = [];
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const y = layer > 0 ? after[layer - 1].h : EMPTY;
    const dy = layer > 0 ? arriving[layer - 1].dh : EMPTY;
    const inputs = { x, y, r };
    const into = { dx, dy, dr };
    passed[layer] = CELLS[spec.controller].backward(
      layers[layer],
      inputs,
      before[layer],
      after[layer],
      arriving[layer],
      into,
      dLayers[layer],
    );
  }
  return { passed, dr, dx };
}

/** The projection layer above h: o'_t = tanh(h_t·W_hp + b_p). h_t [H] → o'_t [P] */
export function project(w: Weights, h: Float64Array): Float64Array {
  return linear(h, w.W_hp, w.b_p).map(Math.tanh);
}

/** do'_t [P] → dh_t [H], dW_hp and db_p; adds to all of them. `op` is o'_t. */
export function projectBackward(
  w: Weights,
  h: Float64Array,
  op: Float64Array,
  dop: Float64Array,
  dh: Float64Array,
  dw: Weights,
): void {
  linearBackward(h, w.W_hp, tanhBackward(op, dop), dh, dw.W_hp, dw.b_p);
}
