import { assign, type Config } from '../../base/config.ts';
import { percent } from '../format.ts';
import { configOf } from './choices.ts';

/** Accuracies measured after the run of an experiment. */
export interface ExperimentResult {
  /** At the shortest and longest trained length, and at a longer one. */
  shortest: LengthAccuracy;
  longest: LengthAccuracy;
  beyond: LengthAccuracy;
}
export interface LengthAccuracy {
  length: number;
  /** Share of new sequences that were fully correct. */
  coarse: number;
}

/** A guided experiment: a run, what to watch during it, and a summary of the result. */
export interface Experiment {
  id: string;
  title: string;
  /** What to watch during the run. */
  hint: string;
  /** The configuration to train, or the name of a model of the gallery. */
  run: { config: Config } | { gallery: string };
  /** The longer length to evaluate, as a multiple of the longest trained length. */
  times: number;
  /** Describes the measurements in words. */
  summary(result: ExperimentResult): string;
}

/** Coarse accuracy from which a length counts as solved. */
const SOLVED = 0.99;
const accuracies = ({ shortest, longest, beyond }: ExperimentResult): string =>
  `Fully correct: ${percent(shortest.coarse)} at length ${shortest.length}, ${percent(longest.coarse)} at ${longest.length}, ${percent(beyond.coarse)} at ${beyond.length}.`;

/** For experiments that are expected to fail: fewer steps, and no restarts. */
const SHORT = ['train.steps=1500', 'train.restartAfter=0'];

export const EXPERIMENTS: readonly Experiment[] = [
  {
    id: 'queue',
    title: 'Can a queue reverse?',
    hint: 'Same network, same task, but the memory returns what was pushed first. In the picture, the frame stays at the oldest row, whatever the network pushes.',
    run: { config: assign(configOf({ task: 'reverse', memory: 'queue', controller: 'rnn' }), SHORT) },
    times: 2,
    summary: result =>
      `${accuracies(result)} ${
        result.beyond.coarse < SOLVED
          ? 'The answer starts with the last symbol, which is behind all others in a queue: a queue cannot reverse. Press “stack” or “Copy” above.'
          : 'It found a way: the picture shows how.'
      }`,
  },
  {
    id: 'lstm',
    title: 'What does an LSTM do without a memory?',
    hint: 'Its 32 hidden units are all it has to store a sequence. Compare short and long sequences in “Sample predictions”.',
    run: {
      config: assign(configOf({ task: 'reverse', memory: 'none', controller: 'lstm' }), ['train.steps=4000']),
    },
    times: 2,
    summary: result =>
      `${accuracies(result)} Its state can hold short sequences, but not long ones. Press “stack” above to give the same LSTM a stack.`,
  },
  {
    id: 'ten-times',
    title: 'Ten times as long',
    hint: 'A model that was trained on up to 16 symbols is tested on 160.',
    run: { gallery: 'reverse-rnn' },
    times: 10,
    summary: result =>
      `${accuracies(result)} It has learned a rule, not the sequences: with strengths near 0 and 1, a stack returns exact values at any depth.`,
  },
  {
    id: 'no-pop',
    title: 'Break it: no pop',
    hint: 'The bias of the pop head starts at −20, so nothing is popped. In the picture, rows pile up and the frame stays at the top.',
    run: {
      config: assign(configOf({ task: 'reverse', memory: 'stack', controller: 'rnn' }), [
        ...SHORT,
        'model.popBias=-20',
      ]),
    },
    times: 2,
    summary: result =>
      `${accuracies(result)} Without pops the read contains only the latest values, blended, and nothing below them: it can recall only a few symbols.`,
  },
];
