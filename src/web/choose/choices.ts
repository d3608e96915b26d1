import { assign, type Config } from '../../base/config.ts';
import { preset } from '../../train/presets.ts';
import { differing } from '../settings/differences.ts';

/** The choices at the top of the page: task, memory and controller. They determine all other settings. */
export interface Choice {
  task: (typeof TASKS)[number]['name'];
  memory: (typeof MEMORIES)[number]['name'];
  controller: (typeof CONTROLLERS)[number]['name'];
}

export const TASKS = [
  { name: 'reverse', label: 'Reverse', title: 'a b c → c b a' },
  { name: 'copy', label: 'Copy', title: 'a b c → a b c' },
  { name: 'bigram', label: 'Swap pairs', title: 'a b c d → b a d c' },
] as const;

export const MEMORIES = [
  { name: 'stack', label: 'stack', title: 'last in, first out' },
  { name: 'queue', label: 'queue', title: 'first in, first out' },
  { name: 'deque', label: 'deque', title: 'push and pop at both ends' },
  { name: 'none', label: 'no memory', title: 'the controller alone' },
] as const;

export const CONTROLLERS = [
  { name: 'rnn', label: 'small RNN', title: 'trains in seconds' },
  { name: 'lstm', label: 'LSTM', title: 'trains in about ten seconds' },
] as const;

/** Returns the settings of a choice: those of the default run for the RNN, those of the small table for the LSTM. */
export function configOf({ task, memory, controller }: Choice, seed = 0): Config {
  const config =
    controller === 'lstm'
      ? preset(`small/${task}/${memory === 'none' ? 'lstm1' : memory}`)
      : assign(preset('reverse'), [
          `task.name=${task}`,
          `model.memory=${memory}`,
          // As in the small table. If both ends of a deque start with the same push strength, the controller pushes at
          // both and buries the oldest row.
          ...(memory === 'deque' && task !== 'reverse' ? ['model.bottomPushBias=-3'] : []),
          ...(memory === 'none' ? ['train.noise=0'] : []),
        ]);
  config.train.seed = seed;
  return config;
}

/** All possible choices. */
export const CHOICES: readonly Choice[] = TASKS.flatMap(({ name: task }) =>
  MEMORIES.flatMap(({ name: memory }) =>
    CONTROLLERS.map(({ name: controller }) => ({ task, memory, controller })),
  ),
);

/**
 * Returns the choice that leads to this configuration with any seed, or undefined if there is none.
 */
export function choiceOf(config: Config): Choice | undefined {
  const { task, model, train } = config;
  const choice = CHOICES.find(
    choice =>
      choice.task === task.name && choice.memory === model.memory && choice.controller === model.controller,
  );
  return choice && differing(config, configOf(choice, train.seed)).length === 0 ? choice : undefined;
}
