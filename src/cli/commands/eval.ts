import type { Config } from '../../base/config.ts';
import { InputError, show, unknown } from '../../base/errors.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import { engineLine } from '../../platform/names.ts';
import { pairsIn } from '../../tasks/data-facts.ts';
import { type Data, trainedShare } from '../../tasks/data-file.ts';
import { DATA } from '../../tasks/names.ts';
import { hasLength, type Split, type Task } from '../../tasks/task.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { type Evaluation, evaluate as evaluateAt } from '../../train/evaluate.ts';
import { setup, withVocabulary } from '../../train/setup.ts';
import { command, JSON_OPTION } from '../arguments/command.ts';
import { DATA_OPTION, dataOf, findDataFile } from '../arguments/data.ts';
import { ENGINE_OPTIONS, engineOf } from '../arguments/engine.ts';
import { wholeNumber } from '../arguments/number.ts';
import { isSameFile } from '../files/read.ts';
import { writeAtomic } from '../files/write.ts';
import { openModel, readCheckpoint } from '../run/checkpoint.ts';
import { EVALUATION_HEAD, evaluationRow, modelText } from '../show/format.ts';
import { accuracyPlot } from '../show/plot.ts';

/** Values of --split: all pairs of your own data, or one part of them. */
const SPLITS = ['all', 'train', 'validation', 'test'] as const;
/** Maximum source length. */
const MAX_LENGTH = 100_000;
/** Maximum symbols in all sources of one length. They are in memory together, with about a hundred bytes per symbol. */
const MAX_SYMBOLS = 3e7;

export const evaluate = command({
  name: 'eval',
  operands: ['<checkpoint>'],
  summary:
    'Measure the accuracy of a trained model by source length, including lengths beyond those in training',
  notes: `Coarse: the share of sequences that are correct in every symbol. Fine: the mean share of a target's symbols before its first error.
With your own data, every length is measured separately, then all lengths together. By default, the test part of the
data file that the model was trained on is measured, or all pairs of another file (--data); --split chooses another part, and --sequences limits the
number of pairs. The file must not contain symbols that the model does not know.
<checkpoint> may also be a run's folder. With --json: one object per length (with your own data, then one for
all lengths together), then the result: an object with the overall figures.`,
  options: {
    ...ENGINE_OPTIONS,
    lengths: {
      type: 'string',
      value: '<1-64|1,2,4>',
      help: 'source lengths (default: up to twice the longest in training; with your own data, all of its lengths)',
    },
    sequences: {
      type: 'string',
      value: '<n>',
      help: 'new sequences per length (default 256); with your own data, maximum pairs per length (default: all)',
    },
    data: DATA_OPTION,
    split: { type: 'string', value: `<${SPLITS.join('|')}>`, help: 'the part of your own data to measure' },
    seed: { type: 'string', value: '<n>', help: 'seed of the sequences (default: the seed of the run)' },
    plot: {
      type: 'string',
      value: '<file.svg>',
      help: 'draw accuracy against length, with the lengths used in training shaded',
    },
    json: JSON_OPTION,
  },
  async run([path], options, io) {
    const request = engineOf(options);
    const limit =
      options.sequences === undefined
        ? undefined
        : wholeNumber('--sequences', options.sequences, 1, 1_000_000);
    const split =
      options.split === undefined
        ? undefined
        : (SPLITS.find(known => known === options.split) ?? unknown('--split', options.split, SPLITS));
    if (options.plot === '') throw new InputError('--plot needs a file name, for example accuracy.svg.');
    const ranges = options.lengths === undefined ? undefined : parseRanges(options.lengths);
    const { file, checkpoint } = await readCheckpoint(path);
    const trainingSeed = checkpoint.config.train.seed;
    const seed =
      options.seed === undefined
        ? trainingSeed
        : wholeNumber('--seed', options.seed, 0, Number.MAX_SAFE_INTEGER);
    const chosen = await chooseData(checkpoint, file, options.data, split);
    const data = chosen?.data;
    const sequences = limit ?? (data ? Number.MAX_SAFE_INTEGER : 256);
    // Data that is measured as a whole is read with nothing held out: then every part contains all pairs.
    const part = chosen?.split === 'all' ? 'test' : (chosen?.split ?? 'test');
    const complete = withVocabulary(checkpoint.config, data);
    const lengths = lengthsFor(
      setup(complete, data, 'evaluate').task,
      ranges ?? defaultRanges(checkpoint, data),
      part,
      data,
    );
    const missing = options.lengths === undefined ? 0 : parseLengths(options.lengths).length - lengths.length;
    if (missing > 0) {
      io.stderr.write(`${missing} of the requested lengths have no sources and are left out\n`);
    }
    const longestLength = lengths[lengths.length - 1];
    // Your own data is already in memory, so it needs no limit.
    if (!data && sequences * longestLength > MAX_SYMBOLS) {
      throw new InputError(
        `--sequences must be at most ${Math.floor(MAX_SYMBOLS / longestLength)} at length ${longestLength}, got ${sequences}.`,
      );
    }
    const { engine, model, task } = await openModel(checkpoint, request, data);
    io.stderr.write(`${engineLine(engine)}\n`);
    if (!options.json) {
      const { step, steps } = { step: checkpoint.state.step, steps: checkpoint.config.train.steps };
      io.stdout.write(`${file} · step ${step} of ${steps} · trained to length ${longest(checkpoint)}\n`);
      if (chosen) io.stdout.write(`${chosen.description}\n`);
      io.stdout.write(`${EVALUATION_HEAD}\n`);
    }
    const evaluations: Evaluation[] = [];
    const measure = async (shortest: number, length: number): Promise<Evaluation> => {
      const evaluation = await evaluateAt(model, task, {
        shortest,
        length,
        sequences,
        seed,
        split: part,
      });
      const line = options.json
        ? JSON.stringify({ kind: 'evaluation', ...evaluation })
        : evaluationRow(evaluation);
      io.stdout.write(`${line}\n`);
      return evaluation;
    };
    for (const length of lengths) {
      evaluations.push(await measure(length, length));
      // Written after every length, so that a file that cannot be written is reported after the first.
      if (options.plot !== undefined) await writeAtomic(options.plot, plotOf(checkpoint, evaluations));
    }
    const overall = data && lengths.length > 1 ? await measure(lengths[0], longestLength) : undefined;
    if (options.json) {
      const mean = (key: 'coarse' | 'fine' | 'accuracy' | 'loss') =>
        overall?.[key] ??
        evaluations.reduce((sum, evaluation) => sum + evaluation[key], 0) / evaluations.length;
      const result = {
        kind: 'result',
        checkpoint: file,
        engine: engine.name,
        adapter: engine.adapter,
        step: checkpoint.state.step,
        sequences: overall?.sequences ?? (data ? evaluations[0].sequences : sequences),
        ...(chosen && { data: chosen.data.file, split: chosen.split, pairs: chosen.pairs }),
        seed,
        lengths: evaluations.map(({ length }) => length),
        coarse: mean('coarse'),
        fine: mean('fine'),
        accuracy: mean('accuracy'),
        loss: mean('loss'),
      };
      io.stdout.write(`${JSON.stringify(result)}\n`);
    }
    model.destroy();
    engine.destroy();
    return 0;
  },
});

