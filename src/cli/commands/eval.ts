import { InputError, show } from '../../base/errors.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { type Evaluation, evaluate as evaluateAt } from '../../train/evaluate.ts';
import { openModel, readCheckpoint } from '../checkpoint.ts';
import { command, ENGINE_OPTION, engineName, JSON_OPTION, wholeNumber } from '../command.ts';
import { engineLine } from '../engine.ts';
import { EVALUATION_HEAD, evaluationRow } from '../format.ts';

const LONGEST = 100_000;
/** Symbols of the sources of one length: all are in memory at once, some hundred bytes for each. */
const MOST_SYMBOLS = 3e7;

export const evaluate = command({
  name: 'eval',
  operands: ['<checkpoint>'],
  summary: 'Measure a trained model by source length: how far beyond the trained lengths does it carry?',
  notes: `Coarse: share of sequences wholly right. Fine: share of symbols before the first error.
A checkpoint may be named by its folder. With --json: one object per length, the last one the result.`,
  options: {
    engine: ENGINE_OPTION,
    lengths: {
      type: 'string',
      value: '<1-64|1,2,4>',
      help: 'source lengths (default up to twice the trained)',
    },
    sequences: { type: 'string', value: '<n>', help: 'fresh sequences per length (default 256)' },
    seed: { type: 'string', value: '<n>', help: 'of the sequences (default that of the training)' },
    json: JSON_OPTION,
  },
  async run([path], options, io) {
    const name = engineName(options.engine);
    const sequences = wholeNumber('--sequences', options.sequences ?? '256', 1, 1_000_000);
    const asked = options.lengths === undefined ? undefined : parseLengths(options.lengths);
    const { file, checkpoint } = await readCheckpoint(path);
    const trained = checkpoint.config.train.seed;
    const seed =
      options.seed === undefined ? trained : wholeNumber('--seed', options.seed, 0, Number.MAX_SAFE_INTEGER);
    const lengths = asked ?? usualLengths(checkpoint);
    const greatest = lengths[lengths.length - 1];
    if (sequences * greatest > MOST_SYMBOLS) {
      throw new InputError(
        `--sequences must be at most ${Math.floor(MOST_SYMBOLS / greatest)} at length ${greatest}, got ${sequences}.`,
      );
    }
    const { engine, model, task } = await openModel(checkpoint, name);
    io.stderr.write(`${engineLine(engine)}\n`);
    if (!options.json) {
      const { step, steps } = { step: checkpoint.state.step, steps: checkpoint.config.train.steps };
      io.stdout.write(`${file} · step ${step} of ${steps} · trained to length ${longest(checkpoint)}\n`);
      io.stdout.write(`${EVALUATION_HEAD}\n`);
    }
    const evaluations: Evaluation[] = [];
    for (const length of lengths) {
      const evaluation = await evaluateAt(model, task, { length, sequences, seed });
      evaluations.push(evaluation);
      const line = options.json
        ? JSON.stringify({ kind: 'evaluation', ...evaluation })
        : evaluationRow(evaluation);
      io.stdout.write(`${line}\n`);
    }
    if (options.json) {
      const mean = (key: 'coarse' | 'fine' | 'accuracy' | 'loss') =>
        evaluations.reduce((sum, evaluation) => sum + evaluation[key], 0) / evaluations.length;
      const result = {
        kind: 'result',
        checkpoint: file,
        engine: engine.name,
        adapter: engine.adapter,
        step: checkpoint.state.step,
        sequences,
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

/** Up to twice the longest trained: all, or where they are many, some of them. */
function usualLengths(checkpoint: Checkpoint): number[] {
  const from = checkpoint.config.task.minLength;
  const to = 2 * longest(checkpoint);
  const every = Math.max(1, Math.ceil((to - from) / 20));
  const lengths = new Set([longest(checkpoint), to]);
  for (let length = from; length <= to; length += every) lengths.add(length);
  return [...lengths].sort((a, b) => a - b);
}

/**
 * `1-64`, `1,2,4`, `10` and mixtures of them, ascending, each once.
 * @throws InputError where it is anything else
 */
export function parseLengths(text: string): number[] {
  const lengths = new Set<number>();
  for (const part of text.split(',')) {
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
    for (let length = low; length <= high; length++) lengths.add(length);
  }
  return [...lengths].sort((a, b) => a - b);
}
