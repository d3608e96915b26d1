import { assign, type Config } from '../../base/config.ts';
import { percent } from '../format.ts';
import { configOf } from './choices.ts';

/** Measurements after the run of an experiment. */
export interface Found {
  /**
   * Share of new sequences that were fully correct: at the shortest and longest trained length, and at a longer one.
   */
  shortest: Measured;
  longest: Measured;
  beyond: Measured;
}
export interface Measured {
  length: number;
  coarse: number;
}

/** A guided experiment: a run, what to watch during it, and a summary of the result. */
export interface Experiment {
  id: string;
  title: string;
  /** What to watch during the run. */
  look: string;
  /** The configuration to train, or the name of a model of the gallery. */
  run: { config: Config } | { gallery: string };
  /** The longer length to evaluate, as a multiple of the longest trained length. */
  times: number;
  /** Describes the measurements in words. */
  result(found: Found): string;
}

const RIGHT = 0.99;
const told = ({ shortest, longest, beyond }: Found): string =>
  `Fully correct: ${percent(shortest.coarse)} at length ${shortest.length}, ${percent(longest.coarse)} at ${longest.length}, ${percent(beyond.coarse)} at ${beyond.length}.`;

const short = ['train.steps=1500', 'train.restartAfter=0'];

export const EXPERIMENTS: readonly Experiment[] = [
  {
    id: 'queue',
    title: 'Can a queue reverse?',
    look: 'Same network, same task, but the memory returns what was pushed first. In the picture, the frame stays at the oldest row, whatever the network pushes.',
    run: { config: assign(configOf({ task: 'reverse', memory: 'queue', controller: 'rnn' }), short) },
    times: 2,
    result: found =>
      `${told(found)} ${
        found.beyond.coarse < RIGHT
          ? 'The answer starts with the last symbol, which a queue has behind all others: it cannot reverse. Press “stack” or “Copy” above.'
          : 'It found a way: the picture shows how.'
      }`,
  },
  {
    id: 'lstm',
    title: 'What does an LSTM do without a memory?',
    look: 'Its 32 cells are all it has to store a sequence. Compare short and long sequences in “Sample predictions”.',
    run: {
      config: assign(configOf({ task: 'reverse', memory: 'none', controller: 'lstm' }), ['train.steps=4000']),
    },
    times: 2,
    result: found =>
      `${told(found)} Its state can hold short sequences, but not long ones. Press “stack” above to give the same LSTM a stack.`,
  },
  {
    id: 'ten-times',
    title: 'Ten times as long',
    look: 'A model that was trained on up to 16 symbols is tested on 160.',
    run: { gallery: 'reverse-rnn' },
    times: 10,
    result: found =>
      `${told(found)} It has learned a rule and not the sequences: with strengths near 0 and 1, a stack returns exact values at any depth.`,
  },
  {
    id: 'no-pop',
    title: 'Break it: no pop',
    look: 'The bias of the pop head is −20, so nothing is popped. In the picture, rows pile up and the frame stays at the top.',
    run: {
      config: assign(configOf({ task: 'reverse', memory: 'stack', controller: 'rnn' }), [
        ...short,
        'model.popBias=-20',
      ]),
    },
    times: 2,
    result: found =>
      `${told(found)} Without pops the read contains only the latest values, blended, and nothing below them: it can recall only a few symbols.`,
  },
];