const longest = ({ run }: Checkpoint): number => run.curriculum.length;

/** Your own data, and the part of it that is measured. */
interface Chosen {
  data: Data;
  split: 'all' | Split;
  /** Number of pairs in all parts together. */
  pairs: number;
  /** Describes both in a line. */
  description: string;
}

/**
 * Chooses the data to measure on and the part of it; undefined for tasks other than `data`. The default part is `all`
 * if the data lacks training pairs of the model (`other` and `overlaps` in RELATIONS), else `test`. If the model was
 * trained with nothing held out, it is always `all`.
 */
async function chooseData(
  { config, data: facts }: Checkpoint,
  file: string,
  other: string | undefined,
  requested: Chosen['split'] | undefined,
): Promise<Chosen | undefined> {
  if (requested !== undefined && config.task.name !== DATA) {
    throw new InputError(
      `--split is for task ${DATA}, but this task is ${config.task.name}: leave --split out.`,
    );
  }
  if (config.task.heldOut === 0 && requested !== undefined && requested !== 'all') {
    throw new InputError(
      `--split ${requested} needs a run that holds out pairs, but task.heldOut is 0 here: leave --split out to measure all pairs.`,
    );
  }
  // The file is first read without splitting it: an empty part is an error only if that part is to be measured.
  const whole = await dataOf(config, file, other, { heldOut: 0 });
  if (!whole) return undefined;
  const relation = await relationOf(config, facts, file, other, whole);
  const isOther = relation === 'other' || relation === 'overlaps';
  const split = config.task.heldOut === 0 ? 'all' : (requested ?? (isOther ? 'all' : 'test'));
  const data = split === 'all' ? whole : (await dataOf(config, file, other, { mayBeEmpty: true }))!;
  const pairs = pairsIn(whole.facts);
  if (split !== 'all' && data[split].length === 0) {
    throw new InputError(
      `the ${split} part of ${data.file} is empty (pairs in the file: ${pairs}): measure all pairs with --split all.`,
    );
  }
  const what =
    split === 'all' ? `all ${pairs} pairs` : `${split} part, ${data[split].length} of ${pairs} pairs`;
  const note = RELATIONS[relation];
  return { data, split, pairs, description: `data ${data.file} · ${what}${note && ` (${note})`}` };
}

