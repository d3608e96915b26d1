import { cellOf, hasCell } from '../base/cells.ts';
import { type Config, MOMENTS } from '../base/config.ts';
import { endsOfModel, readsOfModel } from '../base/memories.ts';
import { countParameters, type ModelSpec, widthOfHeads } from '../base/parameters.ts';
import type { Data } from '../tasks/data-file.ts';
import { batchFor } from './evaluate.ts';
import { EVALUATED } from './model.ts';
import { setup } from './setup.ts';

/** Bytes on the device that a configuration asks for, about. */
export interface Estimate {
  /** Weights, their gradients and what the optimiser keeps beside them. */
  parameters: number;
  /** Activations of a training batch of the longest sequences, and their gradients. */
  activations: number;
  /** The same room for the batches that are evaluated between steps, which a GPU keeps as well. */
  evaluation: number;
  /** Of training alone. */
  total: number;
  /** With evaluation: what a GPU has in use. The CPU, which takes a batch in groups, needs less. */
  most: number;
}

/** Bytes of a float32. */
const FLOAT = 4;

/**
 * Memory of training, from shapes alone: an estimate, to know beforehand whether it is megabytes or gigabytes. Kernels
 * align, keep what they recompute elsewhere, and may need scratch: `Model.bytes` says what it really is.
 */
export function bytesOf(config: Config, data?: Data): Estimate {
  const { task, spec } = setup(config, data);
  const { firstMoment, secondMoment } = MOMENTS[config.train.optimiser];
  const copies = 2 + Number(firstMoment) + Number(secondMoment);
  const parameters = FLOAT * copies * countParameters(spec);
  // Every activation has a gradient.
  const bytesFor = (B: number, T: number): number => FLOAT * 2 * B * T * perStep(spec);
  const activations = bytesFor(config.train.batch, task.steps(config.task.maxLength));
  const T = task.steps(config.train.evaluateLength || 2 * config.task.maxLength);
  const evaluation = bytesFor(Math.min(EVALUATED, batchFor(T)), T);
  return {
    parameters,
    activations,
    evaluation,
    total: parameters + activations,
    most: parameters + Math.max(activations, evaluation),
  };
}

/** Numbers that one time step of one sequence leaves for the backward pass. */
function perStep(spec: ModelSpec): number {
  const { layers, hidden: H, width: M, outputs: V } = spec;
  const E = endsOfModel(spec);
  // Gates and h, and an LSTM's c.
  const cell = (cellOf(spec).gates.length + (hasCell(spec) ? 2 : 1)) * H;
  const heads = E * (2 + M);
  const reads = readsOfModel(spec) * M;
  const projection = spec.projection ? widthOfHeads(spec) : 0;
  return layers * cell + projection + heads + reads + spec.readout + V;
}
