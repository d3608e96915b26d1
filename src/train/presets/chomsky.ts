import type { Grid } from './grid.ts';

/** The tasks of Delétang et al. 2023 that we have, and the models that are compared on them. */
const CHOMSKY_TASKS = [
  'reverse-string',
  'stack-manipulation',
  'duplicate-string',
  'odds-first',
  'modular-arithmetic',
  'solve-equation',
  'missing-duplicate',
  'bucket-sort',
] as const;
const CHOMSKY_MODELS = ['rnn', 'lstm1', 'stack', 'queue', 'deque'] as const;

const ofModel: Grid['ofModel'] = {
  rnn: { model: { memory: 'none' } },
  lstm1: { model: { memory: 'none', controller: 'lstm' } },
  stack: { model: { memory: 'stack' } },
  queue: { model: { memory: 'queue' } },
  deque: { model: { memory: 'deque' } },
};

/** Alphabets as published; the arithmetic has its own. */
const ofTask: Grid['ofTask'] = { 'bucket-sort': { task: { symbols: 5 } } };

/** As published, but for the steps (theirs: a million): lengths 1 to 40 in batches of 128, tested at 41 to 500. */
export const CHOMSKY: Grid = {
  name: 'chomsky',
  tasks: CHOMSKY_TASKS,
  models: CHOMSKY_MODELS,
  base: {
    task: { symbols: 2, minLength: 1, maxLength: 40 },
    model: { controller: 'rnn', hidden: 256, width: 8, popBias: -1 },
    train: {
      steps: 50_000,
      batch: 128,
      optimiser: 'adam',
      rate: 1e-3,
      clip: 'norm',
      clipAt: 1,
      noise: 1,
      evaluateEvery: 1000,
      evaluateFrom: 41,
      evaluateLength: 500,
      stopAt: 1,
      patience: 20,
    },
  },
  ofTask,
  ofModel,
  ofCell: {},
};

/** The same shrunk. */
export const CHOMSKY_SMALL: Grid = {
  name: 'chomsky-small',
  tasks: CHOMSKY_TASKS,
  models: CHOMSKY_MODELS,
  base: {
    task: { symbols: 2, minLength: 1, maxLength: 12 },
    model: { controller: 'rnn', hidden: 32, width: 8, popBias: -3 },
    train: {
      steps: 3000,
      batch: 32,
      optimiser: 'adam',
      rate: 0.01,
      clip: 'norm',
      clipAt: 1,
      noise: 1,
      evaluateEvery: 250,
      evaluateFrom: 13,
      evaluateLength: 48,
      stopAt: 1,
      restartAfter: 1000,
      restartAbove: 0.4,
    },
  },
  ofTask,
  ofModel,
  ofCell: {},
};
