/**
 * The names of all tasks, without their code, for modules that need only the names. registry.ts has a task for each.
 */
export const TASK_NAMES = [
  // The paper.
  'copy',
  'reverse',
  'bigram',
  'svo-sov',
  'gender',
  // The Chomsky hierarchy.
  'even-pairs',
  'modular-arithmetic-simple',
  'parity-check',
  'cycle-navigation',
  'reverse-string',
  'stack-manipulation',
  'modular-arithmetic',
  'solve-equation',
  'duplicate-string',
  'missing-duplicate',
  'odds-first',
  'binary-addition',
  'binary-multiplication',
  'compute-sqrt',
  'bucket-sort',
  // Languages.
  'dyck',
  'dyck-words',
  'marked-reversal',
  'lm-marked-reversal',
  'lm-unmarked-reversal',
  'lm-padded-reversal',
  'lm-dyck',
  'lm-hardest-cfl',
  // The tutorial.
  'tutorial-part5',
  'tutorial-part6',
  // Your own data.
  'data',
] as const;

export type TaskName = (typeof TASK_NAMES)[number];

/** The name of the task of your own data. */
export const DATA = 'data' satisfies TaskName;