/** How data is related to the data that the model was trained on, each with a note for the user. */
const RELATIONS = {
  same: '',
  grown: 'the training data and new pairs: --split all measures all pairs',
  overlaps: 'not the training data, but it shares some sources with it',
  other: 'not the training data',
  resplit:
    'the file has changed, and the run splits it by rank (task.splitBy): some training pairs may be measured',
  unknown: 'an old checkpoint, which does not record its training data: --split all measures all pairs',
} as const;

async function relationOf(
  { task }: Config,
  facts: Checkpoint['data'],
  namedIn: string,
  other: string | undefined,
  data: Data,
): Promise<keyof typeof RELATIONS> {
  if (facts?.digest === data.facts.digest) return 'same';
  const trainingFile =
    other === undefined ? undefined : await findDataFile(task.file, namedIn).catch(() => undefined);
  const isTrainingFile =
    other === undefined || (trainingFile !== undefined && (await isSameFile(trainingFile, other)));
  if (isTrainingFile) return facts && task.splitBy === 'rank' ? 'resplit' : 'same';
  if (!facts) return 'unknown';
  const share = trainedShare(data, facts);
  if (share === 1) return task.splitBy === 'rank' ? 'resplit' : 'grown';
  return share > 0 ? 'overlaps' : 'other';
}

function plotOf(checkpoint: Checkpoint, evaluations: readonly Evaluation[]): string {
  const { task, model } = checkpoint.config;
  const title = `${task.name} · ${modelText(model)} · step ${checkpoint.state.step}`;
  return accuracyPlot(evaluations, { trained: [task.minLength, longest(checkpoint)], title });
}

/** The default lengths: up to twice the longest in training; with your own data, all of its lengths. */
function defaultRanges(checkpoint: Checkpoint, data: Data | undefined): Range[] {
  if (data) return [[data.facts.shortest, data.facts.longest]];
  return [[checkpoint.config.task.minLength, 2 * longest(checkpoint), longest(checkpoint)]];
}

/** The lengths low … high. If `thinned` is given, only some lengths of a long range are used, including `thinned`. */
type Range = [low: number, high: number, thinned?: number];

/**
 * The lengths in these ranges that the task has.
 * @throws InputError for a range in which the task has no length
 */
function lengthsFor(task: Task, ranges: readonly Range[], part: Split, data: Data | undefined): number[] {
  const lengths = new Set<number>();
  for (const [low, high, thinned] of ranges) {
    const available: number[] = [];
    for (let length = low; length <= high; length++) {
      if (hasLength(task, length, part)) available.push(length);
    }
    if (available.length === 0 && data) {
      const { shortest, longest } = data.facts;
      throw new InputError(
        `--lengths ${low === high ? low : `${low}-${high}`}: ${data.file} has no such sources in part ${part}; its sources have ${shortest} to ${longest} symbols.`,
      );
    }
    // task.pair() throws an InputError with the reason.
    if (available.length === 0) task.pair(new Rng(0, STREAM.sample), low, high, part);
    const every = thinned === undefined ? 1 : Math.ceil(available.length / 21);
    available.forEach((length, i) => {
      if (i % every === 0 || i === available.length - 1 || length === thinned) lengths.add(length);
    });
  }
  return [...lengths].sort((a, b) => a - b);
}

/** Parses `1-64`, `1,2,4`, `10` and combinations into ascending lengths without duplicates. @throws InputError */
export function parseLengths(text: string): number[] {
  const lengths = new Set<number>();
  for (const [low, high] of parseRanges(text)) {
    for (let length = low; length <= high; length++) lengths.add(length);
  }
  return [...lengths].sort((a, b) => a - b);
}

function parseRanges(text: string): Range[] {
  return text.split(',').map(part => {
    const found = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    if (!found) {
      throw new InputError(
        `--lengths takes lengths and ranges, for example 1-64 or 1,2,4, got ${show(part.trim())}.`,
      );
    }
    const [low, high] = [Number(found[1]), Number(found[2] ?? found[1])];
    if (low < 1 || high > MAX_LENGTH) {
      throw new InputError(`--lengths must be between 1 and ${MAX_LENGTH}, got ${show(part.trim())}.`);
    }
    if (low > high)
      throw new InputError(`--lengths: the range ${show(part.trim())} goes backwards, write ${high}-${low}.`);
    return [low, high];
  });
}
