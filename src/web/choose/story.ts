import type { Config } from '../../base/config.ts';
import type { MemoryName } from '../../base/memories.ts';
import { meanOf, type Profile } from '../../train/metrics.ts';
import { count, percent } from '../format.ts';

/** Describes a run in sentences: the task, the memory, the progress, and how the memory is used. */

const TASKS: Readonly<Record<string, string>> = {
  copy: 'to copy sequences',
  reverse: 'to reverse sequences',
  bigram: 'to swap the two symbols of each pair',
  'svo-sov': 'to move the verbs of sentences to the end',
  gender: 'to give articles the gender of their nouns',
  'reverse-string': 'to reverse strings',
  'stack-manipulation': 'to apply pushes and pops to a given stack',
  'duplicate-string': 'to write strings twice',
  'marked-reversal': 'to reverse the string before a marker',
  dyck: 'to predict which closing bracket is valid',
  'tutorial-part5': 'to reverse sequences of bits',
  'tutorial-part6': 'to reverse sequences of bits',
};

const CONTROLLERS: Readonly<Record<string, string>> = {
  rnn: 'A small recurrent network (RNN)',
  lstm: 'An LSTM',
  'lstm-coupled': 'An LSTM with coupled gates',
  gru: 'A GRU',
  feedforward: 'A feed-forward network',
};

const MEMORIES: Readonly<Record<MemoryName, string>> = {
  stack: 'neural stack',
  queue: 'neural queue',
  deque: 'neural deque',
  superposition: 'superposition stack',
  tape: 'tape',
};

/** `An LSTM of 32 units learns to reverse sequences with a neural stack, on sources of 4 to 16 symbols.` */
export function describeRun({ task, model }: Config): string {
  const goal =
    task.name === 'data'
      ? `the pairs of ${task.file || 'a file'}`
      : (TASKS[task.name] ?? `the task ${task.name}`);
  const memory =
    model.memory === 'none'
      ? 'without a memory besides its own state'
      : `with ${memoriesOf(model.memory, model.memories)}`;
  const layers = model.layers > 1 ? ` in ${model.layers} layers` : '';
  const network = CONTROLLERS[model.controller] ?? `A network (${model.controller})`;
  const lengths = `${task.minLength} to ${task.maxLength} symbols`;
  return `${network} of ${model.hidden} units${layers} learns ${goal} ${memory}, on sources of ${lengths}.`;
}

/** `a neural stack`, `2 tapes` */
const memoriesOf = (memory: MemoryName, count: number): string =>
  count === 1 ? `a ${MEMORIES[memory]}` : `${count} ${MEMORIES[memory]}s`;

/** The progress of a run; unknown numbers are NaN or undefined. */
export interface RunProgress {
  step: number;
  /** Share of sequences in the latest batches that were fully correct. */
  coarse: number;
  profile?: Profile;
}

/** Describes the progress, and how the memory is used. */
export function describeProgress({ model, train }: Config, { step, coarse, profile }: RunProgress): string {
  if (step === 0) return 'It has not been trained yet.';
  const done = `After ${count(step)} of at most ${count(train.steps)} steps`;
  const accuracy = Number.isFinite(coarse)
    ? `${done}, ${percent(coarse)} of its answers are fully correct.`
    : `${done}.`;
  const use = profile && describeUse(model.memory, profile);
  return use ? `${accuracy} ${use}` : accuracy;
}

/**
 * Describes the use of a stack or queue in one sentence. Returns '' for a deque or a tape, which can be used in several
 * ways.
 */
function describeUse(memory: Config['model']['memory'], profile: Profile): string {
  const name = { stack: 'stack', superposition: 'stack', queue: 'queue', deque: '', tape: '', none: '' }[
    memory
  ];
  if (!name) return '';
  const mean = (phase: 'reading' | 'writing', control: 'push' | 'pop') => meanOf(profile[phase], control);
  const [pushed, popped] = [mean('reading', 'push'), mean('writing', 'pop')];
  const [poppedEarly, pushedLate] = [mean('reading', 'pop'), mean('writing', 'push')];
  if (!Number.isFinite(pushed + popped)) return '';
  const uses = Math.min(pushed, popped) > 0.9 && Math.max(poppedEarly, pushedLate) < 0.1;
  if (uses) return `It has learned to use the ${name}: it pushes while reading and pops while writing.`;
  const partly = pushed - pushedLate > 0.3 || popped - poppedEarly > 0.3;
  const strengths = `push ${pushed.toFixed(2)} while reading, pop ${popped.toFixed(2)} while writing.`;
  return `It ${partly ? 'partly uses' : 'does not use'} the ${name}${partly ? '' : ' yet'}: ${strengths}`;
}
