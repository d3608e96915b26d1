import type { Grid } from './grid.ts';

/** The columns of the paper's Table 3, and its rows as we have them: models and tasks. */
export const PAPER_MODELS = ['lstm1', 'lstm2', 'lstm4', 'lstm8', 'stack', 'queue', 'deque'] as const;
export const PAPER_TASKS = ['copy', 'reverse', 'bigram', 'svo-sov', 'gender'] as const;

/** Learning rates that the paper tries for every cell. */
export const PAPER_RATES = [5e-3, 1e-3, 5e-4, 1e-4, 5e-5] as const;

/**
 * The paper at full size: 128 symbols, lengths 8 to 64, tested at 65 to 128; LSTM controller of 256, embeddings of 64,
 * o of 64, memory rows of 256; the LSTMs alone have the softmax on h. RMSProp in batches of 10, gradients clipped
 * "above 1".
 *
 * Not in the paper, and chosen here: clipping by norm; RMSProp's decay and epsilon (beta2, epsilon); 20,000 steps at
 * most, of which a public re-implementation needs a tenth for reversal; patience, its "early stopping".
 */
export const PAPER: Grid = {
  name: 'paper',
  tasks: PAPER_TASKS,
  models: PAPER_MODELS,
  base: {
    task: { symbols: 128, minLength: 8, maxLength: 64 },
    model: { controller: 'lstm', hidden: 256, embedding: 64, popBias: -1 },
    train: {
      steps: 20_000,
      batch: 10,
      optimiser: 'rmsprop',
      rate: 1e-3,
      clip: 'norm',
      clipAt: 1,
      lossPer: 'batch',
      evaluateEvery: 500,
      evaluateFrom: 65,
      evaluateLength: 128,
      stopAt: 1,
      patience: 10,
    },
  },
  ofTask: {},
  ofModel: {
    lstm1: { model: { memory: 'none', layers: 1 } },
    lstm2: { model: { memory: 'none', layers: 2 } },
    lstm4: { model: { memory: 'none', layers: 4 } },
    lstm8: { model: { memory: 'none', layers: 8 } },
    stack: { model: { memory: 'stack', width: 256, readout: 64 } },
    queue: { model: { memory: 'queue', width: 256, readout: 64 } },
    deque: { model: { memory: 'deque', width: 256, readout: 64 } },
  },
  ofCell: {},
};
