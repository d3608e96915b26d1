import { cellOf, hasCellState } from '../base/cells.ts';
import { type Config, MOMENTS } from '../base/config.ts';
import { controlCount, endsOfModel, readsOfModel } from '../base/memories.ts';
import { countParameters, headInputWidth, type ModelSpec } from '../base/parameters.ts';
import type { Data } from '../tasks/data-file.ts';
import { batchFor } from './evaluate.ts';
import { EVALUATION_SEQUENCES } from './model.ts';
import { setup } from './setup.ts';

/** Estimated memory on the device, in bytes. */
export interface Estimate {
  /** Weights, their gradients and the optimiser's moments. */
  parameters: number;
  /** Activations of a training batch of the longest sequences, with their gradients. */
  activations: number;
  /** The same for evaluation batches, which a GPU keeps allocated between steps. */
  evaluation: number;
  /** For training only. */
  total: number;
  /** Training and evaluation share buffers: what a GPU uses. The CPU engine splits a batch and needs less. */
  peak: number;
}

/** Bytes of a float32. */
const FLOAT = 4;

/**
 * Estimates the memory of training from shapes alone, to tell megabytes from gigabytes in advance. Kernels align
 * buffers, may keep values that other kernels recompute, and may need scratch buffers: `Model.bytes` is exact.
 * @throws InputError for invalid settings (see setup)
 */
export function bytesOf(config: Config, data?: Data): Estimate {
  const { task, spec } = setup(config, data);
  const { firstMoment, secondMoment } = MOMENTS[config.train.optimiser];
  const copies = 2 + Number(firstMoment) + Number(secondMoment);
  const parameters = FLOAT * copies * countParameters(spec);
  // Every activation has a gradient of the same size.
  const bytesFor = (B: number, T: number): number => FLOAT * 2 * B * T * valuesPerStep(spec);
  const activations = bytesFor(config.train.batch, task.steps(config.task.maxLength));
  const T = task.steps(config.train.evaluateLength || 2 * config.task.maxLength);
  const evaluation = bytesFor(Math.min(EVALUATION_SEQUENCES, batchFor(T)), T);
  return {
    parameters,
    activations,
    evaluation,
    total: parameters + activations,
    peak: parameters + Math.max(activations, evaluation),
  };
}

/** The number of values that one time step of one sequence keeps for the backward pass. */
function valuesPerStep(spec: ModelSpec): number {
  const { layers, hidden: H, width: M, outputs: V } = spec;
  const E = endsOfModel(spec);
  // The gates and h, and for an LSTM c.
  const cell = (cellOf(spec).gates.length + (hasCellState(spec) ? 2 : 1)) * H;
  const heads = E * (controlCount(spec.memory) + M);
  const reads = readsOfModel(spec) * M;
  const projection = spec.projection ? headInputWidth(spec) : 0;
  return layers * cell + projection + heads + reads + spec.readout + V;
}
