import { expect, test } from 'vitest';
import { tunedStep } from '../../src/kernels/autotune.ts';
import { tuningFor } from '../../src/kernels/tuning.ts';
import { openGpu } from '../support/device.ts';

const LARGE = { B: 8, inner4: 64, columns4: 32, gates: 4 };
const KEY = 'step 8×256×4·128';

test('measures a large step once, and remembers', async () => {
  const gpu = await openGpu();
  const tuning = tuningFor(gpu);
  const store = new Map<string, string>();
  const named = ({ rows, size }: { rows: number; size: number }) => `${rows} rows, ${size} invocations`;
  const { tiles, choices } = await tunedStep(gpu, LARGE, tuning, { store });
  expect(tuning.stepsToTry).toContain(tiles);
  expect([...store]).toEqual([[KEY, named(tiles)]]);
  expect(choices).toEqual({ [KEY]: named(tiles) });
  // What is remembered is taken without measuring; what is not one of those in question is measured anew.
  const [other, third] = tuning.stepsToTry.filter(one => one !== tiles);
  store.set(KEY, named(other));
  expect((await tunedStep(gpu, LARGE, tuning, { store })).tiles).toBe(other);
  // What the run was begun with comes first, and is not what others take.
  const chosen = { choices: { [KEY]: named(third) }, store };
  expect(await tunedStep(gpu, LARGE, tuning, chosen)).toEqual({ tiles: third, choices: chosen.choices });
  expect(store.get(KEY)).toBe(named(other));
  store.set(KEY, 'tiles of another version');
  expect(tuning.stepsToTry).toContain((await tunedStep(gpu, LARGE, tuning, { store })).tiles);
});

test('leaves small steps to the table', async () => {
  const gpu = await openGpu();
  const tuning = tuningFor(gpu);
  expect(await tunedStep(gpu, { ...LARGE, columns4: 2 }, tuning)).toEqual({ tiles: tuning.step });
});
