import { type Config, KEYS } from '../../base/config.ts';
import { memoryKind } from '../../base/memories.ts';
import { DATA } from '../../tasks/names.ts';

/** The label of a field on the page. The limits come from FIELDS, the help from FIELD_HELP. */
export interface FieldLabels {
  label: string;
  unit?: string;
  /** Returns false if the field has no meaning under the other settings. It is hidden then. */
  applies?(config: Config): boolean;
}

export interface Section {
  title: string;
  fields: Record<string, FieldLabels>;
}

const ownData = ({ task }: Config): boolean => task.name === DATA;
const hasMemory = ({ model }: Config): boolean => model.memory !== 'none';
const hasCells = (config: Config): boolean => hasMemory(config) && !memoryKind(config.model.memory).rows;
const adam = ({ train }: Config): boolean => train.optimiser.startsWith('adam');
const grows = ({ train }: Config): boolean => train.growEvery > 0;
const restarts = ({ train }: Config): boolean => train.restartAfter > 0;

/** Every field once, in display order, except the seed, which is beside the preset. */
export const SECTIONS: readonly Section[] = [
  {
    title: 'Task',
    fields: {
      'task.name': { label: 'Task' },
      'task.symbols': { label: 'Alphabet', unit: 'symbols', applies: config => !ownData(config) },
      'task.minLength': { label: 'Shortest source', unit: 'symbols' },
      'task.maxLength': { label: 'Longest source', unit: 'symbols' },
      'task.characters': { label: 'Characters are symbols', applies: ownData },
      'task.heldOut': { label: 'Held out', unit: 'share', applies: ownData },
    },
  },
  {
    title: 'Memory',
    fields: {
      'model.memory': { label: 'Memory' },
      'model.memories': { label: 'Memories', applies: hasMemory },
      'model.width': { label: 'Row width M', unit: 'numbers', applies: hasMemory },
      'model.depth': {
        label: 'Cells',
        applies: hasCells,
      },
      'model.reads': {
        label: 'Cells read',
        applies: hasCells,
      },
      'model.headGain': { label: 'Gain of the heads', applies: hasMemory },
      'model.pushBias': { label: 'Push bias', unit: 'logit', applies: hasMemory },
      'model.bottomPushBias': {
        label: 'Push bias, bottom',
        unit: 'logit',
        applies: ({ model }) => model.memory === 'deque',
      },
      'model.popBias': { label: 'Pop bias', unit: 'logit', applies: hasMemory },
    },
  },
  {
    title: 'Controller',
    fields: {
      'model.controller': { label: 'Controller' },
      'model.layers': { label: 'Layers L' },
      'model.hidden': { label: 'Hidden width H', unit: 'numbers' },
      'model.projection': { label: "Width of o'", unit: 'numbers' },
      'model.embedding': { label: 'Embedding width', unit: 'numbers' },
      'model.readout': { label: 'Readout width', unit: 'numbers' },
      'model.output': { label: 'Output' },
      'model.autoencoder': { label: 'Auto-encoder heads' },
      'model.start': { label: 'Initial state' },
      'model.init': { label: 'Initial weights' },
      'model.forgetBias': {
        label: 'Forget bias',
        unit: 'logit',
        applies: ({ model }) => model.controller === 'lstm',
      },
    },
  },
  {
    title: 'Training',
    fields: {
      'train.steps': { label: 'Max. steps', unit: 'steps' },
      'train.batch': { label: 'Batch B', unit: 'sequences' },
      'train.optimiser': { label: 'Optimiser' },
      'train.rate': { label: 'Learning rate' },
      'train.rateHalfLife': { label: 'Rate half-life', unit: 'steps' },
      'train.rateHold': {
        label: 'Constant rate for',
        unit: 'steps',
        applies: ({ train }) => train.rateHalfLife > 0,
      },
      'train.beta1': { label: 'β₁', applies: adam },
      'train.beta2': { label: 'β₂', applies: ({ train }) => train.optimiser !== 'sgd' },
      'train.epsilon': { label: 'ε', applies: ({ train }) => train.optimiser !== 'sgd' },
      'train.weightDecay': { label: 'Weight decay', applies: ({ train }) => train.optimiser === 'adamw' },
      'train.clip': { label: 'Clip gradients' },
      'train.clipAt': { label: 'Clip at', applies: ({ train }) => train.clip !== 'none' },
      'train.lossPer': { label: 'Loss per' },
      'train.noise': { label: 'Push and pop noise', unit: 'logit', applies: hasMemory },
      'train.noiseAfter': {
        label: 'Noise starts after',
        unit: 'steps',
        applies: ({ train }) => train.noise > 0,
      },
      'train.noiseSteps': {
        label: 'Noise decays over',
        unit: 'steps',
        applies: ({ train }) => train.noise > 0,
      },
      'train.pushBiasGrowth': { label: 'Push bias growth', unit: 'per step', applies: hasMemory },
    },
  },
  {
    title: 'Curriculum and restarts',
    fields: {
      'train.growEvery': { label: 'Check growth every', unit: 'sequences' },
      'train.growBelowPerLength': { label: 'Grow below, per length', unit: 'error', applies: grows },
      'train.growBelow': { label: 'Grow below', unit: 'error', applies: grows },
      'train.growAfter': { label: 'Grow after', unit: 'sequences', applies: grows },
      'train.restartAfter': { label: 'Restart after', unit: 'steps' },
      'train.restartAbove': { label: 'Restart above', unit: 'loss', applies: restarts },
      'train.maxRestarts': { label: 'Max. restarts', applies: restarts },
    },
  },
  {
    title: 'Evaluation and stopping',
    fields: {
      'train.reportEvery': { label: 'Report every', unit: 'steps' },
      'train.evaluateEvery': { label: 'Evaluate every', unit: 'steps' },
      'train.evaluateLength': { label: 'Evaluate at', unit: 'symbols' },
      'train.evaluateFrom': { label: 'Evaluate from', unit: 'symbols' },
      'train.stopAt': { label: 'Stop at', unit: 'coarse accuracy' },
      'train.stopPasses': {
        label: 'Evaluations at that accuracy',
        unit: 'in a row',
        applies: ({ train }) => train.stopAt > 0,
      },
      'train.patience': { label: 'Patience', unit: 'evaluations' },
    },
  },
];

