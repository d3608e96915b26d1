import {
  type Config,
  type ModelConfig,
  makeConfig,
  type TaskConfig,
  type TrainConfig,
} from '../../base/config.ts';
import { unknown } from '../../base/errors.ts';

/** Settings that override others: any keys of a configuration. */
export interface Overrides {
  task?: Partial<TaskConfig>;
  model?: Partial<ModelConfig>;
  train?: Partial<TrainConfig>;
}

/** The cells of a table, tasks × models: a configuration for every pair, derived from few settings. */
export interface Grid {
  name: string;
  /** In the order of the table's rows and columns. */
  tasks: readonly string[];
  models: readonly string[];
  /** Settings of all cells, then those of one task, of one model, and of one cell (`reverse/stack`). */
  base: Overrides;
  ofTask: Readonly<Record<string, Overrides>>;
  ofModel: Readonly<Record<string, Overrides>>;
  ofCell: Readonly<Record<string, Overrides>>;
}

/**
 * The configuration of one cell: base, overridden by the settings of its task, then its model, then the cell.
 * @throws InputError for an unknown task or model
 */
export function configOf(grid: Grid, task: string, model: string): Config {
  if (!grid.tasks.includes(task)) unknown(`task of ${grid.name}`, task, grid.tasks);
  if (!grid.models.includes(model)) unknown(`model of ${grid.name}`, model, grid.models);
  const overrides: Overrides[] = [
    { task: { name: task } },
    grid.base,
    grid.ofTask[task] ?? {},
    grid.ofModel[model] ?? {},
    grid.ofCell[`${task}/${model}`] ?? {},
  ];
  return makeConfig({
    task: Object.assign({}, ...overrides.map(({ task }) => task)),
    model: Object.assign({}, ...overrides.map(({ model }) => model)),
    train: Object.assign({}, ...overrides.map(({ train }) => train)),
  });
}

/** The range of source lengths at which a configuration is evaluated during training. */
export const evaluatedLengths = ({ task, train }: Config): [low: number, high: number] => {
  const high = train.evaluateLength || 2 * task.maxLength;
  return [train.evaluateFrom || high, high];
};
