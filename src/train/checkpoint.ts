import { type Config, MOMENTS } from '../base/config.ts';
import { InputError } from '../base/errors.ts';
import { parameters, type Tensors } from '../base/parameters.ts';
import type { Choices, ModelState } from '../engine/engine.ts';
import type { DataFacts } from '../tasks/data-facts.ts';
import { NO_CHECKSUM, verifyChecksum, writeChecksum } from './checkpoint/checksum.ts';
import {
  checkLayout,
  METADATA,
  readEntry,
  readHeader,
  readValues,
  type Shape,
  writeContainer,
} from './checkpoint/container.ts';
import { readMetadata, writeMetadata } from './checkpoint/metadata.ts';
import type { RunState } from './run-state.ts';
import { setup } from './setup.ts';

/** A run at one of its steps: everything needed to continue it, bit for bit on the same engine. */
export interface Checkpoint {
  config: Config;
  /** Name of the engine that trained the model. */
  engine: string;
  /** Tuning choices that the engine made by measurement, if any. */
  choices?: Choices;
  state: ModelState;
  run: RunState;
  /** Facts about the training data, for task `data`. */
  data?: DataFacts;
}

/**
 * A checkpoint is a safetensors file (`checkpoint/container.ts`), so that other tools can read the weights.
 *
 * Its tensors are the parameters by name, then `optimiser.firstMoment.…` and `optimiser.secondMoment.…` if the
 * optimiser has them. A file with weights only has no moments, and training continues from it with moments of zero. The
 * dtype is F32; F64 for values that float32 cannot represent exactly (the reference engine's); F16 on request.
 * Everything else is metadata (`checkpoint/metadata.ts`), including a checksum (`checkpoint/checksum.ts`).
 */

/** Up to version 4, the moments were called `optimiser.mean.…` and `optimiser.square.…`. */
const OLD_PREFIXES: readonly [string, string][] = [
  ['optimiser.mean.', 'optimiser.firstMoment.'],
  ['optimiser.square.', 'optimiser.secondMoment.'],
];
const currentName = (name: string): string => {
  const [old, current] = OLD_PREFIXES.find(([prefix]) => name.startsWith(prefix)) ?? ['', ''];
  return current + name.slice(old.length);
};

const FIRST = 'optimiser.firstMoment.';
const SECOND = 'optimiser.secondMoment.';

/** Whether any of the names is the name of a moment. */
const hasMoments = (names: Iterable<string>): boolean =>
  [...names].some(name => name.startsWith(FIRST) || name.startsWith(SECOND));

/**
 * The shape of every tensor in a checkpoint of this configuration, by name. @param moments include the optimiser's
 * moments
 */
function shapesOf(config: Config, moments: boolean): Map<string, Shape> {
  const table = parameters(setup(config).spec);
  const { firstMoment, secondMoment } = moments
    ? MOMENTS[config.train.optimiser]
    : { firstMoment: false, secondMoment: false };
  const prefixes = ['', ...(firstMoment ? [FIRST] : []), ...(secondMoment ? [SECOND] : [])];
  return new Map(
    prefixes.flatMap(prefix => table.map(({ name, shape }): [string, Shape] => [prefix + name, shape])),
  );
}

const tensorsOf = (state: ModelState): Tensors =>
  new Map([
    ...state.parameters,
    ...[...state.firstMoment].map(([name, values]) => [FIRST + name, values] as const),
    ...[...state.secondMoment].map(([name, values]) => [SECOND + name, values] as const),
  ]);

/** The inverse of tensorsOf, in the order of the parameter table. Missing moments are zeros. */
function stateOf(config: Config, step: number, tensors: Tensors): ModelState {
  const table = parameters(setup(config).spec);
  const withPrefix = (prefix: string): Tensors =>
    new Map(
      table.map(({ name, shape: [rows, columns] }) => [
        name,
        tensors.get(prefix + name) ?? new Float64Array(rows * columns),
      ]),
    );
  const has = MOMENTS[config.train.optimiser];
  return {
    step,
    parameters: withPrefix(''),
    firstMoment: has.firstMoment ? withPrefix(FIRST) : new Map(),
    secondMoment: has.secondMoment ? withPrefix(SECOND) : new Map(),
  };
}

