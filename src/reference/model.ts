import { type Batch, MASKED } from '../base/dims.ts';
import { controlCount, endsOfModel, memoryKind, readsOfModel } from '../base/memories.ts';
import { headInputWidth, type ModelSpec, type Tensors, zeros } from '../base/parameters.ts';
import { embed, type Input, layersOf } from './cell.ts';
import {
  controller,
  controllerBackward,
  controllerStart,
  controllerStartBackward,
  type LayerState,
  project,
  projectBackward,
  zeroLayerStateGradients,
} from './controller.ts';
import { type HeadKind, type Heads, heads, headsBackward } from './heads.ts';
import { addMultiHotBackward, addTo, type Weights } from './linear.ts';
import { emptyMemories, memories, memoriesBackward, zeroMemoryGradients } from './memories.ts';
import {
  output,
  outputBackward,
  type Reconstruction,
  reconstruct,
  reconstructBackward,
  type StepOutput,
} from './output.ts';

/**
 * The whole model over a batch, one sequence after another, one step at a time.
 *
 *   layers_{t-1}, r_{t-1}, x_t → layers_t; h_t of the last layer → o'_t
 *   o'_t → y_t
 *   o'_t → d_t, u_t, v_t → s_t, V_t → r_t
 *
 *   objective = Σ_b weight_b Σ_{t < lengths_b} (loss of y_t + losses of the auto-encoder heads)
 */

/** The activations of one step, kept for the backward pass. */
export interface Step extends Heads, StepOutput {
  /** All layers of the controller, lowest first. */
  layers: LayerState[];
  /** o' [P]; without the projection, h of the last layer. */
  op: Float64Array;
  /** The state of each memory. */
  memories: unknown[];
  /** All reads [Q,M]. */
  r: Float64Array;
  /** Outputs of the auto-encoder heads, if the model has them and t ≥ 1. */
  reconstruction?: Reconstruction;
}

/** The state before the first step. */
type Start = Pick<Step, 'layers' | 'memories' | 'r'>;

/** One sequence after its forward pass. */
export interface SequenceActivations {
  start: Start;
  /** lengths[b] steps. */
  steps: Step[];
}

const weightsOf = (tensors: Tensors): Weights => Object.fromEntries(tensors);

const NO_HEADS: Heads = { controls: [], v: new Float64Array(0) };

const headKindOf = ({ memory }: ModelSpec): HeadKind => {
  const { controls, activation } = memoryKind(memory);
  return { symbols: controls.map(({ symbol }) => symbol), activation };
};

/** ids [K] of x_t of sequence b. */
function idsAt({ B, K, ids }: Batch, t: number, b: number): Uint32Array {
  const from = (t * B + b) * K;
  return ids.subarray(from, from + K);
}

/** x_t of sequence b. */
function inputAt(spec: ModelSpec, w: Weights, batch: Batch, t: number, b: number): Input {
  const ids = idsAt(batch, t, b);
  return spec.embedding ? { ids, embedded: embed(ids, w.W_e, spec.embedding) } : { ids };
}

/**
 * trained: h_0 (and c_0) are parameters, r_0 is zero (the paper). one-hot: h_0 and r_0 are e_0 (part 5 of Trask's
 * tutorial). zero: both are zero (its part 6).
 */
function startOf(spec: ModelSpec, layers: readonly Weights[]): Start {
  const r = new Float64Array(readsOfModel(spec) * spec.width);
  if (spec.start === 'one-hot' && r.length > 0) r[0] = 1;
  return { layers: controllerStart(spec, layers), memories: emptyMemories(spec), r };
}

