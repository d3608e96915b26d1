import { expect, test } from 'vitest';
import { tunedStep } from '../../src/kernels/autotune.ts';
import { tuningFor } from '../../src/kernels/tuning.ts';
import { openGpu } from '../support/device.ts';

const LARGE = { B: 8, inner4: 64, columns4: 32, gates: 4 };

test('measures a large step once, and remembers', async () => {
  const gpu = await openGpu();
  const tuning = tuningFor(gpu);
  const kept = new Map<string, string>();
  const tiles = await tunedStep(gpu, LARGE, tuning, kept);
  expect(tuning.stepsToTry).toContain(tiles);
  expect([...kept]).toEqual([['step 8×256×4·128', `${tiles.rows} rows, ${tiles.size} invocations`]]);
  // What is remembered is taken without measuring; what is not one of those in question is measured anew.
  const other = tuning.stepsToTry.find(one => one !== tiles)!;
  kept.set('step 8×256×4·128', `${other.rows} rows, ${other.size} invocations`);
  expect(await tunedStep(gpu, LARGE, tuning, kept)).toBe(other);
  kept.set('step 8×256×4·128', 'tiles of another version');
  expect(tuning.stepsToTry).toContain(await tunedStep(gpu, LARGE, tuning, kept));
});

test('leaves small steps to the table', async () => {
  const gpu = await openGpu();
  const tuning = tuningFor(gpu);
  expect(await tunedStep(gpu, { ...LARGE, columns4: 2 }, tuning)).toBe(tuning.step);
});
