import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import type { Tensors } from '../../src/base/parameters.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createReferenceEngine } from '../../src/engine/reference.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import { preset } from '../../src/train/presets.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { sequencesFor, verifyStep } from '../../src/train/verify.ts';

const reference = createReferenceEngine('the reference');

async function trained(...sets: string[]): Promise<Checkpoint> {
  const config = assign(preset('reverse'), ['batch=6', 'hidden=8', 'minLength=1', 'maxLength=4', ...sets]);
  const trainer = await Trainer.start(reference, config);
  for (let i = 0; i < 3; i++) await trainer.singleStep();
  return trainer.snapshot();
}

/** An engine whose models return gradients that `change` has modified. */
const withGradients = (change: (gradients: Tensors) => void): Engine => ({
  ...reference,
  async model(...args) {
    const model = await reference.model(...args);
    const { gradients } = model;
    model.gradients = async () => {
      const values = await gradients.call(model);
      change(values);
      return values;
    };
    return model;
  },
});

test.each([[[]], [['memory=deque']], [['memory=none']], [['optimiser=sgd', 'lossPer=source']]])(
  'the reference agrees with itself: %j',
  async sets => {
    const result = await verifyStep(reference, reference, await trained(...sets));
    expect(result).toMatchObject({ step: 3, sequences: 6, agrees: true });
    for (const { difference } of [...result.forward, ...result.gradients, ...result.weights])
      expect(difference).toBe(0);
    expect(result.gradients.map(({ tensor }) => tensor)).toContain('W_hh');
    expect(result.forward.map(({ tensor }) => tensor)).toEqual(
      sets[0] === 'memory=none' ? ['output'] : ['output', 'push', 'pop', 'read'],
    );
    expect(result.gradients.find(({ tensor }) => tensor === 'W_hh')!.largest).toBeGreaterThan(1e-4);
  },
);

test('an engine with one wrong gradient is detected, with the name of the tensor', async () => {
  const wrong = withGradients(gradients => {
    gradients.get('W_hh')![3] += 1e-3;
  });
  const result = await verifyStep(wrong, reference, await trained());
  expect(result.agrees).toBe(false);
  const worst = result.gradients.toSorted((a, b) => b.difference / b.largest - a.difference / a.largest)[0];
  expect(worst.tensor).toBe('W_hh');
  expect(worst.difference).toBeCloseTo(1e-3, 9);
});

test('NaN counts as an infinite difference', async () => {
  const wrong = withGradients(gradients => {
    gradients.get('b_o')![0] = Number.NaN;
  });
  const result = await verifyStep(wrong, reference, await trained());
  expect(result.agrees).toBe(false);
  expect(result.gradients.find(({ tensor }) => tensor === 'b_o')!.difference).toBe(Number.POSITIVE_INFINITY);
});

test('if the batch is too large for the reference, its first sequences are used', async () => {
  const checkpoint = await trained('noise=1', 'memory=deque');
  const part = await verifyStep(reference, reference, checkpoint, undefined, 2);
  expect(part).toMatchObject({ sequences: 2, agrees: true });
  const whole = await verifyStep(reference, reference, checkpoint);
  expect(part.loss.reference).toBeLessThan(whole.loss.reference);
  expect(sequencesFor(2547, 22, 32)).toBe(32);
  expect(sequencesFor(1_000_000, 1000, 32)).toBe(1);
});

test('differences up to the reported absolute bound are allowed besides the relative one', async () => {
  const checkpoint = await trained();
  const { floor } = await verifyStep(reference, reference, checkpoint);
  expect(floor).toBeGreaterThan(0);
  const shiftedBy = (share: number): Engine =>
    withGradients(gradients => {
      const zeros = gradients.get('b_o')!;
      for (let i = 0; i < zeros.length; i++) zeros[i] += share * floor;
    });
  expect((await verifyStep(shiftedBy(0.9), reference, checkpoint)).agrees).toBe(true);
  expect((await verifyStep(shiftedBy(1e4), reference, checkpoint)).agrees).toBe(false);
});
