/**
 * Trains a neural stack to reverse sequences, runs it on one source, and saves it.
 *
 *   node examples/quick-start.js
 */
import { writeFile } from 'node:fs/promises';
import { assign, encodeCheckpoint, evaluate, predict, preset, Trainer } from 'pushdown';
import { openEngine } from 'pushdown/node';

const engine = await openEngine(); // a GPU, else WebAssembly SIMD on all cores
console.log(`engine ${engine.name}: ${engine.adapter.name}, ${engine.adapter.reason}`);

const config = assign(preset('reverse'), ['reportEvery=125']); // like --set; list all keys: `npx pushdown presets --keys`
const trainer = await Trainer.start(engine, config, {
  onProgress: ({ step, loss, coarse }) =>
    console.log(`step ${step}  loss ${loss.toFixed(4)}  sequences right ${coarse.toFixed(3)}`),
});
console.log(`ended: ${await trainer.run()}`);

// Sequences of twice the maximum length in training.
const { coarse } = await trainer.betweenSteps((model, task) =>
  evaluate(model, task, { length: 32, sequences: 256, seed: 1 }),
);
console.log(`right at length 32: ${(100 * coarse).toFixed(1)}%`);

const source = [0, 1, 2, 3]; // symbol numbers, from 0
const [answer] = await trainer.betweenSteps((model, task) => predict(model, task, [source]));
console.log(`${source.map(symbol => trainer.task.outputNames[symbol]).join(' ')} → ${answer.text}`);

const file = process.argv[2] ?? 'reverse.safetensors';
await writeFile(file, encodeCheckpoint(await trainer.snapshot()));
console.log(`saved in ${file}`);
engine.destroy();
