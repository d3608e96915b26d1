import { assign, type Config } from '../../base/config.ts';
import { preset } from '../../train/presets.ts';
import { differing } from '../settings/differences.ts';

/** The choices at the top of the page: task, memory and controller. All other settings follow from them. */
export interface Choice {
  task: (typeof TASKS)[number]['name'];
  memory: (typeof MEMORIES)[number]['name'];
  controller: (typeof CONTROLLERS)[number]['name'];
}

export const TASKS = [
  { name: 'reverse', label: 'Reverse', words: 'a b c → c b a' },
  { name: 'copy', label: 'Copy', words: 'a b c → a b c' },
  { name: 'bigram', label: 'Swap pairs', words: 'a b c d → b a d c' },
] as const;

export const MEMORIES = [
  { name: 'stack', label: 'stack', words: 'last in, first out' },
  { name: 'queue', label: 'queue', words: 'first in, first out' },
  { name: 'deque', label: 'deque', words: 'push and pop at both ends' },
  { name: 'none', label: 'no memory', words: 'the controller alone' },
] as const;

export const CONTROLLERS = [
  { name: 'rnn', label: 'small RNN', words: 'trains in seconds' },
  { name: 'lstm', label: 'LSTM', words: 'trains in about a minute' },
] as const;

/** Returns the settings of a choice: those of the default run for the RNN, those of the small table for the LSTM. */
export function configOf({ task, memory, controller }: Choice, seed = 0): Config {
  const config =
    controller === 'lstm'
      ? preset(`small/${task}/${memory === 'none' ? 'lstm1' : memory}`)
      : assign(preset('reverse'), [
          `task.name=${task}`,
          `model.memory=${memory}`,
          // As in the small table: a deque whose two ends start alike hides its oldest row.
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
 * Returns the choice that leads to this configuration, whatever the seed, or undefined if any other setting differs.
 */
export function choiceOf(config: Config): Choice | undefined {
  const { task, model, train } = config;
  const choice = CHOICES.find(
    one => one.task === task.name && one.memory === model.memory && one.controller === model.controller,
  );
  return choice && differing(config, configOf(choice, train.seed)).length === 0 ? choice : undefined;
}
