import { type Config, makeConfig } from '../base/config.ts';
import { InputError, show, suggest } from '../base/errors.ts';
import { configOf, evaluatedLengths, type Grid } from './presets/grid.ts';
import { PAPER } from './presets/paper.ts';
import { SMALL } from './presets/small.ts';

/** A configuration with a name. */
export interface Preset {
  name: string;
  /** One line: what it shows. */
  description: string;
  config: Config;
}

/**
 * Settings common to parts 5 and 6 of Trask's tutorial: rows of 2 numbers, uniform initial weights, and plain gradient
 * descent with the rate divided by the source length L. The tutorial may increase the length after any 100 sequences;
 * here the increase takes effect at the next report step.
 */
const tutorial = {
  model: { width: 2, init: 'uniform' },
  train: { optimiser: 'sgd', clip: 'none', lossPer: 'source', growEvery: 100, reportEvery: 50 },
};

const UNGROUPED: readonly Preset[] = [
  {
    name: 'reverse',
    description:
      "Reversal in the paper's format: uses the memory as a stack, correct at twice the training length",
    config: makeConfig({
      task: { name: 'reverse', symbols: 8, minLength: 4, maxLength: 16 },
      model: { hidden: 32, width: 8, popBias: -2 },
      // Noise drives strengths to 0 and 1. Most runs leave the plateau by step 500, and 95 of 100 seeds by step 1,500.
      // A run that has not left it by then uses its stack as a single row.
      train: {
        steps: 4000,
        batch: 32,
        optimiser: 'adam',
        rate: 0.01,
        clip: 'norm',
        noise: 1,
        stopAt: 0.99,
        restartAfter: 1500,
        restartAbove: 0.3,
      },
    }),
  },
  {
    name: 'tutorial-part5',
    description:
      "Part 5 of Trask's tutorial: learns to reverse, but not with a stack: every push is 1, so every read is just the newest row",
    config: makeConfig({
      task: { name: 'tutorial-part5', symbols: 2, minLength: 1, maxLength: 1 },
      model: {
        ...tutorial.model,
        hidden: 16,
        projection: 16,
        output: 'tanh',
        start: 'one-hot',
        pushBias: 0.2,
        popBias: 0,
      },
      // 750,000 sequences. The rate is the tutorial's max_alpha, 0.005 · batch; lossPer divides it by L.
      train: {
        ...tutorial.train,
        steps: 75_000,
        batch: 10,
        rate: 0.05,
        pushBiasGrowth: 0.0025,
        reportEvery: 10,
        growBelowPerLength: 5,
        evaluateEvery: 5000,
      },
    }),
  },
  {
    name: 'tutorial-part6',
    description:
      "Part 6 of Trask's tutorial: with auto-encoder heads it uses the memory as a stack, pushing then popping",
    config: makeConfig({
      task: { name: 'tutorial-part6', symbols: 2, minLength: 3, maxLength: 5 },
      model: {
        ...tutorial.model,
        hidden: 8,
        projection: 8,
        output: 'sigmoid',
        autoencoder: true,
        start: 'zero',
        pushBias: 1.1,
        popBias: -0.9,
      },
      // The rate is 0.05 · batch. The tutorial trains 750,000 sequences, 15,000 steps, from one lucky seed. Without
      // noise, 5 of 40 seeds learn within 2,000 steps; with noise 0.5: 14 (0.35: 7; 0.7: 9; 1: 9). The others restart.
      train: {
        ...tutorial.train,
        steps: 30_000,
        noise: 0.5,
        restartAfter: 2000,
        restartAbove: 0.015,
        evaluateLength: 5,
        stopAt: 1,
        batch: 50,
        rate: 2.5,
        growBelowPerLength: 1,
        growBelow: 4,
        growAfter: 10_000,
        evaluateEvery: 1000,
      },
    }),
  },
];

/** Short descriptions of a grid's models. */
const MODEL_DESCRIPTIONS: Readonly<Record<string, string>> = {
  lstm1: 'an LSTM without a memory',
  lstm2: 'an LSTM of two layers, without a memory',
  lstm4: 'an LSTM of four layers, without a memory',
  lstm8: 'an LSTM of eight layers, without a memory',
  stack: 'a neural stack',
  queue: 'a neural queue',
  deque: 'a neural deque',
  rnn: 'an RNN without a memory',
  lstm: 'an LSTM without a memory',
  superposition: 'a superposition stack',
  tape: 'a tape',
};

/** The presets of a grid: one for every task and model. */
export const presetsOf = (grid: Grid): Preset[] =>
  grid.tasks.flatMap(task =>
    grid.models.map(model => {
      const config = configOf(grid, task, model);
      const [low, high] = evaluatedLengths(config);
      const { minLength, maxLength } = config.task;
      const what = MODEL_DESCRIPTIONS[model] ?? model;
      const description = `${what}, lengths ${minLength} to ${maxLength}, evaluated at ${low} to ${high}`;
      return { name: `${grid.name}/${task}/${model}`, description, config };
    }),
  );

/**
 * Presets of the page: `reverse` and the tutorial's, then `small/<task>/<model>` and `paper/<task>/<model>` for every
 * cell of the paper's table. The terminal and the library have more: see all-presets.ts.
 */
export const PRESETS: readonly Preset[] = [...UNGROUPED, ...presetsOf(SMALL), ...presetsOf(PAPER)];

/** The groups of PRESETS: the part of a name before its first `/`. */
export const GROUPS: readonly string[] = [SMALL.name, PAPER.name];

/**
 * Returns a copy of a preset's configuration, which the caller may change.
 * @throws InputError for an unknown name
 */
export function presetAmong(all: readonly Preset[], groups: readonly string[], name: string): Config {
  const found = all.find(known => known.name === name);
  if (found) return structuredClone(found.config);
  const names = all.map(known => known.name);
  const known = [...UNGROUPED.map(known => known.name), ...groups.map(group => `${group}/<task>/<model>`)];
  throw new InputError(`unknown preset ${show(name)}.${suggest(name, names, known)}`);
}

/** Returns a copy of the configuration of one of PRESETS. @throws InputError for an unknown name */
export const preset = (name: string): Config => presetAmong(PRESETS, GROUPS, name);
