import { expect, test } from 'vitest';
import { MEMORY_NAMES } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { configOf, startOf } from '../support/model-parity.ts';

const largest = (values: ArrayLike<number>): number =>
  Array.from(values, Math.abs).reduce((max, x) => Math.max(max, x), 0);

/**
 * Random sizes, because sizes near those of a SIMD vector, a tile or a group of sequences interact in ways that no list
 * of cases covers.
 */
test('cpu: 250 random models agree with the reference', async () => {
  const engines = [await createCpuEngine(), createReferenceEngine()];
  const rng = new Rng(11, 5);
  const pick = <T>(choices: readonly T[]): T => choices[rng.int(0, choices.length - 1)];
  for (let n = 0; n < 250; n++) {
    const memory = pick([...MEMORY_NAMES, 'none'] as const);
    const spec = makeSpec({
      controller: pick(['rnn', 'lstm', 'lstm-coupled', 'gru', 'feedforward'] as const),
      memory,
      memories: memory === 'none' ? 1 : pick([1, 1, 2, 3]),
      layers: pick([1, 1, 2, 3]),
      hidden: rng.int(1, 21),
      width: rng.int(1, 13),
      projection: pick([0, 0, 1, 5, 9]),
      embedding: pick([0, 0, 1, 6]),
      readout: pick([0, 0, 1, 7]),
      autoencoder: pick([false, false, true]),
      output: pick(['softmax', 'tanh', 'sigmoid'] as const),
      start: pick(['zero', 'one-hot', 'trained'] as const),
      inputs: rng.int(1, 9),
      outputs: rng.int(1, 11),
    });
    const longest = pick([1, 4, 12]);
    const lengths = Array.from({ length: pick([1, 2, 5, 16, 17, 33]) }, () => rng.int(1, longest));
    const batch = randomBatch(new Rng(n, 1), spec, lengths, pick([1, 2, 3]), pick([true, false]));
    const models = engines.map(engine => engine.model(spec, configOf({}), startOf(spec)));
    const [actual, expected] = await Promise.all(models);
    const where = `model ${n}: ${JSON.stringify({ B: batch.B, T: batch.T, ...spec })}`;

    const [actualForward, expectedForward] = [
      await actual.forward(batch, true),
      await expected.forward(batch, true),
    ];
    // Relative to the largest number, or to 0.1 if that is larger: terms of order 1 may cancel, and a model may have a
    // single output.
    for (const name of ['output', 'read'] as const) {
      const [got, values] = [actualForward.trace![name], expectedForward.trace![name]];
      const difference = largest(Array.from(values, (x, i) => x - got[i]));
      expect(difference, `${name} of ${where}`).toBeLessThanOrEqual(2e-5 * Math.max(largest(values), 0.1));
    }
    expect(actualForward.report.symbols, where).toBe(expectedForward.report.symbols);
    for (const model of [actual, expected]) model.step(batch);
    const [gradients, truth] = [await actual.gradients(), await expected.gradients()];
    // Sums in float32 over up to 33 sequences × 12 steps: a tensor whose terms cancel keeps the error of the terms.
    const all = Math.max(...[...truth.values()].map(largest));
    for (const [name, values] of truth) {
      const got = gradients.get(name)!;
      const difference = largest(Array.from(values, (x, i) => x - got[i]));
      const size = Math.max(largest(values), all / 100);
      expect(difference, `${name} of ${where}`).toBeLessThanOrEqual(1e-4 * size);
    }
  }
}, 60_000);
