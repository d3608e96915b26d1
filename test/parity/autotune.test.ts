import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { tunedStep } from '../../src/kernels/autotune.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { preset } from '../../src/train/presets.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { openGpu, openGpuEngines } from '../support/device.ts';

const LARGE = { B: 8, inner4: 64, columns4: 32, gates: 4 };
const KEY = 'step 8×256×4·128';

test('measures a large step once, and caches the result', async () => {
  const gpu = await openGpu();
  const tuning = gpu.profile.tuning;
  const store = new Map<string, string>();
  const nameOf = ({ rows, size }: { rows: number; size: number }) => `${rows} rows, ${size} invocations`;
  const { tiles, choices } = await tunedStep(gpu, LARGE, tuning, { store });
  expect(tuning.stepsToTry).toContain(tiles);
  expect([...store]).toEqual([[KEY, nameOf(tiles)]]);
  expect(choices).toEqual({ [KEY]: nameOf(tiles) });
  // A cached choice is used without measuring. If it is not among the candidates, the step is measured again.
  const [other, third] = tuning.stepsToTry.filter(candidate => candidate !== tiles);
  store.set(KEY, nameOf(other));
  expect((await tunedStep(gpu, LARGE, tuning, { store })).tiles).toBe(other);
  // The choice that the run started with has priority, and other runs do not use it.
  const chosen = { choices: { [KEY]: nameOf(third) }, store };
  expect(await tunedStep(gpu, LARGE, tuning, chosen)).toEqual({ tiles: third, choices: chosen.choices });
  expect(store.get(KEY)).toBe(nameOf(other));
  store.set(KEY, 'tiles of another version');
  expect(tuning.stepsToTry).toContain((await tunedStep(gpu, LARGE, tuning, { store })).tiles);
});

test('uses the default tiles for small steps, without measuring', async () => {
  const gpu = await openGpu();
  const tuning = gpu.profile.tuning;
  expect(await tunedStep(gpu, { ...LARGE, columns4: 2 }, tuning)).toEqual({ tiles: tuning.step });
});

test('a run keeps the tiles that it started with, whatever the cache of the machine contains', async () => {
  const { gpu, on } = await openGpuEngines();
  const [first, second] = gpu.profile.tuning.stepsToTry.map(
    ({ rows, size }) => `${rows} rows, ${size} invocations`,
  );
  const key = 'step 32×128×4·64';
  const config = assign(preset('reverse'), [
    'controller=lstm',
    'hidden=64',
    'width=64',
    'batch=32',
    'steps=1',
  ]);
  const started = await Trainer.start(on({ plan: 'stepwise', tunings: new Map([[key, first]]) }), config);
  const checkpoint = decodeCheckpoint(encodeCheckpoint(await started.snapshot()));
  expect(checkpoint.choices).toEqual({ adapter: started.engine.adapter.name, [key]: first });

  const other = on({ plan: 'stepwise', tunings: new Map([[key, second]]) });
  const resumed = await Trainer.resume(other, checkpoint);
  expect(resumed.model.choices).toEqual(checkpoint.choices);
  expect((await resumed.snapshot()).choices).toEqual(checkpoint.choices);
  // On another adapter, other tiles may be fastest.
  const elsewhere = { ...checkpoint, choices: { ...checkpoint.choices, adapter: 'another' } };
  const moved = await Trainer.resume(other, elsewhere);
  expect(moved.model.choices).toEqual({ adapter: other.adapter.name, [key]: second });
  other.destroy();
}, 120_000);

test('a device is idle when all submitted work is known to be done', async () => {
  const gpu = await openGpu();
  expect(gpu.idle).toBe(true);
  gpu.submit('nothing', () => undefined);
  expect(gpu.idle).toBe(false);
  const early = gpu.done();
  gpu.submit('nothing', () => undefined);
  await early;
  // Work submitted since then may be in flight.
  expect(gpu.idle).toBe(false);
  await gpu.done();
  expect(gpu.idle).toBe(true);
  const buffer = gpu.buffer('test', 16);
  const reading = gpu.read([{ buffer, bytes: 16 }]);
  expect(gpu.idle).toBe(false);
  await reading;
  expect(gpu.idle).toBe(true);
  gpu.end();
});
