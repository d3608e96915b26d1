import type { Grid, Overrides } from './grid.ts';
import { MODELS, modelsWith } from './models.ts';

/**
 * All tasks of Delétang et al. 2023, in the order of their Table 2: regular, deterministic context-free,
 * context-sensitive.
 */
export const CHOMSKY_TASKS = [
  'even-pairs',
  'modular-arithmetic-simple',
  'parity-check',
  'cycle-navigation',
  'stack-manipulation',
  'reverse-string',
  'modular-arithmetic',
  'solve-equation',
  'duplicate-string',
  'missing-duplicate',
  'odds-first',
  'binary-addition',
  'binary-multiplication',
  'compute-sqrt',
  'bucket-sort',
] as const;

/** Sizes of alphabets, as published: 5 for bucket-sort, 2 for all others (tasks with a fixed alphabet ignore it). */
const ofTask: Grid['ofTask'] = { 'bucket-sort': { task: { symbols: 5 } } };

/** Without a memory there are no push and pop logits to add noise to. */
const withoutNoise: Overrides = { train: { noise: 0 } };

/**
 * As published: lengths 1 to 40 in batches of 128, Adam, an RNN of 256 (or an LSTM) with rows of 8; tested at 41 to
 * 500. Not as published: no clipping (their code clips the norm to 1), 100,000 steps at most (theirs: a million), one
 * of their three learning rates, noise on push and pop logits, and early stopping: a run ends once coarse accuracy is 1
 * at lengths 41 to 80 in two evaluations in a row, or when the training loss has not improved in 20,000 steps. `depth`
 * is large enough for the evaluations; the test enlarges it (src/cli/sweep/measure.ts).
 */
export const CHOMSKY: Grid = {
  name: 'chomsky',
  tasks: CHOMSKY_TASKS,
  models: MODELS,
  base: {
    task: { symbols: 2, minLength: 1, maxLength: 40 },
    model: { controller: 'rnn', hidden: 256, width: 8, popBias: -1, depth: 80 },
    train: {
      steps: 100_000,
      batch: 128,
      optimiser: 'adam',
      rate: 5e-4,
      clip: 'none',
      noise: 1,
      evaluateEvery: 1000,
      evaluateFrom: 41,
      evaluateLength: 80,
      stopAt: 1,
      patience: 20,
    },
  },
  ofTask,
  ofModel: modelsWith({ rnn: withoutNoise, lstm: withoutNoise }),
  ofCell: {},
};

/** For the regular tasks: the settings that a small RNN needs to learn them. */
const regular: Overrides = {
  model: { hidden: 64 },
  train: { optimiser: 'adam', beta2: 0.999, rate: 3e-3, lossPer: 'symbol', steps: 15_000 },
};
/** For the other tasks with one output per sequence: more steps, because steps on these shorter sequences are fast. */
const oneOutput: Overrides = { train: { steps: 12_000 } };

/**
 * The same lengths in training and test, for one core: about 20 to 45 seconds a run (tape: 100). A controller of 32
 * (regular tasks: 64), batches of 32, and 8,000 to 15,000 steps at most. With RMSProp on the summed loss, models learn
 * to use the stack and the queue within 5,000 steps without noise; counting modulo 5 needs Adam. A run ends once coarse
 * accuracy is 1 at lengths 41 to 60 in three evaluations in a row.
 */
export const CHOMSKY_SMALL: Grid = {
  name: 'chomsky-small',
  tasks: CHOMSKY_TASKS,
  models: MODELS,
  base: {
    task: { symbols: 2, minLength: 1, maxLength: 40 },
    model: { controller: 'rnn', hidden: 32, width: 8, popBias: -1, depth: 60 },
    train: {
      steps: 8000,
      batch: 32,
      optimiser: 'rmsprop',
      beta2: 0.9,
      rate: 5e-3,
      clip: 'norm',
      clipAt: 1,
      lossPer: 'batch',
      evaluateEvery: 500,
      evaluateFrom: 41,
      evaluateLength: 60,
      stopAt: 1,
      stopPasses: 3,
    },
  },
  ofTask: {
    ...ofTask,
    'even-pairs': regular,
    'modular-arithmetic-simple': regular,
    'parity-check': regular,
    'cycle-navigation': regular,
    'modular-arithmetic': oneOutput,
    'solve-equation': oneOutput,
    'missing-duplicate': oneOutput,
  },
  ofModel: modelsWith({}),
  ofCell: {},
};
