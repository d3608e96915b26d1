/**
 * Does a trained model use its memory as a stack? Four measurements of the tutorial's two models: how strongly they push and pop,
 * which rows they read, whether they still answer with the pop held at 0 or 1, and whether training can still change the pop.
 *
 *   node examples/is-it-a-stack.js
 */
import { readFile } from 'node:fs/promises';
import { assign, decodeCheckpoint, evaluate, Trainer, trace } from 'pushdown';
import { openEngine } from 'pushdown/node';

const engine = await openEngine('cpu');
const source = [0, 1, 1, 0, 1]; // a b b a b
const shown = x => x.toFixed(2);
const mean = numbers => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/** Calls `work` with a model that has the weights of a checkpoint. */
async function using(checkpoint, work) {
  const trainer = await Trainer.resume(engine, checkpoint);
  const result = await work(trainer);
  trainer.destroy();
  return result;
}

/** The same model with its pop strength σ(o'·W_u + b_u) held at 0 or at 1. */
function withPop(checkpoint, pop) {
  const parameters = new Map(checkpoint.state.parameters);
  parameters.set('W_u', new Float32Array(parameters.get('W_u').length));
  parameters.set('b_u', Float32Array.of(pop ? 30 : -30));
  return { ...checkpoint, state: { ...checkpoint.state, parameters } };
}

/** The results of the model on 256 sequences of five symbols: `coarse` is the share without an error. */
const measure = trainer =>
  trainer.betweenSteps((model, task) => evaluate(model, task, { length: 5, sequences: 256, seed: 1 }));

/** The largest number in the gradient of the pop's weights, in one more training step. */
async function popGradient(trainer) {
  await trainer.singleStep();
  const gradients = await trainer.betweenSteps(model => model.gradients());
  return Math.max(...gradients.get('W_u').map(Math.abs), ...gradients.get('b_u').map(Math.abs));
}

for (const name of ['tutorial-part5', 'tutorial-part6']) {
  const file = new URL(`../gallery/${name}.safetensors`, import.meta.url);
  const checkpoint = decodeCheckpoint(await readFile(file));
  const { coarse, profile } = await using(checkpoint, measure);
  const steps = await using(checkpoint, trainer =>
    trainer.betweenSteps((model, task) => trace(model, task, source)),
  );
  console.log(name);
  for (const phase of ['reading', 'writing']) {
    const [{ push, pop }] = profile[phase].ends;
    // A read takes the newest row with its strength, and older rows with what remains of a total of 1.
    const newest = steps.filter(step => step.phase === phase).map(({ strengths: [rows] }) => rows.at(-1));
    console.log(
      `  ${phase}: push ${shown(push)}  pop ${shown(pop)}  share of the read from older rows: ${shown(1 - mean(newest))}`,
    );
  }
  const [never, always] = [withPop(checkpoint, 0), withPop(checkpoint, 1)];
  const [at0, at1] = [await using(never, measure), await using(always, measure)];
  console.log(
    `  right: ${shown(coarse)}  pop held at 0: ${shown(at0.coarse)}  held at 1: ${shown(at1.coarse)}`,
  );
  // With more steps, and without stopping at an accuracy (0: never), one more step can be trained.
  const continued = { ...checkpoint, config: assign(checkpoint.config, ['steps=100000', 'stopAt=0']) };
  console.log(`  largest gradient of the pop: ${(await using(continued, popGradient)).toExponential(1)}`);
}
engine.destroy();
