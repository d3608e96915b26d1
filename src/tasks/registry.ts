import type { TaskConfig } from '../base/config.ts';
import { unknown } from '../base/errors.ts';
import { bigram } from './bigram.ts';
import { binaryAddition } from './binary-addition.ts';
import { binaryMultiplication } from './binary-multiplication.ts';
import { bucketSort } from './bucket-sort.ts';
import { computeSqrt } from './compute-sqrt.ts';
import { copy } from './copy.ts';
import { cycleNavigation } from './cycle-navigation.ts';
import { ownData } from './data.ts';
import type { Data } from './data-file.ts';
import { duplicateString } from './duplicate-string.ts';
import { dyck } from './dyck.ts';
import { dyckWords } from './dyck-words.ts';
import { evenPairs } from './even-pairs.ts';
import { gender } from './gender.ts';
import { lmDyck } from './lm-dyck.ts';
import { lmHardestCfl } from './lm-hardest-cfl.ts';
import { lmMarkedReversal } from './lm-marked-reversal.ts';
import { lmPaddedReversal } from './lm-padded-reversal.ts';
import { lmUnmarkedReversal } from './lm-unmarked-reversal.ts';
import { markedReversal } from './marked-reversal.ts';
import { missingDuplicate } from './missing-duplicate.ts';
import { modularArithmetic } from './modular-arithmetic.ts';
import { modularArithmeticSimple } from './modular-arithmetic-simple.ts';
import { DATA, TASK_NAMES, type TaskName } from './names.ts';
import { oddsFirst } from './odds-first.ts';
import { parityCheck } from './parity-check.ts';
import { reverse } from './reverse.ts';
import { reverseString } from './reverse-string.ts';
import { solveEquation } from './solve-equation.ts';
import { stackManipulation } from './stack-manipulation.ts';
import { svoSov } from './svo-sov.ts';
import type { Task } from './task.ts';
import { tutorialPart5, tutorialPart6 } from './tutorial.ts';

/** Every task by name. To add a task, add a file in this folder, a name in names.ts and a line here. */
const TASKS: Record<TaskName, (config: TaskConfig, data?: Data) => Task> = {
  copy,
  reverse,
  bigram,
  'svo-sov': svoSov,
  gender,
  'even-pairs': evenPairs,
  'modular-arithmetic-simple': modularArithmeticSimple,
  'parity-check': parityCheck,
  'cycle-navigation': cycleNavigation,
  'reverse-string': reverseString,
  'stack-manipulation': stackManipulation,
  'modular-arithmetic': modularArithmetic,
  'solve-equation': solveEquation,
  'duplicate-string': duplicateString,
  'missing-duplicate': missingDuplicate,
  'odds-first': oddsFirst,
  'binary-addition': binaryAddition,
  'binary-multiplication': binaryMultiplication,
  'compute-sqrt': computeSqrt,
  'bucket-sort': bucketSort,
  dyck,
  'dyck-words': dyckWords,
  'marked-reversal': markedReversal,
  'lm-marked-reversal': lmMarkedReversal,
  'lm-unmarked-reversal': lmUnmarkedReversal,
  'lm-padded-reversal': lmPaddedReversal,
  'lm-dyck': lmDyck,
  'lm-hardest-cfl': lmHardestCfl,
  'tutorial-part5': tutorialPart5,
  'tutorial-part6': tutorialPart6,
  [DATA]: ownData,
};

export const taskNames: readonly TaskName[] = TASK_NAMES;

/** Creates the task of a configuration. @throws InputError for an unknown name, or settings that the task does not allow */
export function makeTask(config: TaskConfig, data?: Data): Task {
  const name = taskNames.find(known => known === config.name) ?? unknown('task', config.name, taskNames);
  return TASKS[name](config, data);
}
