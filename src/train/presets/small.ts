import type { Grid, Overrides } from './grid.ts';
import { PAPER_MODELS, PAPER_TASKS } from './paper.ts';

const lstm = (layers: number, hidden: number, steps?: number): Overrides => ({
  model: { hidden, layers, memory: 'none' },
  train: { ...(steps && { steps }), noise: 0 },
});

const memory = (kind: 'stack' | 'queue' | 'deque'): Overrides => ({ model: { memory: kind } });

/**
 * The paper's table, reduced until a cell takes seconds: the settings of the `small/…` presets and of
 * `table paper --scale small`. This is the one place to change them.
 *
 * Later settings override earlier ones: base, then those of the task, of the model, of the single cell.
 */
export const SMALL: Grid = {
  name: 'small',
  tasks: PAPER_TASKS,
  models: PAPER_MODELS,
  base: {
    task: { symbols: 8, minLength: 4, maxLength: 12 },
    model: { controller: 'lstm', hidden: 32, width: 16, popBias: -1, forgetBias: 0 },
    // All steps are run: strengths keep approaching 0 and 1 after the model is correct at the tested lengths, and
    // sequences of ten times the trained length need that. Noise drives them there, and makes a queue learn sooner.
    train: {
      steps: 12_000,
      batch: 10,
      optimiser: 'rmsprop',
      beta2: 0.9,
      rate: 2e-3,
      clip: 'norm',
      clipAt: 1,
      lossPer: 'batch',
      noise: 0.5,
      evaluateEvery: 1000,
      evaluateFrom: 13,
      evaluateLength: 24,
    },
  },
  ofTask: {
    copy: { train: { steps: 6000 } },
    reverse: { train: { steps: 6000 } },
    // Sentences of a dozen words have too few relative clauses in them to learn the rule from.
    'svo-sov': { task: { maxLength: 24 }, train: { steps: 20_000, evaluateFrom: 25, evaluateLength: 48 } },
    gender: { task: { minLength: 5 } },
  },
  ofModel: {
    lstm1: lstm(1, 32),
    lstm2: lstm(2, 32),
    // Fewer steps: deeper models are slower.
    lstm4: lstm(4, 32, 6000),
    lstm8: lstm(8, 32, 3000),
    stack: memory('stack'),
    queue: memory('queue'),
    deque: memory('deque'),
  },
  ofCell: {
    // With noise of 0.5 or 1 from the start, an LSTM never learns to use the stack (0 of 8 seeds). Noise that starts
    // after it has learned drives the strengths to 0 and 1.
    'reverse/stack': { train: { noiseAfter: 3500 } },
    'reverse/deque': { train: { noiseAfter: 3500 } },
    // Where the target is nearly in the order of the source, a deque has to push at one end and pop at the other. If
    // both ends start alike, it pushes at both, which buries the oldest row; with one end's push near 0 it learns to
    // use both.
    ...Object.fromEntries(
      ['copy', 'bigram', 'svo-sov', 'gender'].map(task => [
        `${task}/deque`,
        { model: { bottomPushBias: -3 } },
      ]),
    ),
  },
};
