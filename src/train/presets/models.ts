import type { ModelConfig } from '../../base/config.ts';
import type { Over } from './grid.ts';

/** Controllers alone, and an RNN or an LSTM with each kind of memory: a column of the tables is a line. */
const COLUMNS: Readonly<Record<string, Partial<ModelConfig>>> = {
  rnn: { memory: 'none', controller: 'rnn' },
  lstm: { memory: 'none', controller: 'lstm' },
  superposition: { memory: 'superposition' },
  // A pop moves the tape's head back, so it must not start shut.
  tape: { memory: 'tape', popBias: 0 },
  stack: { memory: 'stack' },
  queue: { memory: 'queue' },
  deque: { memory: 'deque' },
};

/** The columns of `table chomsky` and `table cfl`. */
export const MODELS: readonly string[] = Object.keys(COLUMNS);

/** What each is, `over` what those with a memory have of their own. */
export const modelsWith = (over: Record<string, Over>): Record<string, Over> =>
  Object.fromEntries(
    Object.entries(COLUMNS).map(([name, model]) => [
      name,
      { model: { ...model, ...over[name]?.model }, train: { ...over[name]?.train } },
    ]),
  );
