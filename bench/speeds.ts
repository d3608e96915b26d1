import { parseArgs } from 'node:util';
import { assign } from '../src/base/config.ts';
import { engineLine, engineName } from '../src/platform/names.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { presetsIn } from '../src/train/all-presets.ts';
import { Trainer } from '../src/train/trainer.ts';

/**
 * Measures the training steps per second of presets, as lines for src/train/presets/speeds.ts. The first steps are
 * excluded.
 *
 *   node bench/run.mjs bench/speeds.ts small
 *   node bench/run.mjs bench/speeds.ts paper/reverse/stack --seconds 20
 */
export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '3' }, engine: { type: 'string', default: 'auto' } },
  });
  const engine = await openEngine(engineName(values.engine));
  console.log(`// ${engineLine(engine)}`);
  for (const { name, config } of positionals.flatMap(presetsIn)) {
    let from = { steps: 0, begin: 0 };
    const sets = ['evaluateEvery=0', 'steps=1000000000', 'reportEvery=5', 'restartAfter=0', 'stopAt=0'];
    const trainer = await Trainer.start(engine, assign(config, sets), {
      onProgress({ step }) {
        const now = performance.now();
        if (step === 10) from = { steps: step, begin: now };
        const seconds = (now - from.begin) / 1000;
        if (step <= 10 || seconds < Number(values.seconds)) return;
        console.log(
          `  '${name}': { stepsPerSecond: ${Number(((step - from.steps) / seconds).toPrecision(2))} },`,
        );
        trainer.stop();
      },
    });
    await trainer.run();
    trainer.destroy();
  }
  engine.destroy();
  return 0;
}
