import { layerName } from '../base/parameters.ts';
import {
  addLinear,
  addLinearBackward,
  addMultiHot,
  addMultiHotBackward,
  linear,
  linearBackward,
  type Weights,
} from './linear.ts';

/**
 * The inputs common to the cells of all controllers, and their linear map. An empty vector adds nothing and needs no
 * weights: y in the first layer, r without a memory, h_{t-1} in a feed-forward controller.
 */

/** x_t: active inputs [K] (or NO_INPUT), and the sum of their embeddings [X] if the model has embeddings. */
export interface Input {
  ids: Uint32Array;
  embedded?: Float64Array;
}

/** Inputs of one layer at one step, apart from its own state. */
export interface LayerInputs {
  x: Input;
  /** h_t of the layer below [H]; empty in the first layer. */
  y: Float64Array;
  /** All reads of step t−1 [R]; empty without a memory. */
  r: Float64Array;
}

/** Gradients of a layer's inputs. A backward pass adds to all of them. */
export interface LayerInputGradients {
  /** [X]; empty without embeddings. */
  dx: Float64Array;
  dy: Float64Array;
  dr: Float64Array;
}

/** Tensors of a layer, by their names in the first layer. */
const LAYER_TENSORS = ['W_xh', 'W_yh', 'W_hh', 'W_rh', 'b_h', 'h_0', 'c_0'];

/** The tensors of each layer under their names in the first layer, for example `W_hh_2` as `W_hh` of layer 2. */
export function layersOf(w: Weights, layers: number): Weights[] {
  return Array.from({ length: layers }, (_, layer) => {
    const tensors: Weights = {};
    for (const name of LAYER_TENSORS) {
      const full = layerName(name, layer);
      if (w[full]) tensors[name] = w[full];
    }
    return tensors;
  });
}

/** x = Σ_k W_e[ids[k]]. ids [K], W_e [D,X] → x [X] */
export function embed(ids: Uint32Array, W_e: Float64Array, X: number): Float64Array {
  const x = new Float64Array(X);
  addMultiHot(ids, W_e, x);
  return x;
}

/** a = x·W_xh + y·W_yh + r·W_rh + b_h: pre-activations of G gates, without the layer's own state. → a [G,H] */
export function inputSum(w: Weights, { x, y, r }: LayerInputs): Float64Array {
  const a = linear(y, w.W_yh, w.b_h);
  addLinear(r, w.W_rh, a);
  if (x.embedded) addLinear(x.embedded, w.W_xh, a);
  else addMultiHot(x.ids, w.W_xh, a);
  return a;
}

/** da [G,H] → dx [X], dy [H], dr [R], and dW_xh, dW_yh, dW_rh, db_h in `dw`; adds to all of them. */
export function inputSumBackward(
  w: Weights,
  { x, y, r }: LayerInputs,
  da: Float64Array,
  { dx, dy, dr }: LayerInputGradients,
  dw: Weights,
): void {
  linearBackward(y, w.W_yh, da, dy, dw.W_yh, dw.b_h);
  addLinearBackward(r, w.W_rh, da, dr, dw.W_rh);
  if (x.embedded) addLinearBackward(x.embedded, w.W_xh, da, dx, dw.W_xh);
  else addMultiHotBackward(x.ids, da, dw.W_xh);
}
