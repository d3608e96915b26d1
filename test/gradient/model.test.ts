import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/base/dims.ts';
import { type ModelSpec, type Tensors, zeros } from '../../src/base/parameters.ts';
import type { Rng } from '../../src/base/rng.ts';
import { modelBackward, modelForward } from '../../src/reference/model.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { expectGradients } from '../support/differences.ts';
import { drawAwayFromTies, stackMargin } from '../support/margins.ts';

const LENGTHS = [6, 1, 4];

interface Draw {
  weights: Tensors;
  batch: Batch;
}

/** All parameters in [-1, 1), h_0 and the biases too, and a batch. */
function draw(rng: Rng, spec: ModelSpec): Draw {
  const weights = zeros(spec);
  for (const w of weights.values()) for (let n = 0; n < w.length; n++) w[n] = 2 * rng.uniform() - 1;
  return { weights, batch: randomBatch(rng, spec, LENGTHS) };
}

const marginOf = (spec: ModelSpec, { weights, batch }: Draw): number =>
  Math.min(
    ...modelForward(spec, weights, batch).sequences.map(({ steps }) =>
      stackMargin(
        steps.map(({ d }) => d),
        steps.map(({ u }) => u),
      ),
    ),
  );

const drawn = (spec: ModelSpec): Draw =>
  drawAwayFromTies(
    rng => draw(rng, spec),
    made => marginOf(spec, made),
  );

describe.each(['softmax', 'tanh', 'sigmoid'] as const)('output %s', output => {
  describe.each(['trained', 'zero', 'one-hot'] as const)('start %s', start => {
    it.each([
      [0, false],
      [0, true],
      [6, false],
      [6, true],
    ])('deeper %i, autoencoder %s', (deeper, autoencoder) => {
      const spec = makeSpec({ output, start, deeper, autoencoder });
      const { weights, batch } = drawn(spec);
      const { sequences } = modelForward(spec, weights, batch);
      const gradients = modelBackward(spec, weights, batch, sequences);
      expectGradients(() => modelForward(spec, weights, batch).objective, weights, gradients);
    });
  });
});

describe('the objective', () => {
  const spec = makeSpec({ output: 'tanh', autoencoder: true });
  const { weights, batch } = drawn(spec);
  const { objective, sequences } = modelForward(spec, weights, batch);

  it('does not look at padding', () => {
    const other = { ...batch, ids: batch.ids.slice(), target: batch.target.slice() };
    for (let t = 0; t < batch.T; t++) {
      for (let b = 0; b < batch.B; b++) {
        if (t < batch.lengths[b]) continue;
        other.ids[(t * batch.B + b) * batch.K] = 3;
        other.target[t * batch.B + b] = 3;
      }
    }
    expect(modelForward(spec, weights, other).objective).toBe(objective);
    expect(sequences.map(({ steps }) => steps.length)).toEqual(LENGTHS);
  });

  it('is linear in the weights of the sequences', () => {
    const alone = LENGTHS.map((_, b) => {
      const weight = new Float32Array(batch.B);
      weight[b] = batch.weight[b];
      return modelForward(spec, weights, { ...batch, weight }).objective;
    });
    expect(alone.reduce((sum, x) => sum + x, 0)).toBeCloseTo(objective, 12);
  });

  it('knows the noise', () => {
    const { noise: _, ...silent } = batch;
    expect(modelForward(spec, weights, silent).objective).not.toBe(objective);
    // Without weights the logits are the noise itself: of push first, then of pop.
    const { steps } = modelForward(spec, zeros(spec), batch).sequences[2];
    const n = 3 * batch.B + 2;
    expect(steps[3].d).toBeCloseTo(1 / (1 + Math.exp(-batch.noise![2 * n])), 14);
    expect(steps[3].u).toBeCloseTo(1 / (1 + Math.exp(-batch.noise![2 * n + 1])), 14);
    const none = { ...batch, noise: new Float32Array(batch.noise!.length) };
    expect(modelForward(spec, weights, none).objective).toBe(modelForward(spec, weights, silent).objective);
  });
});
