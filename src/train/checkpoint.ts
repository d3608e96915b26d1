import { type Config, MOMENTS, makeConfig } from '../base/config.ts';
import { crc32 } from '../base/crc32.ts';
import { InputError, messageOf, show } from '../base/errors.ts';
import { halfOf, numberOf } from '../base/half.ts';
import { parameters, type Tensors } from '../base/parameters.ts';
import type { Choices, ModelState } from '../engine/engine.ts';
import { type RunState, startPatience, startRun } from './run-state.ts';
import { setup } from './setup.ts';

/** A run at rest: everything that is needed to go on, bit for bit on the same engine. */
export interface Checkpoint {
  config: Config;
  /** Name of the engine that trained it. */
  engine: string;
  /** What that engine had chosen by measuring, if anything. */
  choices?: Choices;
  state: ModelState;
  run: RunState;
}

/**
 * A checkpoint is a file of the safetensors format, so that other tools can read the weights:
 *
 *   8 bytes: length of the header, little-endian · header: JSON, padded with spaces to 8 · data
 *   header: { name: { dtype, shape, data_offsets: [begin, end] }, …, __metadata__: { string: string } }
 *
 * Tensors: each parameter by its name, then `optimiser.mean.…` and `optimiser.square.…` where the optimiser
 * keeps them; a file of weights alone has none of these, and training goes on from it with moments of zero. F32, or F64
 * where a value is not exactly a float32 (the reference's), or F16 where that was asked for. The metadata have a checksum:
 * the CRC-32 of the whole file with its own eight digits as zeros.
 */
const MEAN = 'optimiser.mean.';
const SQUARE = 'optimiser.square.';
/** 1 had no checksum; up to 2 the reference's name was cpu. */
const VERSION = '3';
const READ = ['1', '2', VERSION];
const SIZE: Record<string, number> = { F16: 2, F32: 4, F64: 8 };

/** Whether any of the names is that of a moment. */
const hasMoments = (names: Iterable<string>): boolean =>
  [...names].some(name => name.startsWith(MEAN) || name.startsWith(SQUARE));

/** Name → shape of every tensor that a checkpoint of this configuration has. @param moments those of the optimiser too */
function shapesOf(config: Config, moments: boolean): Map<string, [number, number]> {
  const table = parameters(setup(config).spec);
  const { mean, square } = moments ? MOMENTS[config.train.optimiser] : { mean: false, square: false };
  const prefixes = ['', ...(mean ? [MEAN] : []), ...(square ? [SQUARE] : [])];
  return new Map(
    prefixes.flatMap(prefix =>
      table.map(({ name, shape }): [string, [number, number]] => [prefix + name, shape]),
    ),
  );
}

const tensorsOf = (state: ModelState): Tensors =>
  new Map([
    ...state.parameters,
    ...[...state.mean].map(([name, values]) => [MEAN + name, values] as const),
    ...[...state.square].map(([name, values]) => [SQUARE + name, values] as const),
  ]);

function checkNames(given: Iterable<string>, shapes: ReadonlyMap<string, unknown>): void {
  const names = new Set(given);
  for (const name of shapes.keys()) {
    if (!names.has(name))
      throw new InputError(`tensor "${name}" is missing: the configuration asks for ${shapes.size} tensors.`);
  }
  for (const name of names) {
    if (!shapes.has(name))
      throw new InputError(`tensor "${name}" does not belong to the configuration. Was it changed by hand?`);
  }
}

function checkFinite(name: string, values: Float64Array): void {
  const bad = values.findIndex(value => !Number.isFinite(value));
  if (bad >= 0)
    throw new InputError(`tensor "${name}" must have finite values, got ${values[bad]} at place ${bad}.`);
}

/**
 * Checks that a checkpoint's tensors are those of its configuration.
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
 * The file of a checkpoint. @param half its numbers rounded to 16 bits: for weights that are to be opened, not trained on
 * @throws InputError where its tensors do not fit its configuration or are not finite: no bad file is written
 */
