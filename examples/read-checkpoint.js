/**
 * Reads a checkpoint: its configuration, its tensors, and what its model does with a sequence.
 *
 *   node examples/read-checkpoint.js                                          a model of the gallery
 *   node examples/read-checkpoint.js runs/reverse-seed0/checkpoint.safetensors
 */
import { readFile } from 'node:fs/promises';
import { decodeCheckpoint, parameters, Trainer, trace } from 'pushdown';
import { openEngine } from 'pushdown/node';

const file = process.argv[2] ?? new URL('../gallery/reverse-stack.safetensors', import.meta.url);
const checkpoint = decodeCheckpoint(await readFile(file));

const { config, state } = checkpoint;
const { task, model } = config;
console.log(`task ${task.name}, ${model.controller} ${model.hidden} and ${model.memory} ${model.width}`);
console.log(`${state.step} steps, on engine ${checkpoint.engine}`);

// Resuming the run creates its model. The shapes are described in docs/checkpoints.md.
const engine = await openEngine('cpu');
const trainer = await Trainer.resume(engine, checkpoint);
for (const { name, shape } of parameters(trainer.model.spec)) {
  const numbers = state.parameters.get(name);
  console.log(`${name.padEnd(6)} [${shape.join(', ')}]  first number ${numbers[0].toFixed(4)}`);
}

const steps = await trainer.betweenSteps((model, task) => trace(model, task, [0, 1, 2, 3]));
for (const { input, controls, output } of steps) {
  const { push, pop } = controls;
  console.log(`${input.padEnd(4)} push ${push[0].toFixed(2)}  pop ${pop[0].toFixed(2)}  → ${output}`);
}
engine.destroy();
