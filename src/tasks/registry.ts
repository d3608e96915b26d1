import type { TaskConfig } from '../base/config.ts';
import { unknown } from '../base/errors.ts';
import { reverse } from './reverse.ts';
import type { Task } from './task.ts';
import { tutorialPart5, tutorialPart6 } from './tutorial.ts';

/** Every task by name. A new task is a file beside this one and a line here. */
const TASKS: ReadonlyMap<string, (config: TaskConfig) => Task> = new Map([
  ['reverse', reverse],
  ['tutorial-part5', tutorialPart5],
  ['tutorial-part6', tutorialPart6],
]);

export const taskNames: readonly string[] = [...TASKS.keys()];

/** @throws InputError for an unknown name */
export function makeTask(config: TaskConfig): Task {
  const make = TASKS.get(config.name) ?? unknown('task', config.name, taskNames);
  return make(config);
}
