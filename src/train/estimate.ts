import { cellOf, hasCell } from '../base/cells.ts';
import { type Config, MOMENTS } from '../base/config.ts';
import { endsOfModel } from '../base/memories.ts';
import { countParameters, type ModelSpec, widthOfHeads } from '../base/parameters.ts';
import type { Data } from '../tasks/data-file.ts';
import { setup } from './setup.ts';

/** Bytes on the device that a configuration asks for, about. */
export interface Estimate {
  /** Weights, their gradients and what the optimiser keeps beside them. */
  parameters: number;
  /** Activations of a training batch of the longest sequences, and their gradients. */
  activations: number;
  total: number;
}

/** Bytes of a float32. */
const FLOAT = 4;

/**
 * Memory of training, from shapes alone: an estimate, to know beforehand whether it is megabytes or gigabytes. Kernels
 * align, keep what they recompute elsewhere, and may need scratch: `Model.bytes` says what it really is. Evaluation
 * takes no more: its batches shrink as sequences grow.
 */
export function bytesOf(config: Config, data?: Data): Estimate {
  const { task, spec } = setup(config, data);
  const { mean, square } = MOMENTS[config.train.optimiser];
  const copies = 2 + Number(mean) + Number(square);
  const parameters = FLOAT * copies * countParameters(spec);
  const steps = config.train.batch * task.steps(config.task.maxLength);
  // Every activation has a gradient.
  const activations = FLOAT * 2 * steps * perStep(spec);
  return { parameters, activations, total: parameters + activations };
}

/** Numbers that one time step of one sequence leaves for the backward pass. */
function perStep(spec: ModelSpec): number {
  const { layers, hidden: H, width: M, outputs: V } = spec;
  const E = endsOfModel(spec);
  // Gates and h, and an LSTM's c.
  const cell = (cellOf(spec).gates.length + (hasCell(spec) ? 2 : 1)) * H;
  const heads = E * (2 + M);
  const reads = E * M;
  const deeper = spec.deeper ? widthOfHeads(spec) : 0;
  return layers * cell + deeper + heads + reads + spec.readout + V;
}
