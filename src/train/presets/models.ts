import type { ModelConfig } from '../../base/config.ts';
import type { Overrides } from './grid.ts';

/** Controllers alone, and a controller with each kind of memory: each line is a column of the tables. */
const COLUMNS: Readonly<Record<string, Partial<ModelConfig>>> = {
  rnn: { memory: 'none', controller: 'rnn' },
  lstm: { memory: 'none', controller: 'lstm' },
  superposition: { memory: 'superposition' },
  // popBias is the bias of the action `left`: with 0, all three actions have the same bias at the start.
  tape: { memory: 'tape', popBias: 0 },
  stack: { memory: 'stack' },
  queue: { memory: 'queue' },
  deque: { memory: 'deque' },
};

/** The columns of `table chomsky` and `table cfl`. */
export const MODELS: readonly string[] = Object.keys(COLUMNS);

/** The settings of every column. @param further settings of some columns, by name */
export const modelsWith = (further: Record<string, Overrides>): Record<string, Overrides> =>
  Object.fromEntries(
    Object.entries(COLUMNS).map(([name, model]) => [
      name,
      { model: { ...model, ...further[name]?.model }, train: { ...further[name]?.train } },
    ]),
  );
