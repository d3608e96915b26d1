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
import { EVALUATION_HEAD, evaluationRow, modelWords } from '../show/format.ts';
import { accuracyPlot } from '../show/plot.ts';

/** Parts of your own data. */
const SPLITS = ['all', 'train', 'validation', 'test'] as const;
const LONGEST = 100_000;
/** Symbols of the sources of one length: all are in memory at once, some hundred bytes for each. */
const MOST_SYMBOLS = 3e7;

export const evaluate = command({
  name: 'eval',
  operands: ['<checkpoint>'],
  summary: 'Measure a trained model by source length: how far beyond the trained lengths does it carry?',
  notes: `Coarse: share of sequences wholly right. Fine: share of symbols before the first error.
Your own data: by the lengths that are there and as a whole, all pairs unless --sequences says how many at most. Of the
data trained on it is the test part; of another file (--data), all of it; --split says which part. Its symbols must be
those of the model, but need not be all of them.
A checkpoint may be named by its folder. With --json: one object per length, the last one the result.`,
  options: {
    ...ENGINE_OPTIONS,
    lengths: {
      type: 'string',
      value: '<1-64|1,2,4>',
      help: 'source lengths (default up to twice the trained)',
    },
    sequences: {
      type: 'string',
      value: '<n>',
      help: 'fresh sequences per length (default 256); of your own data, pairs at most (default all)',
    },
    data: DATA_OPTION,
    split: { type: 'string', value: `<${SPLITS.join('|')}>`, help: 'which part of your own data' },
    seed: { type: 'string', value: '<n>', help: 'of the sequences (default that of the training)' },
    plot: {
      type: 'string',
      value: '<file.svg>',
      help: 'draw accuracy against length, trained lengths shaded',
    },
    json: JSON_OPTION,
  },
  async run([path], options, io) {
    const asked = engineOf(options);
    const limit =
      options.sequences === undefined
        ? undefined
        : wholeNumber('--sequences', options.sequences, 1, 1_000_000);
    const split =
      options.split === undefined
        ? undefined
        : (SPLITS.find(one => one === options.split) ?? unknown('--split', options.split, SPLITS));
    if (options.plot === '')
      throw new InputError('--plot needs the name of a file, for example accuracy.svg.');
    const ranges = options.lengths === undefined ? undefined : parseRanges(options.lengths);
    const { file, checkpoint } = await readCheckpoint(path);
    const trained = checkpoint.config.train.seed;
    const seed =
      options.seed === undefined ? trained : wholeNumber('--seed', options.seed, 0, Number.MAX_SAFE_INTEGER);
    const chosen = await partOf(checkpoint, file, options.data, split);
    const data = chosen?.data;
    const sequences = limit ?? (data ? Number.MAX_SAFE_INTEGER : 256);
    const part = chosen?.split === 'all' ? 'test' : (chosen?.split ?? 'test');
    const known = withVocabulary(checkpoint.config, data);
    const { task: measured } = setup(known, data, 'evaluate');
    const lengths = lengthsFor(measured, ranges ?? usualRanges(checkpoint, data), part);
    const greatest = lengths[lengths.length - 1];
    // Of your own data no more is taken than there is.
    if (!data && sequences * greatest > MOST_SYMBOLS) {
      throw new InputError(
        `--sequences must be at most ${Math.floor(MOST_SYMBOLS / greatest)} at length ${greatest}, got ${sequences}.`,
      );
    }
    const { engine, model, task } = await openModel(checkpoint, asked, data);
    io.stderr.write(`${engineLine(engine)}\n`);
    if (!options.json) {
      const { step, steps } = { step: checkpoint.state.step, steps: checkpoint.config.train.steps };
      io.stdout.write(`${file} · step ${step} of ${steps} · trained to length ${longest(checkpoint)}\n`);
      if (chosen) io.stdout.write(`${chosen.words}\n`);
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
      // From the first length on: a file that cannot be written is not found out after the last.
      if (options.plot !== undefined) await writeAtomic(options.plot, plotOf(checkpoint, evaluations));
    }
    const over = data && lengths.length > 1 ? await measure(lengths[0], greatest) : undefined;
    if (options.json) {
      const mean = (key: 'coarse' | 'fine' | 'accuracy' | 'loss') =>
        over?.[key] ?? evaluations.reduce((sum, evaluation) => sum + evaluation[key], 0) / evaluations.length;
      const result = {
        kind: 'result',
        checkpoint: file,
        engine: engine.name,
        adapter: engine.adapter,
        step: checkpoint.state.step,
        sequences: over?.sequences ?? (data ? evaluations[0].sequences : sequences),
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

/** What of your own data is measured. */
interface Chosen {
  data: Data;
  split: 'all' | Split;
  /** In all parts. */
  pairs: number;
  words: string;
}

/**
 * The data to measure on, and the part of it: undefined for a task that is no data. Of what the model was trained on, by
 * default the test part; of another file, all.
 */
async function partOf(
  { config, data: facts }: Checkpoint,
  file: string,
  other: string | undefined,
  asked: Chosen['split'] | undefined,
): Promise<Chosen | undefined> {
  if (asked !== undefined && config.task.name !== DATA) {
    throw new InputError(
      `--split is for task ${DATA}, but the task here is ${config.task.name}: leave it out.`,
    );
  }
  // Undivided: a part may be empty, which matters only where that part is asked for.
  const whole = await dataOf(config, file, other, { heldOut: 0 });
  if (!whole) return undefined;
  const relation = await relationOf(config, facts, file, other, whole);
  const ofOther = relation === 'other' || relation === 'overlaps';
  const split = config.task.heldOut === 0 ? 'all' : (asked ?? (ofOther ? 'all' : 'test'));
  const data = split === 'all' ? whole : (await dataOf(config, file, other, { mayBeEmpty: true }))!;
  const pairs = pairsIn(whole.facts);
  if (split !== 'all' && data[split].length === 0) {
    throw new InputError(
      `the ${split} part of ${data.file} is empty, of ${pairs} pairs in all: --split all measures all of it.`,
    );
  }
  const what =
    split === 'all' ? `all ${pairs} pairs` : `${split} part, ${data[split].length} of ${pairs} pairs`;
  const note = RELATIONS[relation];
  return { data, split, pairs, words: `data ${data.file} · ${what}${note && ` (${note})`}` };
}

/** How data relates to what the model was trained on, and a note on it. */
const RELATIONS = {
  same: '',
  grown: 'it contains the training data and new pairs: --split all measures all of them',
  overlaps: 'not the training data, but it shares sources with it',
  other: 'not the training data',
  moved:
    'the file has changed, and the run splits it by rank (task.splitBy): training pairs may be among them',
  unknown:
    'the checkpoint is too old to tell whether this is the training data: --split all measures all of it',
} as const;

async function relationOf(
  { task }: Config,
  facts: Checkpoint['data'],
  namedIn: string,
  other: string | undefined,
  data: Data,
): Promise<keyof typeof RELATIONS> {
  if (facts?.digest === data.facts.digest) return 'same';
  const own = other === undefined ? undefined : await findDataFile(task.file, namedIn).catch(() => undefined);
  const isOwn = other === undefined || (own !== undefined && (await isSameFile(own, other)));
  if (isOwn) return facts && task.splitBy === 'rank' ? 'moved' : 'same';
  if (!facts) return 'unknown';
  const share = trainedShare(data, facts);
  if (share === 1) return task.splitBy === 'rank' ? 'moved' : 'grown';
  return share > 0 ? 'overlaps' : 'other';
}

function plotOf(checkpoint: Checkpoint, evaluations: readonly Evaluation[]): string {
  const { task, model } = checkpoint.config;
  const title = `${task.name} · ${modelWords(model)} · step ${checkpoint.state.step}`;
  return accuracyPlot(evaluations, { trained: [task.minLength, longest(checkpoint)], title });
}

/** Up to twice the longest trained; of your own data, all that there is. */
function usualRanges(checkpoint: Checkpoint, data: Data | undefined): Range[] {
  if (data) {
    return [[data.facts.shortest, data.facts.longest]];
  }
  return [[checkpoint.config.task.minLength, 2 * longest(checkpoint), longest(checkpoint)]];
}

/** From and to, and where only some of many are wanted, one that must be among them. */
type Range = [low: number, high: number, among?: number];

/**
 * The lengths of these ranges that the task has. A length on its own must be one that it has.
 * @throws InputError where there is none
 */
function lengthsFor(task: Task, ranges: readonly Range[], part: Split): number[] {
  const lengths = new Set<number>();
  for (const [low, high, among] of ranges) {
    const there: number[] = [];
    for (let length = low; length <= high; length++) {
      if (hasLength(task, length, part)) there.push(length);
    }
    // Says why.
    if (there.length === 0) task.pair(new Rng(0, STREAM.sample), low, high, part);
    const every = among === undefined ? 1 : Math.ceil(there.length / 21);
    there.forEach((length, i) => {
      if (i % every === 0 || i === there.length - 1 || length === among) lengths.add(length);
    });
  }
  return [...lengths].sort((a, b) => a - b);
}

/** `1-64`, `1,2,4`, `10` and mixtures of them, ascending, each once. @throws InputError where it is anything else */
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
    if (low < 1 || high > LONGEST) {
      throw new InputError(`--lengths must lie between 1 and ${LONGEST}, got ${show(part.trim())}.`);
    }
    if (low > high)
      throw new InputError(`--lengths: the range ${show(part.trim())} goes backwards, write ${high}-${low}.`);
    return [low, high];
  });
}
