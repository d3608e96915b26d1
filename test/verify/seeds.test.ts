import { expect, test } from 'vitest';
import { assign } from '../../src/base/config.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { meanOf } from '../../src/train/metrics.ts';
import { preset } from '../../src/train/presets.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { openGpuEngine } from '../support/device.ts';

/**
 * The presets give the promised results for several seeds, on
 * sequences other than those that decide when training stops.
 */

async function trained(name: string, seed: number, engine: Engine) {
  const config = assign(preset(name), [`seed=${seed}`]);
  let restarts = 0;
  const trainer = await Trainer.start(engine, config, { onRestart: () => restarts++ });
  await trainer.run();
  const at = (length: number) =>
    evaluate(trainer.model, trainer.task, { length, sequences: 512, seed: seed + 1e6 });
  return { trainer, restarts, config, at, close: () => engine.destroy() };
}

// The CPU engine is fast enough for more seeds.
test.each([
  { name: 'gpu', open: openGpuEngine, seeds: 10, required: 9 },
  { name: 'cpu', open: createCpuEngine, seeds: 20, required: 20 },
])(
  'reverse on $name: at least $required of $seeds seeds learn to use the stack without a restart, correct at twice the longest trained length',
  async ({ open, seeds, required }) => {
    const learned: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const { restarts, config, at, close } = await trained('reverse', seed, await open());
      const { coarse, profile } = await at(2 * config.task.maxLength);
      close();
      const { reading, writing } = profile;
      const stack =
        Math.min(meanOf(reading, 'push'), meanOf(writing, 'pop')) > 0.95 &&
        Math.max(meanOf(reading, 'pop'), meanOf(writing, 'push')) < 0.05;
      if (coarse >= 0.99 && stack && restarts === 0) learned.push(seed);
    }
    expect(learned.length, `learned: ${learned}`).toBeGreaterThanOrEqual(required);
  },
);

test('tutorial-part6 gives the result of the tutorial', async () => {
  const { at, close } = await trained('tutorial-part6', 0, await openGpuEngine());
  for (const length of [3, 4, 5]) {
    const { coarse, profile } = await at(length);
    const { reading, writing } = profile;
    expect(coarse, `length ${length}`).toBe(1);
    expect(Math.min(meanOf(reading, 'push'), meanOf(writing, 'pop')), `length ${length}`).toBeGreaterThan(
      0.9,
    );
    expect(Math.max(meanOf(reading, 'pop'), meanOf(writing, 'push')), `length ${length}`).toBeLessThan(0.1);
  }
  close();
});
