/**
 * A training problem in the format that all peers take: dense
 * float32, time-major, with outputs only at steps that have targets.
 */
import { MASKED, NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import { InputError } from '../../src/base/errors.ts';
import { headInputWidth } from '../../src/base/parameters.ts';
import type { MemoryProblem, TrainingProblem } from '../problems.ts';

export interface Dense {
  B: number;
  T: number;
  /** Inputs. */
  D: number;
  H: number;
  /** Width of o'. */
  P: number;
  M: number;
  /** Outputs. */
  V: number;
  controller: 'rnn' | 'lstm';
  projection: boolean;
  embedding: boolean;
  readout: boolean;
  output: 'softmax' | 'tanh' | 'sigmoid';
  start: 'trained' | 'zero' | 'one-hot';
  rate: number;
  /** [T·B,D] multi-hot. D is small, so a product with it is as fast as a gather, and its gradient is faster. */
  x: Float32Array;
  /** Steps at which any sequence has a target. Outputs of other steps are not computed. */
  answered: number[];
  /** [answered·B,V] targets, one-hot or zeros. */
  y: Float32Array;
  /** [answered·B,1] weight of the sequence; 0 if this sequence has no target at this step. */
  weight: Float32Array;
}

/** @throws InputError for a model that the peers do not support */
export function dense({ name, spec, config, batch }: TrainingProblem): Dense {
  const { controller } = spec;
  const plain = spec.layers === 1 && spec.memories === 1 && !spec.autoencoder && !batch.noise;
  if (!plain || spec.memory !== 'stack' || (controller !== 'rnn' && controller !== 'lstm')) {
    throw new InputError(
      `problem ${name}: the peers support one layer (rnn or lstm) and one stack, without auto-encoder or noise; ` +
        `got ${spec.layers} × ${controller} and ${spec.memories} × ${spec.memory}${spec.autoencoder ? ', an auto-encoder' : ''}` +
        `${batch.noise ? ', noise' : ''}: choose another model, or use --no-peers.`,
    );
  }
  const { train } = config;
  if (train.optimiser !== 'sgd' || train.clip !== 'none' || train.pushBiasGrowth !== 0) {
    throw new InputError(
      `problem ${name}: the peers do plain gradient descent; set optimiser=sgd, clip=none and pushBiasGrowth=0.`,
    );
  }
  const { B, T, K } = batch;
  const { inputs: D, outputs: V } = spec;
  const x = new Float32Array(T * B * D);
  batch.ids.forEach((id, n) => {
    if (id !== NO_INPUT) x[Math.floor(n / K) * D + id] += 1;
  });
  const answered = Array.from({ length: T }, (_, t) => t).filter(t =>
    batch.target.subarray(t * B, (t + 1) * B).some(target => target !== MASKED),
  );
  const y = new Float32Array(answered.length * B * V);
  const weight = new Float32Array(answered.length * B);
  answered.forEach((t, k) => {
    for (let b = 0; b < B; b++) {
      const target = batch.target[t * B + b];
      if (target === MASKED) continue;
      weight[k * B + b] = batch.weight[b];
      if (target !== ZERO_TARGET) y[(k * B + b) * V + target] = 1;
    }
  });
  const { hidden: H, width: M, output, start } = spec;
  return {
    ...{ B, T, D, H, P: headInputWidth(spec), M, V, controller, output, start, rate: train.rate },
    ...{ projection: spec.projection > 0, embedding: spec.embedding > 0, readout: spec.readout > 0 },
    ...{ x, answered, y, weight },
  };
}

/** @throws InputError for a memory that is not a stack */
export function checkStack({ kind }: MemoryProblem): void {
  if (kind !== 'stack')
    throw new InputError(`the peers support only stacks, got a ${kind}: measure it with --no-peers.`);
}