/** Steps 0 … lengths[b]−1 of sequence b. */
function sequenceForward(spec: ModelSpec, w: Weights, batch: Batch, b: number): SequenceActivations {
  const E = endsOfModel(spec);
  const layerWeights = layersOf(w, spec.layers);
  const start = startOf(spec, layerWeights);
  const steps: Step[] = [];
  let before: Start = start;
  for (let t = 0; t < batch.lengths[b]; t++) {
    const n = t * batch.B + b;
    const x = inputAt(spec, w, batch, t, b);
    const layers = controller(spec, layerWeights, x, before.r, before.layers);
    const { h } = layers[layers.length - 1];
    const op = spec.projection ? project(w, h) : h;
    const perStep = E * controlCount(spec.memory);
    const noise = batch.noise?.subarray(n * perStep, (n + 1) * perStep);
    const headOutputs = E > 0 ? heads(w, op, headKindOf(spec), noise) : NO_HEADS;
    const { after, r } = memories(spec, before.memories, headOutputs);
    const y = output(spec, w, op, batch.target[n]);
    const step: Step = { layers, op, ...headOutputs, memories: after, r, ...y };
    if (spec.autoencoder && t > 0) step.reconstruction = reconstruct(spec, w, h, op, idsAt(batch, t - 1, b));
    steps.push(step);
    before = step;
  }
  return { start, steps };
}

/** Adds the gradients of sequence b to `dw`. */
function sequenceBackward(
  spec: ModelSpec,
  w: Weights,
  batch: Batch,
  b: number,
  { start, steps }: SequenceActivations,
  dw: Weights,
): void {
  const weight = batch.weight[b];
  const layerWeights = layersOf(w, spec.layers);
  const dLayerWeights = layersOf(dw, spec.layers);
  // Gradients passed from step t+1 to step t. They are zero after the last step.
  let dLayers = zeroLayerStateGradients(spec);
  let dr: Float64Array = new Float64Array(start.r.length);
  let dMemories = zeroMemoryGradients(spec, steps[steps.length - 1].memories);
  for (let t = steps.length - 1; t >= 0; t--) {
    const step = steps[t];
    const { op } = step;
    const { h } = step.layers[step.layers.length - 1];
    const { dh } = dLayers[dLayers.length - 1];
    const before = t > 0 ? steps[t - 1] : start;
    const target = batch.target[t * batch.B + b];
    const dop = new Float64Array(headInputWidth(spec));

    if (target !== MASKED) outputBackward(spec, w, op, step, target, weight, dop, dw);
    if (step.reconstruction) {
      const ids = idsAt(batch, t - 1, b);
      reconstructBackward(spec, w, h, op, ids, step.reconstruction, weight, dh, dop, dw);
    }

    const back = memoriesBackward(spec, before.memories, step, step.memories, dr, dMemories);
    if (spec.memory !== 'none') headsBackward(w, op, headKindOf(spec), step, back.dHeads, dop, dw);
    dMemories = back.passed;

    if (spec.projection) projectBackward(w, h, op, dop, dh, dw);
    else addTo(dh, dop);
    const x = inputAt(spec, w, batch, t, b);
    const {
      passed,
      dr: drBefore,
      dx,
    } = controllerBackward(
      spec,
      layerWeights,
      x,
      before.r,
      before.layers,
      step.layers,
      dLayers,
      dLayerWeights,
    );
    if (spec.embedding) addMultiHotBackward(x.ids, dx, dw.W_e);
    dLayers = passed;
    dr = drBefore;
  }
  controllerStartBackward(spec, dLayers, dLayerWeights);
}

/** Forward pass over a batch → its objective, and the activations of every sequence [B] for the backward pass. */
export function modelForward(
  spec: ModelSpec,
  tensors: Tensors,
  batch: Batch,
): { objective: number; sequences: SequenceActivations[] } {
  const w = weightsOf(tensors);
  const sequences = Array.from({ length: batch.B }, (_, b) => sequenceForward(spec, w, batch, b));
  let objective = 0;
  sequences.forEach(({ steps }, b) => {
    for (const { loss, reconstruction: x } of steps) {
      objective += batch.weight[b] * (loss + (x ? x.fromH.loss + x.fromP.loss : 0));
    }
  });
  return { objective, sequences };
}

/** Gradients of the objective with respect to all parameters, from the activations of modelForward. */
export function modelBackward(
  spec: ModelSpec,
  tensors: Tensors,
  batch: Batch,
  sequences: readonly SequenceActivations[],
): Tensors {
  const gradients = zeros(spec);
  const w = weightsOf(tensors);
  const dw = weightsOf(gradients);
  sequences.forEach((sequence, b) => {
    sequenceBackward(spec, w, batch, b, sequence, dw);
  });
  return gradients;
}
