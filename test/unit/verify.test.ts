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

/** An engine whose models return wrong gradients. */
const bent = (bend: (gradients: Tensors) => void): Engine => ({
  ...reference,
  async model(...args) {
    const model = await reference.model(...args);
    const { gradients } = model;
    model.gradients = async () => {
      const made = await gradients.call(model);
      bend(made);
      return made;
    };
    return model;
  },
});

test.each([[[]], [['memory=deque']], [['memory=none']], [['optimiser=sgd', 'lossPer=source']]])(
  'the reference agrees with itself: %j',
  async sets => {
    const of = await verifyStep(reference, reference, await trained(...sets));
    expect(of).toMatchObject({ step: 3, sequences: 6, agrees: true });
    for (const { difference } of [...of.forward, ...of.gradients, ...of.weights]) expect(difference).toBe(0);
    expect(of.gradients.map(({ tensor }) => tensor)).toContain('W_hh');
    expect(of.forward.map(({ tensor }) => tensor)).toEqual(
      sets[0] === 'memory=none' ? ['output'] : ['output', 'push', 'pop', 'read'],
    );
    expect(of.gradients.find(({ tensor }) => tensor === 'W_hh')!.largest).toBeGreaterThan(1e-4);
  },
);

test('an engine with one wrong gradient is detected, with the name of the tensor', async () => {
  const off = bent(gradients => {
    gradients.get('W_hh')![3] += 1e-3;
  });
  const of = await verifyStep(off, reference, await trained());
  expect(of.agrees).toBe(false);
  const worst = of.gradients.toSorted((a, b) => b.difference / b.largest - a.difference / a.largest)[0];
  expect(worst.tensor).toBe('W_hh');
  expect(worst.difference).toBeCloseTo(1e-3, 9);
});

test('NaN is the largest difference', async () => {
  const off = bent(gradients => {
    gradients.get('b_o')![0] = Number.NaN;
  });
  const of = await verifyStep(off, reference, await trained());
  expect(of.agrees).toBe(false);
  expect(of.gradients.find(({ tensor }) => tensor === 'b_o')!.difference).toBe(Number.POSITIVE_INFINITY);
});

test('if the batch is too large for the reference, its first sequences are used', async () => {
  const checkpoint = await trained('noise=1', 'memory=deque');
  const of = await verifyStep(reference, reference, checkpoint, undefined, 2);
  expect(of).toMatchObject({ sequences: 2, agrees: true });
  const whole = await verifyStep(reference, reference, checkpoint);
  expect(of.loss.reference).toBeLessThan(whole.loss.reference);
  expect(sequencesFor(2547, 22, 32)).toBe(32);
  expect(sequencesFor(1_000_000, 1000, 32)).toBe(1);
});

test('the allowed absolute difference is reported besides the relative one', async () => {
  const checkpoint = await trained();
  const { floor } = await verifyStep(reference, reference, checkpoint);
  expect(floor).toBeGreaterThan(0);
  const by = (share: number): Engine =>
    bent(gradients => {
      const zeros = gradients.get('b_o')!;
      for (let i = 0; i < zeros.length; i++) zeros[i] += share * floor;
    });
  expect((await verifyStep(by(0.9), reference, checkpoint)).agrees).toBe(true);
  expect((await verifyStep(by(1e4), reference, checkpoint)).agrees).toBe(false);
});