/** Settings derived from the data, which users cannot set. */
export const VOCABULARY: readonly string[] = ['task.sourceSymbols', 'task.targetSymbols'];

/** More settings derived from the data. They were added later: the checksums of earlier links do not include them. */
export const DERIVED: readonly string[] = ['task.longestTarget', 'task.splitBy'];

export const FROM_DATA: readonly string[] = [...VOCABULARY, ...DERIVED];

/** Keys without a field in the form. */
const WITHOUT_FIELD: readonly string[] = ['task.file', ...FROM_DATA];

export const SEED: FieldLabels = { label: 'Seed' };

const LABELS = new Map<string, FieldLabels>([
  ['train.seed', SEED],
  ...SECTIONS.flatMap(({ fields }) => Object.entries(fields)),
]);

/** Returns the label of a key, such as `Hidden width H`, or its last part if it has none. */
export const labelOf = (key: string): string => LABELS.get(key)?.label ?? key.split('.').at(-1)!;

/** Returns the keys that should have a label but have none. A test checks that there are none. */
export const unlabelledKeys = (): string[] =>
  KEYS.filter(key => !LABELS.has(key) && !WITHOUT_FIELD.includes(key));

/** Returns the first key that a message names; else `task.name` if it contains the word task, or ''. */
export function keyIn(message: string): string {
  const found = KEYS.filter(key => message.includes(key)).sort(
    (a, b) => message.indexOf(a) - message.indexOf(b) || b.length - a.length,
  );
  return found[0] ?? (/\btask\b/.test(message) ? 'task.name' : '');
}
