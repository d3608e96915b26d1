import type { Grid, Over } from './grid.ts';
import { PAPER_MODELS, PAPER_TASKS } from './paper.ts';

const lstm = (layers: number, hidden: number, steps: number): Over => ({
  model: { controller: 'lstm', hidden, layers, memory: 'none' },
  train: { steps, noise: 0, restartAfter: 0, rate: 0.01 },
});

/**
 * The paper's table shrunk until two cores without a GPU get through it: the settings that `small/…` presets and
 * `table paper --scale small` have. This is the one place to change them.
 *
 * Later lines lie over earlier ones: base, then that of the task, of the model, of the single cell.
 */
export const SMALL: Grid = {
  name: 'small',
  tasks: PAPER_TASKS,
  models: PAPER_MODELS,
  base: {
    task: { symbols: 8, minLength: 4, maxLength: 12 },
    model: { controller: 'rnn', hidden: 32, width: 8, popBias: -3 },
    train: {
      steps: 3000,
      batch: 32,
      optimiser: 'adam',
      rate: 0.01,
      clip: 'norm',
      clipAt: 1,
      noise: 1,
      evaluateEvery: 1000,
      evaluateFrom: 13,
      evaluateLength: 24,
      // All steps are made: strengths go on towards 0 and 1 after the tested lengths are right, and ten times the
      // trained length wants them there. What has not begun to use its memory by then begins anew.
      restartAfter: 750,
      restartAbove: 0.4,
    },
  },
  ofTask: {
    // Words of two kinds and a look ahead: a gated controller, which a little noise leaves its short memory.
    'svo-sov': {
      task: { symbols: 8 },
      model: { controller: 'gru', hidden: 24, popBias: -1 },
      train: { noise: 0.3, rate: 0.005, restartAbove: 1 },
    },
    gender: {
      task: { symbols: 16, minLength: 5 },
      model: { controller: 'gru', hidden: 24, popBias: -1 },
      train: { noise: 0.3, rate: 0.005, restartAbove: 1 },
    },
  },
  // The deeper, the slower on two cores: narrower, and fewer steps. They have no memory to be stuck without.
  ofModel: {
    lstm1: lstm(1, 24, 3000),
    lstm2: lstm(2, 20, 2000),
    lstm4: lstm(4, 16, 1500),
    lstm8: lstm(8, 16, 1500),
    stack: { model: { memory: 'stack' }, train: { maxRestarts: 2 } },
    queue: { model: { memory: 'queue' }, train: { maxRestarts: 2 } },
    deque: { model: { memory: 'deque' }, train: { maxRestarts: 2 } },
  },
  // Where the answer comes out in the order of the source, a deque has to push at one end and pop at the other. Both
  // ends starting alike, pushes at both hide the oldest row, and it stays with a short memory (0 of 28 starts learned
  // to copy, whatever biases, noise, rate or width); with one end's push nearly shut, 9 of 10 seeds did.
  ofCell: Object.fromEntries(
    ['copy', 'bigram', 'svo-sov', 'gender'].map(task => [`${task}/deque`, { model: { bottomPushBias: -4 } }]),
  ),
};