function checkNames(given: Iterable<string>, shapes: ReadonlyMap<string, unknown>): void {
  const names = new Set(given);
  for (const name of shapes.keys()) {
    if (!names.has(name))
      throw new InputError(`tensor "${name}" is missing: the configured model has ${shapes.size} tensors.`);
  }
  for (const name of names) {
    if (!shapes.has(name))
      throw new InputError(
        `tensor "${name}" is not one of the configured model. Was the file edited by hand?`,
      );
  }
}

function checkFinite(name: string, values: Float64Array): void {
  const bad = values.findIndex(value => !Number.isFinite(value));
  if (bad >= 0)
    throw new InputError(`tensor "${name}" must have finite values, got ${values[bad]} at index ${bad}.`);
}

/**
 * Checks that a checkpoint has exactly the tensors of its configuration, with the right shapes and finite values.
 * @throws InputError naming the tensor
 */
export function checkState({ config, state }: Checkpoint): void {
  const tensors = tensorsOf(state);
  const shapes = shapesOf(config, hasMoments(tensors.keys()));
  checkNames(tensors.keys(), shapes);
  for (const [name, values] of tensors) {
    const [rows, columns] = shapes.get(name)!;
    if (values.length !== rows * columns) {
      throw new InputError(
        `tensor "${name}" must have shape [${rows}, ${columns}], got ${values.length} values.`,
      );
    }
    checkFinite(name, values);
  }
}

/**
 * Encodes a checkpoint as a file.
 * @param half round the tensors to 16 bits: for weights that will not be trained further
 * @throws InputError if a tensor does not fit the configuration, is not finite, or is too large for 16 bits, so that no
 * bad file is written
 */
export function encodeCheckpoint(checkpoint: Checkpoint, half = false): Uint8Array {
  checkState(checkpoint);
  const tensors = tensorsOf(checkpoint.state);
  const shapes = shapesOf(checkpoint.config, hasMoments(tensors.keys()));
  const metadata = writeMetadata({ ...checkpoint, step: checkpoint.state.step });
  const { file, begin } = writeContainer(
    { ...metadata, checksum: NO_CHECKSUM },
    [...tensors].map(([name, values]) => {
      if (half && values.some(value => Math.abs(value) >= 65_520)) {
        throw new InputError(
          `tensor "${name}" has values of ±65,520 or beyond, which do not fit in 16 bits.`,
        );
      }
      const fitsFloat32 = values.every(value => Object.is(Math.fround(value), value));
      return { name, shape: shapes.get(name)!, values, dtype: half ? 'F16' : fitsFloat32 ? 'F32' : 'F64' };
    }),
  );
  writeChecksum(file, begin);
  return file;
}

/**
 * Decodes the file of a checkpoint, and checks all of it.
 * @throws InputError that says what is wrong with the file
 */
export function decodeCheckpoint(file: Uint8Array): Checkpoint {
  try {
    return readCheckpoint(file);
  } catch (error) {
    // A limit of the JavaScript engine, such as the depth of the stack or the length of an array.
    if (error instanceof RangeError) throw new InputError(`the file is damaged: ${error.message}.`);
    throw error;
  }
}

function readCheckpoint(file: Uint8Array): Checkpoint {
  const { header, begin } = readHeader(file);
  const { config, engine, choices, step, run, data, checksum, shapeNote } = readMetadata(header);
  const given = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => [currentName(name), entry] as const);
  const names = given.map(([name]) => name);
  const shapes = shapesOf(config, hasMoments(names));
  checkNames(names, shapes);
  const entries = given.map(([name, entry]) => readEntry(name, entry, shapes.get(name)!, shapeNote));
  // Sizes are checked against the length of the file first, so that a damaged header cannot cause huge allocations.
  checkLayout(entries, file.length - begin);
  const tensors: Tensors = new Map();
  for (const entry of entries) {
    const values = readValues(file, begin, entry);
    checkFinite(entry.name, values);
    tensors.set(entry.name, values);
  }
  // Checked last, because every other message is more specific.
  if (checksum !== undefined) verifyChecksum(file, begin, checksum);
  const state = stateOf(config, step, tensors);
  return { config, engine, ...(choices && { choices }), state, run, ...(data && { data }) };
}
