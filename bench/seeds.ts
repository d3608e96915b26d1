import { parseArgs } from 'node:util';
import { assign } from '../src/base/config.ts';
import { engineLine, engineName } from '../src/platform/names.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { preset } from '../src/train/all-presets.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { meanOf } from '../src/train/metrics.ts';
import { Trainer } from '../src/train/trainer.ts';
import { spread } from './measure.ts';
import { countOption } from './node.ts';

/**
 * Counts how many seeds of a preset learn (coarse accuracy ≥ 0.99): trains each, and evaluates it at
 * train.evaluateLength (0: twice task.maxLength) and at further lengths. `--seeds 5` is seed 5 alone.
 *
 *   node bench/run.mjs bench/seeds.ts --preset reverse --seeds 0-9 --set train.noise=0 --set hidden=16
 */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      preset: { type: 'string', default: 'reverse' },
      seeds: { type: 'string', default: '0-9' },
      engine: { type: 'string', default: 'auto' },
      lengths: { type: 'string', default: '' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const [from, to = from] = values.seeds.split('-').map(seed => countOption('seeds', seed, 0));
  const lengths = values.lengths
    .split(',')
    .filter(Boolean)
    .map(length => countOption('lengths', length, 1));
  const engine = await openEngine(engineName(values.engine));
  console.log(engineLine(engine));
  console.log(`preset ${values.preset} ${values.set.join(' ')}`);
  let learned = 0;
  const seconds: number[] = [];
  for (let seed = from; seed <= to; seed++) {
    const config = assign(preset(values.preset), [...values.set, `train.seed=${seed}`]);
    let restarts = 0;
    const trainer = await Trainer.start(engine, config, { onRestart: () => restarts++ });
    const begin = performance.now();
    await trainer.run();
    seconds.push((performance.now() - begin) / 1000);
    const length = config.train.evaluateLength || 2 * config.task.maxLength;
    const at = (length: number, sequences: number) =>
      evaluate(trainer.model, trainer.task, {
        length,
        sequences,
        // Different sequences from those used to decide when to stop.
        seed: seed + 1_000_000,
      });
    const { coarse, fine, loss, profile } = await at(length, 512);
    const further: string[] = [];
    for (const other of lengths) {
      further.push(`${other}: ${(await at(other, 128)).coarse.toFixed(3)}`);
    }
    if (coarse >= 0.99) learned++;
    const { reading, writing } = profile;
    const names = Object.keys(reading.ends[0] ?? {});
    const controls = names
      .flatMap(name => [reading, writing].map(phase => meanOf(phase, name).toFixed(2)))
      .join(' ');
    console.log(
      `seed ${seed}: coarse ${coarse.toFixed(3)} fine ${fine.toFixed(3)} loss ${loss.toFixed(4)} at length ${length}, ` +
        `${trainer.step} steps, ${restarts} restarts, ${seconds.at(-1)!.toFixed(1)} s, ${names.join('/')} ${controls} ${further.join(' ')}`,
    );
    trainer.destroy();
  }
  console.log(
    `coarse ≥ 0.99: ${learned}/${seconds.length} seeds, median ${spread(seconds).median.toFixed(1)} s`,
  );
  engine.destroy();
  return 0;
}
