import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCheckpoint, Trainer, trace } from 'pushdown';
import { openEngine } from 'pushdown/node';
import { expect, test } from 'vitest';
import { runExample } from '../support/documented-commands.ts';
import { ROOT } from '../support/documents.ts';

/**
 * The programs of docs/tutorial.md: transcripts.test.ts compares
 * their output with the document, this file checks what it means.
 */

test('examples/figure-1.js', async () => {
  const lines = await runExample('figure-1.js');
  // Figure 1a of the paper, and the gradients computed by hand.
  expect(lines[2]).toMatch(/^step 3 {2}strengths 0\.3 0\.0 0\.9 {2}read 0\.1 0\.0 0\.9$/);
  expect(lines[3]).toBe('gradients: push 1.0 2.0 6.0  pop 0.0 0.0 0.0');
}, 60_000);

test('examples/learn-to-pop.js and learn-to-push.js', async () => {
  const last = async (...args: [string, ...string[]]) =>
    /loss (\S+)(?: {2}push ([\d. ]+?))? {2}pop ([\d. ]+)$/
      .exec((await runExample(...args)).at(-1)!)!
      .slice(1);
  const [loss, , pop] = await last('learn-to-pop.js');
  expect([loss, pop]).toEqual(['0.0000', '0.30 0.00 0.00 0.00 1.00 1.00']);
  expect(Number((await last('learn-to-pop.js', '0.01'))[0])).toBeGreaterThan(0.5);
  const [pushLoss, push, pops] = await last('learn-to-push.js');
  expect([pushLoss, push]).toEqual(['0.0000', '1.00 1.00 1.00 0.00 0.00 0.00']);
  expect(pops).toMatch(/0\.00 0\.00 0\.00 1\.00 1\.00$/);
  expect(Number((await last('learn-to-push.js', '0.5'))[0])).toBeGreaterThan(0.5);
}, 60_000);

test('examples/controller-by-hand.js computes the same as the model', async () => {
  const engine = await openEngine('cpu');
  const file = join(ROOT, 'gallery/tutorial-part6.safetensors');
  const trainer = await Trainer.resume(engine, decodeCheckpoint(readFileSync(file)));
  const steps = await trainer.betweenSteps((model, task) => trace(model, task, [0, 1, 1, 0, 1]));
  engine.destroy();
  const lines = (await runExample('controller-by-hand.js')).map(line => line.split(/ +/));
  expect(lines).toEqual(
    steps.map(({ input, controls, output, probability }) => [
      input,
      'push',
      controls['push'][0].toFixed(2),
      'pop',
      controls['pop'][0].toFixed(2),
      ...(input === 'decode' ? ['→', output, probability.toFixed(2)] : []),
    ]),
  );
}, 60_000);

test('examples/is-it-a-stack.js', async () => {
  const lines = await runExample('is-it-a-stack.js');
  const numbers = lines.map(line => (line.match(/(?<= )\d\.\d+(e[+-]\d+)?/g) ?? []).map(Number));
  const [, reading5, writing5, right5, [gradient5], , reading6, writing6, right6, [gradient6]] = numbers;
  // The model of part 5 pushes everything and reads what it has just pushed, so nothing depends on its pops.
  for (const [push, , older] of [reading5, writing5]) expect([push, older]).toEqual([1, 0]);
  expect([right5[1], right5[2], gradient5]).toEqual([right5[0], right5[0], 0]);
  // The model of part 6 pushes while it reads the source, and pops and reads older rows while it writes the target.
  expect([reading6, writing6].map(all => all.map(Math.round))).toEqual([
    [1, 0, 0],
    [0, 1, 1],
  ]);
  expect(right6[0]).toBe(1);
  expect(Math.max(right6[1], right6[2])).toBeLessThan(0.3);
  expect(gradient6).toBeGreaterThan(0);
}, 60_000);
