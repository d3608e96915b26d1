import type { Config } from '../../base/config.ts';
import { InputError, show } from '../../base/errors.ts';
import { isPlain, type Plain } from '../../base/plain.ts';
import type { Choices } from '../../engine/engine.ts';
import { type DataFacts, SAMPLE } from '../../tasks/data-facts.ts';
import { type RunState, startPatience, startRun } from '../run-state.ts';
import { storedConfig } from '../setup.ts';
import { METADATA } from './container.ts';
import { parseJson, readNumbers } from './json.ts';

/** Writes and reads the metadata of a checkpoint: everything but the tensors. Reads the formats of earlier versions. */

/**
 * Version 1 had no checksum; up to 2, the reference engine was called cpu; up to 3, there were no facts about the data;
 * up to 4, the moments, the projection and `initialisedAt` had other names.
 */
const VERSION = '5';
const READABLE = ['1', '2', '3', '4', VERSION];

export interface Metadata {
  config: Config;
  engine: string;
  choices?: Choices;
  step: number;
  run: RunState;
  data?: DataFacts;
  /** Undefined in files of version 1. */
  checksum?: string;
  /** Appended to the message if a tensor has the wrong shape. */
  shapeNote: string;
}

/** The metadata as strings, without the checksum. */
export function writeMetadata({
  config,
  engine,
  choices,
  step,
  run,
  data,
}: Omit<Metadata, 'checksum' | 'shapeNote'>): Record<string, string> {
  return {
    format: 'pushdown',
    version: VERSION,
    engine,
    step: String(step),
    seed: String(config.train.seed),
    config: JSON.stringify(config),
    run: JSON.stringify(run),
    ...(data && { data: JSON.stringify(data) }),
    ...(choices && { choices: JSON.stringify(choices) }),
  };
}

/** Parses the metadata. @throws InputError naming the entry that cannot be read */
export function readMetadata(header: Plain): Metadata {
  const metadata = metadataOf(header);
  const text = (key: string): string => {
    const value = metadata[key];
    if (typeof value === 'string') return value;
    throw new InputError(`metadata "${key}" must be a string, got ${show(value)}. The file is damaged.`);
  };
  const stored = parseJson(text('config'), 'config');
  const config = storedConfig(stored);
  const step = readStep(text('step'));
  const run = readRun(text('run'), config);
  const choices = readChoices(metadata);
  const data = readFacts(metadata);
  const version = text('version');
  const engine = text('engine');
  return {
    config,
    engine: ['1', '2'].includes(version) && engine === 'cpu' ? 'reference' : engine,
    ...(choices && { choices }),
    step,
    run,
    ...(data && { data }),
    ...(version !== '1' && { checksum: text('checksum') }),
    shapeNote: shapeNoteOf(stored, config),
  };
}

function metadataOf(header: Plain): Plain {
  const metadata = Object.hasOwn(header, METADATA) ? header[METADATA] : undefined;
  if (!isPlain(metadata) || metadata.format !== 'pushdown') {
    throw new InputError('the file has no pushdown metadata: it is a safetensors file from another program.');
  }
  if (!READABLE.includes(metadata.version as string)) {
    throw new InputError(
      `the checkpoint must have version ${READABLE.join(' or ')}, got ${show(metadata.version)}. Use the version of pushdown that wrote it.`,
    );
  }
  return metadata;
}

function readStep(text: string): number {
  const step = Number(text);
  if (text === '' || !Number.isSafeInteger(step) || step < 0) {
    throw new InputError(`metadata "step" must be a whole number, got ${show(text)}.`);
  }
  return step;
}

function readRun(text: string, config: Config): RunState {
  const given = parseJson(text, 'run');
  // Older files have no patience state, and two of their fields have other names.
  const whole = isPlain(given)
    ? { patience: startPatience(), initialisedAt: given.begun, badStreak: given.badRun, ...given }
    : given;
  const run = readNumbers('run', whole, startRun(config));
  const { minLength } = config.task;
  const { length } = run.curriculum;
  if (!Number.isInteger(length) || length < minLength || length > 1e6) {
    throw new InputError(
      `run.curriculum.length must be a whole number from ${minLength} to 1000000, got ${length}.`,
    );
  }
  return run;
}

function readFacts(metadata: Plain): DataFacts | undefined {
  if (!Object.hasOwn(metadata, 'data')) return undefined;
  const given = typeof metadata.data === 'string' ? parseJson(metadata.data, 'data') : metadata.data;
  const like = { train: 0, validation: 0, test: 0, shortest: 0, longest: 0, digest: 0 };
  const numbers = readNumbers('data', given, like);
  const sample: unknown = isPlain(given) ? given.sample : undefined;
  if (!Array.isArray(sample) || sample.length > SAMPLE || !sample.every(Number.isSafeInteger)) {
    throw new InputError(
      `data.sample must be a list of at most ${SAMPLE} whole numbers, got ${show(sample)}.`,
    );
  }
  return { ...numbers, sample };
}

/** Strings that an engine wrote. The engine decides whether they still apply. */
function readChoices(metadata: Plain): Choices | undefined {
  if (!Object.hasOwn(metadata, 'choices')) return undefined;
  const given = typeof metadata.choices === 'string' && parseJson(metadata.choices, 'choices');
  if (!isPlain(given) || !Object.values(given).every(value => typeof value === 'string')) {
    throw new InputError(
      `metadata "choices" must be a JSON object of strings, got ${show(metadata.choices)}.`,
    );
  }
  return given as Choices;
}

/**
 * In version 0.1.0 the reversal task had other inputs. Its configurations are recognised by the missing key
 * model.layers.
 */
const shapeNoteOf = (stored: unknown, { task }: Config): string =>
  task.name === 'reverse' && isPlain(stored) && isPlain(stored.model) && !('layers' in stored.model)
    ? ' (In pushdown 0.1.0 the reversal task had one set of inputs for source and target: train a new model.)'
    : '';
