import { makeConfig } from '../../src/base/config.ts';
import { type Batch, MASKED, NO_INPUT, ZERO_TARGET } from '../../src/base/dims.ts';
import { controlCount, endsOfModel } from '../../src/base/memories.ts';
import type { ModelSpec } from '../../src/base/parameters.ts';
import type { Rng } from '../../src/base/rng.ts';

/** The spec of a model, by default a small one: 6 inputs, 4 outputs, 5 hidden units, values of width 3. */
export const makeSpec = (model: Partial<ModelSpec> = {}): ModelSpec => {
  const { inputs = 6, outputs = 4, ...rest } = model;
  return { ...makeConfig({ model: { hidden: 5, width: 3, ...rest } }).model, inputs, outputs };
};

/**
 * A batch with every feature: sequences of several lengths, steps with 0 to K inputs, masked steps,
 * zero targets (not with softmax), uneven weights, noise, and padding with values that must be ignored.
 */
export function randomBatch(
  rng: Rng,
  spec: ModelSpec,
  lengths: readonly number[],
  K = 2,
  noise = true,
): Batch {
  const B = lengths.length;
  const T = Math.max(...lengths);
  const ids = new Uint32Array(T * B * K).fill(NO_INPUT);
  const target = new Uint32Array(T * B).fill(MASKED);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const n = t * B + b;
      if (t >= lengths[b]) {
        // Padding: an engine that does not ignore it computes a different loss.
        ids[n * K] = 0;
        target[n] = 0;
        continue;
      }
      // Distinct ids if there are at least K inputs, with NO_INPUT in any slot.
      const first = rng.int(0, spec.inputs - 1);
      for (let k = 0; k < K; k++) if (rng.uniform() < 0.7) ids[n * K + k] = (first + k) % spec.inputs;
      const kind = rng.uniform();
      if (kind < 0.6) target[n] = rng.int(0, spec.outputs - 1);
      else if (kind < 0.8 && spec.output !== 'softmax') target[n] = ZERO_TARGET;
    }
  }
  return {
    B,
    T,
    K,
    lengths: Uint32Array.from(lengths),
    sourceLengths: Uint32Array.from(lengths),
    ids,
    target,
    weight: Float32Array.from(lengths, () => 0.5 + rng.uniform()),
    phase: new Uint8Array(T * B),
    ...(noise && {
      noise: Float32Array.from({ length: T * B * endsOfModel(spec) * controlCount(spec.memory) }, () =>
        rng.normal(),
      ),
    }),
  };
}
