/** A training problem as every peer takes it: dense float32, time-major, no step whose loss nobody takes. */
import { MASKED, NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import { InputError } from '../../src/base/errors.ts';
import { widthOfHeads } from '../../src/base/parameters.ts';
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
  /** [T·B,D] multi-hot. As D is small a product with it is as good as a gather, and its gradient better. */
  x: Float32Array;
  /** Steps at which any sequence has a target: the outputs of the others are not computed. */
  answered: number[];
  /** [answered·B,V] targets, one-hot or zeros. */
  y: Float32Array;
  /** [answered·B,1] weight of the sequence; 0 where this one has no target. */
  weight: Float32Array;
}

/** @throws InputError for a model that the peers do not have */
export function dense({ name, spec, config, batch }: TrainingProblem): Dense {
  const { controller } = spec;
  const plain = spec.layers === 1 && spec.memories === 1 && !spec.autoencoder && !batch.noise;
  if (!plain || spec.memory !== 'stack' || (controller !== 'rnn' && controller !== 'lstm')) {
    throw new InputError(
      `problem ${name}: the peers have one layer (rnn or lstm) and one stack, without auto-encoder or noise; ` +
        `got ${spec.layers} × ${controller} and ${spec.memories} × ${spec.memory}: choose another, or leave the peers out.`,
    );
  }
  const { train } = config;
  if (train.optimiser !== 'sgd' || train.clip !== 'none' || train.pushBiasGrowth !== 0) {
    throw new InputError(
      `problem ${name}: the peers make plain steps of gradient descent; set optimiser=sgd, clip=none and pushBiasGrowth=0.`,
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
    ...{ B, T, D, H, P: widthOfHeads(spec), M, V, controller, output, start, rate: train.rate },
    ...{ projection: spec.projection > 0, embedding: spec.embedding > 0, readout: spec.readout > 0 },
    ...{ x, answered, y, weight },
  };
}

/** @throws InputError for a queue or a deque */
export function checkStack({ kind }: MemoryProblem): void {
  if (kind !== 'stack')
    throw new InputError(`the peers have stacks only, got a ${kind}: compare that with nothing.`);
}