export function encodeCheckpoint(checkpoint: Checkpoint, half = false): Uint8Array {
  checkState(checkpoint);
  const state = tensorsOf(checkpoint.state);
  const shapes = shapesOf(checkpoint.config, hasMoments(state.keys()));
  const tensors = [...state].map(([name, values]) => {
    const single = values.every(value => Object.is(Math.fround(value), value));
    return { name, values, dtype: half ? 'F16' : single ? 'F32' : 'F64' };
  });
  // The wider ones first keeps every tensor aligned.
  tensors.sort((a, b) => SIZE[b.dtype] - SIZE[a.dtype]);
  const header: Record<string, unknown> = {
    __metadata__: {
      format: 'pushdown',
      version: VERSION,
      engine: checkpoint.engine,
      step: String(checkpoint.state.step),
      seed: String(checkpoint.config.train.seed),
      config: JSON.stringify(checkpoint.config),
      run: JSON.stringify(checkpoint.run),
      ...(checkpoint.choices && { choices: JSON.stringify(checkpoint.choices) }),
      checksum: NO_CHECKSUM,
    },
  };
  let offset = 0;
  for (const { name, values, dtype } of tensors) {
    const end = offset + values.length * SIZE[dtype];
    header[name] = { dtype, shape: shapes.get(name), data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  bytes.set(text, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  let at = 8 + headerLength;
  for (const { values, dtype } of tensors) {
    for (const value of values) {
      if (dtype === 'F16') view.setUint16(at, halfOf(value), true);
      else if (dtype === 'F32') view.setFloat32(at, value, true);
      else view.setFloat64(at, value, true);
      at += SIZE[dtype];
    }
  }
  const place = placeOfChecksum(bytes, 8 + headerLength);
  bytes.set(new TextEncoder().encode(hex(crc32(bytes))), place);
  return bytes;
}

const NO_CHECKSUM = '00000000';
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** Where the eight digits stand: in no string of the other metadata, for quotes are escaped there. */
function placeOfChecksum(bytes: Uint8Array, begin: number): number {
  const key = '"checksum":"';
  return new TextDecoder('latin1').decode(bytes.subarray(0, begin)).lastIndexOf(key) + key.length;
}

/** @throws InputError where the file is not as it was written */
function checkSum(bytes: Uint8Array, begin: number, written: string): void {
  const place = placeOfChecksum(bytes, begin);
  const zeros = new TextEncoder().encode(NO_CHECKSUM);
  const sum = crc32(bytes.subarray(place + 8), crc32(zeros, crc32(bytes.subarray(0, place))));
  if (hex(sum) === written) return;
  throw new InputError(
    `the file is damaged, or was changed by hand: its checksum must be ${show(written)}, but its content has "${hex(sum)}".`,
  );
}

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what} must be JSON: ${messageOf(error)}. The file is damaged.`);
  }
}

/** The header, and where the data begins. */
function readHeader(bytes: Uint8Array): { header: Plain; begin: number } {
  if (bytes.length < 8) {
    throw new InputError(`a checkpoint has at least 8 bytes, got ${bytes.length}. Is it the right file?`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw new InputError(
      `the header should have ${length} bytes, but only ${bytes.length - 8} follow. The file is cut off, or no safetensors file.`,
    );
  }
  const begin = 8 + Number(length);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, begin));
  } catch {
    throw new InputError('the header must be UTF-8 text. The file is damaged, or no safetensors file.');
  }
  const header = parseJson(text, 'the header');
  if (!isPlain(header)) throw new InputError(`the header must be a JSON object, got ${show(header)}.`);
  return { header, begin };
}

/** Every field of `like` from JSON, a number each (or a flag where it is one there). */
function readNumbers<T extends object>(what: string, given: unknown, like: T): T {
  if (!isPlain(given)) throw new InputError(`${what} must be a JSON object, got ${show(given)}.`);
  const made: Plain = {};
  for (const [key, example] of Object.entries(like)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (isPlain(example)) made[key] = readNumbers(`${what}.${key}`, value, example);
    else if (typeof value === typeof example && (typeof value === 'boolean' || Number.isFinite(value)))
      made[key] = value;
    else throw new InputError(`${what}.${key} must be a ${typeof example}, got ${show(value)}.`);
  }
  return made as T;
}

function readRun(text: string, config: Config): RunState {
  const given = parseJson(text, 'run');
  // Files from before there was patience have none.
  const whole = isPlain(given) ? { patience: startPatience(), ...given } : given;
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

/** Names and words, as an engine wrote them: it looks whether they mean something to it. */
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

const readers = (view: DataView): Record<string, (at: number) => number> => ({
  F16: at => numberOf(view.getUint16(at, true)),
  F32: at => view.getFloat32(at, true),
  F64: at => view.getFloat64(at, true),
});

interface Entry {
  name: string;
  dtype: string;
  begin: number;
  end: number;
}

/** What to add where shapes do not fit: 0.1.0, which knew no layers, had other inputs for this task. */
const noteOn = (stored: unknown, { task }: Config): string =>
  task.name === 'reverse' && isPlain(stored) && isPlain(stored.model) && !('layers' in stored.model)
    ? ' (The reversal of pushdown 0.1.0 had one set of inputs for source and target: train it anew.)'
    : '';

/** Checks dtype, shape and place of one tensor of the header. */
function readEntry(name: string, given: unknown, shape: readonly number[], note: string): Entry {
  if (!isPlain(given)) throw new InputError(`tensor "${name}" must be a JSON object, got ${show(given)}.`);
  const { dtype, shape: got, data_offsets: offsets } = given;
  if (typeof dtype !== 'string' || !Object.hasOwn(SIZE, dtype)) {
    throw new InputError(`tensor "${name}" must have dtype F16, F32 or F64, got ${show(dtype)}.`);
  }
  if (!Array.isArray(got) || got.length !== 2 || got[0] !== shape[0] || got[1] !== shape[1]) {
    throw new InputError(
      `tensor "${name}" must have shape [${shape.join(', ')}], as its configuration says, got ${show(got)}.${note}`,
    );
  }
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0) {
    throw new InputError(`tensor "${name}" must have two whole data_offsets, got ${show(offsets)}.`);
  }
  const size = shape[0] * shape[1] * SIZE[dtype];
  if (end - begin !== size) {
    throw new InputError(`tensor "${name}" must have ${size} bytes of data, got ${end - begin}.`);
  }
  return { name, dtype, begin, end };
}

/** Checks that the tensors lie one behind the other and fill the data. */
function checkLayout(entries: readonly Entry[], dataLength: number): void {
  let filled = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (begin !== filled) {
      throw new InputError(
        `tensor "${name}" must begin at byte ${filled} of the data, got ${begin}: tensors ${begin < filled ? 'overlap' : 'leave a hole'}.`,
      );
    }
    filled = end;
  }
  if (filled !== dataLength) {
    throw new InputError(
      `the tensors take ${filled} bytes of data, but ${dataLength} are there. The file is ${filled > dataLength ? 'cut off' : 'damaged'}.`,
    );
  }
}

function metadataOf(header: Plain): (key: string) => string {
  const metadata = Object.hasOwn(header, '__metadata__') ? header['__metadata__'] : undefined;
  if (!isPlain(metadata) || metadata.format !== 'pushdown') {
    throw new InputError(
      'the file has no metadata of pushdown: it is a safetensors file, but of another program.',
    );
  }
  if (!READ.includes(metadata.version as string)) {
    throw new InputError(
      `the checkpoint must be of version ${READ.join(' or ')}, got ${show(metadata.version)}. It needs another version of pushdown.`,
    );
  }
  return key => {
    const value = metadata[key];
    if (typeof value !== 'string') {
      throw new InputError(`metadata "${key}" must be a string, got ${show(value)}. The file is damaged.`);
    }
    return value;
  };
}

/**
 * Reads the file of a checkpoint, and checks all of it.
 * @throws InputError saying what is wrong with it
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  try {
    return readCheckpoint(bytes);
  } catch (error) {
    // JSON nested so deeply that it cannot even be shown.
    if (error instanceof RangeError) throw new InputError(`the file is damaged: ${error.message}.`);
    throw error;
  }
}

function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { header, begin } = readHeader(bytes);
  const metadata = metadataOf(header);
  const stored = parseJson(metadata('config'), 'config');
  const config = makeConfig(stored);
  const given = Object.entries(header).filter(([name]) => name !== '__metadata__');
  const names = given.map(([name]) => name);
  const shapes = shapesOf(config, hasMoments(names));
  const step = Number(metadata('step'));
  if (metadata('step') === '' || !Number.isSafeInteger(step) || step < 0) {
    throw new InputError(`metadata "step" must be a whole number, got ${show(metadata('step'))}.`);
  }
  const run = readRun(metadata('run'), config);
  const choices = readChoices(header['__metadata__'] as Plain);

  checkNames(names, shapes);
  const entries = given.map(([name, entry]) =>
    readEntry(name, entry, shapes.get(name)!, noteOn(stored, config)),
  );
  checkLayout(entries, bytes.length - begin);

  // Sizes are checked against the file by now, so nothing is allocated that it does not hold.
  const view = new DataView(bytes.buffer, bytes.byteOffset + begin);
  const found: Tensors = new Map();
  for (const { name, dtype, begin: from, end } of entries) {
    const values = new Float64Array((end - from) / SIZE[dtype]);
    const read = readers(view)[dtype];
    for (let i = 0; i < values.length; i++) values[i] = read(from + SIZE[dtype] * i);
    checkFinite(name, values);
    found.set(name, values);
  }
  // In the order of the parameter table, whatever that of the file.
  const table = parameters(setup(config).spec);
  const take = (prefix: string): Tensors =>
    new Map(
      table.map(({ name, shape: [rows, columns] }) => [
        name,
        // Moments that a file of weights alone does not have.
        found.get(prefix + name) ?? new Float64Array(rows * columns),
      ]),
    );
  const has = MOMENTS[config.train.optimiser];
  const state = {
    step,
    parameters: take(''),
    mean: has.mean ? take(MEAN) : new Map(),
    square: has.square ? take(SQUARE) : new Map(),
  };
  // Last: what else is wrong says more.
  if (metadata('version') !== '1') checkSum(bytes, begin, metadata('checksum'));
  const old = metadata('version') !== VERSION && metadata('engine') === 'cpu';
  const engine = old ? 'reference' : metadata('engine');
  return { config, engine, ...(choices && { choices }), state, run };
}
