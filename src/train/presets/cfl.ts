import type { Grid } from './grid.ts';
import { MODELS, modelsWith } from './models.ts';

/** The five languages of DuSell and Chiang, in their order. */
export const CFL_TASKS = [
  'lm-marked-reversal',
  'lm-unmarked-reversal',
  'lm-padded-reversal',
  'lm-dyck',
  'lm-hardest-cfl',
] as const;

/**
 * As published: an LSTM of 20 units, strings of 40 to 80 symbols in batches of 10, Adam, gradients clipped to a norm of
 * 5, loss summed over a string and averaged over the batch, 200,000 steps (200 epochs) at most. Not as published: every
 * batch is new (theirs come from 10,000 fixed strings), the rate is one of theirs and constant, and early stopping uses
 * the training loss.
 */
export const CFL: Grid = {
  name: 'cfl',
  tasks: CFL_TASKS,
  models: MODELS,
  base: {
    task: { symbols: 2, minLength: 40, maxLength: 80 },
    model: { controller: 'lstm', hidden: 20, width: 10, popBias: -1, depth: 100 },
    train: {
      steps: 200_000,
      batch: 10,
      optimiser: 'adam',
      rate: 5e-3,
      clip: 'norm',
      // The loss is summed over the batch of 10, so this is the authors' 5 for the mean.
      clipAt: 50,
      lossPer: 'batch',
      evaluateEvery: 1000,
      evaluateFrom: 40,
      evaluateLength: 80,
      patience: 20,
    },
  },
  ofTask: {},
  ofModel: modelsWith({}),
  ofCell: {},
};

/** The same with few steps, for one core. */
export const CFL_SMALL: Grid = {
  ...CFL,
  name: 'cfl-small',
  base: { ...CFL.base, train: { ...CFL.base.train, steps: 15_000, patience: 0 } },
};
