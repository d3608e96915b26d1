/** Trains the models of the gallery: all with `npm run gallery`, or some with `npm run gallery -- reverse-stack`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assign } from '../src/base/config.ts';
import { countParameters } from '../src/base/parameters.ts';
import type { Engine } from '../src/engine/engine.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { preset } from '../src/train/all-presets.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/train/checkpoint.ts';
import { evaluateLengths } from '../src/train/evaluate.ts';
import { type Card, cardNamed } from '../src/train/gallery.ts';
import { setup } from '../src/train/setup.ts';
import { Trainer } from '../src/train/trainer.ts';

interface Recipe {
  name: string;
  title: string;
  text: string;
  preset: string;
  seed: number;
  set?: string[];
  lengths: number[];
  /** Sequences per length. */
  sequences: number;
  /** Stores weights in 16 bits. */
  half?: true;
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'reverse-rnn',
    title: 'The default run: an RNN with a stack',
    text: 'Pushes while it reads and pops while it writes. Trained on lengths up to 16, in about a second.',
    preset: 'reverse',
    seed: 0,
    lengths: [16, 32, 64, 160],
    sequences: 128,
  },
  {
    name: 'reverse-stack',
    title: 'Reversal: an LSTM with a stack',
    text: 'All strengths are close to 0 or 1, so it still works at ten times the longest trained length.',
    preset: 'small/reverse/stack',
    seed: 0,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'reverse-deque',
    title: 'Reversal: a deque',
    text: 'Uses one of its two ends as a stack.',
    preset: 'small/reverse/deque',
    seed: 1,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'copy-queue',
    title: 'Copying: a queue',
    text: 'First in, first out: pushes at the back while it reads, pops at the front while it writes.',
    preset: 'small/copy/queue',
    seed: 0,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'copy-deque',
    title: 'Copying: a deque',
    text: 'Pushes at one end and pops at the other. At the start of training, the push strength at the bottom was almost 0.',
    preset: 'small/copy/deque',
    seed: 0,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'bigram-queue',
    title: 'Bigram flipping: a queue',
    text: 'The LSTM holds one symbol of a pair, and the queue keeps the pairs in order.',
    preset: 'small/bigram/queue',
    seed: 0,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'bigram-deque',
    title: 'Bigram flipping: a deque',
    text: 'The same task with pushes and pops at both ends.',
    preset: 'small/bigram/deque',
    seed: 0,
    lengths: [12, 24, 60, 120],
    sequences: 128,
  },
  {
    name: 'svo-sov-queue',
    title: 'Word order: a queue',
    text: 'Subject–verb–object becomes subject–object–verb: the LSTM keeps the verb, and everything else waits in the queue.',
    preset: 'small/svo-sov/queue',
    seed: 0,
    lengths: [12, 24, 48],
    sequences: 128,
  },
  {
    name: 'gender-queue',
    title: 'German articles: a queue',
    text: 'An article can be translated only when its noun is known.',
    preset: 'small/gender/queue',
    seed: 0,
    lengths: [12, 24, 60],
    sequences: 128,
  },
  {
    name: 'gender-deque',
    title: 'German articles: a deque',
    text: 'The same task with pushes and pops at both ends.',
    preset: 'small/gender/deque',
    seed: 1,
    lengths: [12, 24, 60],
    sequences: 128,
  },
  {
    name: 'odds-first-queue',
    title: 'Odds first: a queue',
    text: 'Pushes odd positions with strength 0.8 and even ones with 0.2, so a pop of 1 skips a pair, and the next odd symbol is in front.',
    preset: 'chomsky-small/odds-first/queue',
    seed: 0,
    lengths: [20, 40, 80, 160],
    sequences: 128,
  },
  {
    name: 'duplicate-string-deque',
    title: 'Duplicating a string: a deque',
    text: 'While it writes the first copy, it pops each symbol at the bottom and pushes it back on top. Then it reads the deque again for the second copy.',
    preset: 'chomsky-small/duplicate-string/deque',
    seed: 1,
    lengths: [20, 40, 80, 160],
    sequences: 128,
  },
  {
    name: 'tutorial-part5',
    title: 'The tutorial, part 5',
    text: 'It reverses sequences, but not with a stack: every push is 1, so every read is just the newest row, and pops have no effect.',
    preset: 'tutorial-part5',
    seed: 0,
    lengths: [5, 10, 13, 20],
    sequences: 128,
  },
  {
    name: 'tutorial-part6',
    title: 'The tutorial, part 6',
    text: 'Two heads that reconstruct the previous input make the model use its memory as a stack.',
    preset: 'tutorial-part6',
    seed: 0,
    lengths: [3, 4, 5],
    sequences: 128,
  },
  {
    name: 'paper-reverse-stack',
    title: "Reversal at the paper's size",
    text: '128 symbols, an LSTM of 256 units, rows of 256 numbers, lengths 8 to 64. Weights are stored in 16 bits.',
    preset: 'paper/reverse/stack',
    seed: 0,
    // The preset stops at the first evaluation with coarse accuracy ≥ 0.995; after longer training the model
    // generalises to longer sources.
    set: ['stopAt=0', 'steps=1500'],
    lengths: [64, 128, 256, 640],
    sequences: 32,
    half: true,
  },
];

const FOLDER = 'gallery';

export async function main(args: string[]): Promise<number> {
  const file = join(FOLDER, 'cards.json');
  mkdirSync(FOLDER, { recursive: true });
  const before: Card[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const cards = new Map(before.map(card => [card.name, card]));
  for (const name of args) cardNamed(RECIPES, name);
  const engine = await openEngine('cpu');
  for (const recipe of RECIPES) {
    if (args.length && !args.includes(recipe.name)) continue;
    cards.set(recipe.name, await trained(engine, recipe));
    const all = RECIPES.flatMap(({ name }) => cards.get(name) ?? []);
    writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
  }
  engine.destroy();
  return 0;
}

async function trained(engine: Engine, recipe: Recipe): Promise<Card> {
  const { name, title, text, lengths, sequences, half } = recipe;
  const sets = recipe.set ?? [];
  const config = assign(preset(recipe.preset), [...sets, `seed=${recipe.seed}`]);
  const begin = performance.now();
  const trainer = await Trainer.start(engine, config);
  await trainer.run();
  const snapshot = await trainer.snapshot();
  trainer.destroy();
  const state = { ...snapshot.state, firstMoment: new Map(), secondMoment: new Map() };
  const bytes = encodeCheckpoint({ ...snapshot, state }, half);
  writeFileSync(join(FOLDER, `${name}.safetensors`), bytes);

  // The written file is measured, not the model in memory.
  const stored = decodeCheckpoint(bytes);
  const { task, spec } = setup(config);
  const model = await engine.model(spec, config.train, stored.state);
  const seed = recipe.seed + 1_000_000;
  const measured = await evaluateLengths(model, task, lengths, { sequences, seed });
  model.destroy();
  const accuracy = measured.map(({ length, coarse }) => ({ length, coarse }));
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `${name}: ${stored.state.step} steps, ${seconds} s, ${bytes.length} bytes; ` +
      accuracy.map(({ length, coarse }) => `${length}: ${coarse.toFixed(3)}`).join('  '),
  );
  return {
    name,
    title,
    text,
    command: [
      'pushdown train',
      recipe.preset,
      `--seed ${recipe.seed}`,
      ...sets.map(set => `--set ${set}`),
    ].join(' '),
    parameters: countParameters(spec),
    steps: stored.state.step,
    trained: [config.task.minLength, stored.run.curriculum.length],
    accuracy,
    sequences,
    seed,
    bytes: bytes.length,
  };
}
