import { InputError, show } from '../../base/errors.ts';
import { Rng, STREAM } from '../../base/rng.ts';
import type { Model } from '../../engine/engine.ts';
import { firstUnknown, parseData, type Side } from '../../tasks/data-file.ts';
import { normal, symbolFinder } from '../../tasks/symbols.ts';
import { formatSource, hasLength, parseSource, type Task } from '../../tasks/task.ts';
import { predict, trace } from '../../train/evaluate.ts';
import { pairNear } from '../memory/probe.ts';
import type { DataText, DecodedAnswer, PairsResult } from '../protocol.ts';

/** The worker's answers to questions about a model. */

/** Maximum numbers of source symbols to show in the picture, and to decode one by one, in reasonable time. */
const MAX_SHOWN = 200;
const MAX_DECODED = 400;
/** Maximum numbers of pairs to test, and to list. */
const MAX_TESTED = 1000;
const MAX_LISTED = 8;

/** Parses a source. @throws InputError if it cannot be read or has too many symbols */
function readSource(task: Task, text: string, max: number, what: string): number[] {
  const source = parseSource(task, text);
  if (source.length > max) {
    throw new InputError(`${what} is limited to sources of ${max} symbols, got ${source.length}.`);
  }
  return source;
}

export const shownSource = (task: Task, text: string): number[] =>
  readSource(task, text, MAX_SHOWN, 'the picture');

/** Draws a random source of about this length. @throws InputError unless it is a whole number from 1 to MAX_SHOWN */
export function drawSource(task: Task, length: number): readonly number[] {
  if (!Number.isInteger(length) || length < 1 || length > MAX_SHOWN) {
    throw new InputError(`the length must be a whole number from 1 to ${MAX_SHOWN}, got ${length}.`);
  }
  const seed = Math.floor(Math.random() * 2 ** 32);
  return pairNear(task, new Rng(seed, STREAM.sample), length).source;
}

/** Decodes the answer to a source. @throws InputError if the source cannot be read or has too many symbols */
export async function decodeAnswer(model: Model, task: Task, text: string): Promise<DecodedAnswer> {
  const source = readSource(task, text, MAX_DECODED, 'decoding symbol by symbol');
  const [{ outputs, ended, limit }] = await predict(model, task, [source]);
  const steps = await trace(model, task, source, outputs);
  const target = task.targetOf?.(source);
  const expected = target && [...target, ...(task.end === undefined ? [] : [task.end])];
  const first = task.targetStart(source.length);
  const last = task.end === undefined ? first + (task.targetLength?.(source) ?? source.length) : steps.length;
  const symbols = steps.slice(first, last).map(({ output, probability }, i) => ({
    output,
    probability,
    ...(expected && { expected: i < expected.length ? task.outputNames[expected[i]] : '·' }),
  }));
  const right =
    expected &&
    symbols.length === expected.length &&
    symbols.every(({ output, expected }) => output === expected);
  return { source: formatSource(task, source), symbols, ended, limit, ...(expected && { right }) };
}

/** Lengths to evaluate, relative to the longest trained length. */
const SHARES = [0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** Returns the lengths to evaluate, in order and without repetition; only lengths for which the task has sources. */
export function lengthsFor(task: Task, longest: number): number[] {
  const { lengthStep } = task;
  const near = SHARES.map(share => {
    const length = Math.max(1, Math.round((share * longest) / lengthStep)) * lengthStep;
    for (let off = 0; off < 2 * lengthStep + 2; off++) {
      const found = [length + off, length - off].find(length => hasLength(task, length, 'test'));
      if (found) return found;
    }
    return 0;
  });
  return [...new Set(near.filter(length => length > 0))].sort((a, b) => a - b);
}

/**
 * Tests a model on a file of pairs.
 * @param characters whether every character of the file is a symbol; always so if the task says so
 * @throws InputError if the file cannot be read, or has symbols that the model does not know
 */
export async function testOnPairs(
  model: Model,
  task: Task,
  { file, text }: DataText,
  characters = false,
): Promise<PairsResult> {
  const data = parseData(text, file, { characters: characters || Boolean(task.characters), heldOut: 0 });
  const check = (side: Side, known: readonly string[]): void => {
    const unknown = firstUnknown(data, side, known);
    if (!unknown) return;
    throw new InputError(
      `${file} line ${unknown.line}: ${show(unknown.symbol)} is not one of the ${side} symbols of task ${task.name} (${known.slice(0, 12).join(' ')}${known.length > 12 ? ' …' : ''}).`,
    );
  };
  check('source', task.symbolNames);
  check('target', task.outputNames);
  const sourceAt = data.sourceSymbols.map(name => symbolFinder(task.symbolNames)(name)!);
  const pairs = data.train.slice(0, MAX_TESTED);
  const sources = pairs.map(({ source }) => source.map(symbol => sourceAt[symbol]));
  const predictions = await predict(model, task, sources);
  const separator = task.characters ? '' : ' ';
  const rows = pairs.map(({ target }, i) => {
    const expected = target.map(symbol => data.targetSymbols[symbol]).join(separator);
    const { text: predicted, ended } = predictions[i];
    return {
      source: formatSource(task, sources[i]),
      target: expected,
      predicted: ended ? predicted : `${predicted} …`,
      right: ended && normal(predicted) === normal(expected),
    };
  });
  return {
    pairs: pairs.length,
    right: rows.filter(({ right }) => right).length,
    rows: [...rows.filter(({ right }) => !right), ...rows.filter(({ right }) => right)].slice(0, MAX_LISTED),
    omitted: data.train.length - pairs.length,
  };
}
