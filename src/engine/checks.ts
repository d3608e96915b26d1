import { type Batch, MASKED, NO_INPUT, ZERO_TARGET } from '../base/dims.ts';
import { InputError, show } from '../base/errors.ts';
import { controlCount, DEPTH, endsOfModel, MEMORY_NAMES, memoryKind, readsOf } from '../base/memories.ts';
import { type ModelSpec, parameters } from '../base/parameters.ts';
import type { MemoryShape, ModelState } from './engine.ts';

/** Checks of the arguments of an engine's calls. They are the same on every engine and run before any computation. */

function checkLength(name: string, array: ArrayLike<number>, expectedShape: string, expected: number): void {
  if (ArrayBuffer.isView(array)) checkBuffer(name, array);
  if (array.length !== expected) {
    throw new InputError(`${name} must have ${expectedShape} = ${expected} numbers, got ${array.length}.`);
  }
}

/** Rejects arrays in shared memory and detached arrays. */
function checkBuffer(name: string, { buffer }: ArrayBufferView): void {
  if (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer) {
    throw new InputError(
      `${name} is in shared memory, where another thread may change it during the call: pass a copy, array.slice().`,
    );
  }
  if (isDetached(buffer)) {
    throw new InputError(
      `${name} is detached: its buffer was transferred to another thread. Transfer a copy instead, array.slice().`,
    );
  }
}

/** Older browsers and Node 20 have no `detached` property. */
function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

/** Rejects arrays of other types: their bytes would be read as wrong numbers. */
function checkFloat32(name: string, array: unknown, expectedShape: string, expected: number): void {
  if (!(array instanceof Float32Array)) {
    const got = array === null || array === undefined ? String(array) : Object(array).constructor?.name;
    throw new InputError(
      `${name} must be a Float32Array of ${expectedShape} = ${expected} numbers, got ${got}.`,
    );
  }
  checkLength(name, array, expectedShape, expected);
}

/** @throws InputError unless the kind is known, B, T, M and depth are integers ≥ 1, and reads fits the kind */
export function checkMemoryShape(shape: MemoryShape): void {
  if (!MEMORY_NAMES.includes(shape.kind)) {
    throw new InputError(`memory kind must be one of ${MEMORY_NAMES.join(', ')}, got ${show(shape.kind)}.`);
  }
  for (const key of ['B', 'T', 'M'] as const) {
    if (!Number.isInteger(shape[key]) || shape[key] < 1) {
      throw new InputError(`memory shape: ${key} must be an integer ≥ 1, got ${String(shape[key])}.`);
    }
  }
  const { depth = DEPTH, reads = 1 } = shape;
  if (!Number.isInteger(depth) || depth < 1)
    throw new InputError(`memory shape: depth must be an integer ≥ 1, got ${String(depth)}.`);
  const max = memoryKind(shape.kind).rows ? 1 : depth;
  if (!Number.isInteger(reads) || reads < 1 || reads > max) {
    const why = max === depth ? 'its depth' : `a ${shape.kind} has one read per end`;
    throw new InputError(
      `memory shape: reads must be an integer from 1 to ${max} (${why}), got ${String(reads)}.`,
    );
  }
}

/** Extent of a call: whole sequences, arrays [B,T,E] and [B,T,E,M]; or one step, [B,E] and [B,E,M]. */
export type Span = 'sequences' | 'step';

/** The shape of the arrays of a call: T is 1 for a single step. */
const shapeOfCall = (shape: MemoryShape, span: Span): MemoryShape =>
  span === 'sequences' ? shape : { ...shape, T: 1 };

/**
 * Returns a memory's inputs by name: its controls and `value`.
 * @throws InputError naming the first array of the wrong type or length, or the first control that is negative or not
 * finite
 */
export function checkMemoryInputs(
  shape: MemoryShape,
  given: readonly Float32Array[],
  span: Span = 'sequences',
): Record<string, Float32Array> {
  const { kind, B, T, M } = shapeOfCall(shape, span);
  const { ends: E, controls } = memoryKind(kind);
  const expectedShape = shapeText(E, span);
  const named = [...controls.map(({ name }) => name), 'value'].map((name, k) => [name, given[k]] as const);
  for (const [name, array] of named) {
    if (name === 'value') checkFloat32(name, array, `${expectedShape}·M`, B * T * E * M);
    else checkFloat32(name, array, expectedShape, B * T * E);
  }
  for (const [name, strengths] of named.slice(0, -1)) {
    for (let n = 0; n < B * T * E; n++) {
      if (strengths[n] >= 0 && strengths[n] < Infinity) continue;
      const step = Math.floor(n / E);
      const at = [Math.floor(step / T), ...(span === 'step' ? [] : [step % T]), ...(E > 1 ? [n % E] : [])];
      throw new InputError(`${name}[${at}] must be a finite number ≥ 0, got ${strengths[n]}.`);
    }
  }
  return Object.fromEntries(named);
}

/** Checks dRead [B,T,Q,M], or [B,Q,M] for one step. @throws InputError if its type or length is wrong */
export function checkReadGradient(
  shape: MemoryShape,
  dRead: ArrayLike<number>,
  span: Span = 'sequences',
): void {
  const { kind, B, T, M, reads } = shapeOfCall(shape, span);
  const Q = readsOf(kind, reads);
  checkFloat32('dRead', dRead, `${shapeText(Q, span, reads ? 'k' : 'E')}·M`, B * T * Q * M);
}

/** Rejects recordSequences() or recordSteps() on an engine without a WebGPU device. */
export async function noDevice(call: string, engine: string): Promise<never> {
  throw new InputError(
    `${call}() records commands for a WebGPU device, and the engine ${engine} has none: open the engine gpu.`,
  );
}

/** The shape for messages, such as `B·T·E`. The last letter is omitted if its size is 1. */
const shapeText = (E: number, span: Span, letter = 'E'): string =>
  `B${span === 'step' ? '' : '·T'}${E > 1 ? `·${letter}` : ''}`;

/**
 * Checks that a batch has the shapes and ranges of base/dims.ts: lengths 1 … T, ids < D, targets < V, no ZERO_TARGET
 * with softmax. Does not check the padding after the end of a sequence.
 * @throws InputError naming the first wrong entry
 */
export function checkBatch(spec: ModelSpec, batch: Batch): void {
  const { B, T, K } = batch;
  checkLength('batch.lengths', batch.lengths, 'B', B);
  checkLength('batch.ids', batch.ids, 'T·B·K', T * B * K);
  checkLength('batch.target', batch.target, 'T·B', T * B);
  checkLength('batch.weight', batch.weight, 'B', B);
  const controls = controlCount(spec.memory);
  if (batch.noise)
    checkLength('batch.noise', batch.noise, `T·B·E·${controls}`, T * B * endsOfModel(spec) * controls);
  for (let b = 0; b < B; b++) {
    const length = batch.lengths[b];
    if (length < 1 || length > T) {
      throw new InputError(`batch.lengths[${b}] must be from 1 to T = ${T}, got ${length}.`);
    }
    for (let t = 0; t < length; t++) {
      const n = t * B + b;
      for (let k = 0; k < K; k++) {
        const id = batch.ids[n * K + k];
        if (id >= spec.inputs && id !== NO_INPUT) {
          throw new InputError(`batch.ids[${t},${b},${k}] must be below D = ${spec.inputs}, got ${id}.`);
        }
      }
      const target = batch.target[n];
      if (target === ZERO_TARGET && spec.output === 'softmax') {
        throw new InputError(
          `batch.target[${t},${b}] is ZERO_TARGET, which needs squared error: set model.output to tanh or sigmoid.`,
        );
      }
      if (target >= spec.outputs && target !== ZERO_TARGET && target !== MASKED) {
        throw new InputError(`batch.target[${t},${b}] must be below V = ${spec.outputs}, got ${target}.`);
      }
    }
  }
}

/** @throws InputError before the first training step */
export function checkStepped(stepped: boolean): void {
  if (!stepped) throw new InputError('gradients() needs a training step: call step() first.');
}

/**
 * Checks that a state has all tensors of the model with the right sizes. Moments may be absent.
 * @throws InputError naming the first tensor that does not fit
 */
export function checkState(spec: ModelSpec, state: ModelState): void {
  for (const { name, shape } of parameters(spec)) {
    const [rows, columns] = shape;
    const expectedShape = `${rows}·${columns}`;
    const w = state.parameters.get(name);
    if (!w)
      throw new InputError(`the state has no parameter ${name} (${expectedShape} numbers) of this model.`);
    checkLength(`parameter ${name}`, w, expectedShape, rows * columns);
    for (const moment of ['firstMoment', 'secondMoment'] as const) {
      const values = state[moment].get(name);
      if (values) checkLength(`${moment} of ${name}`, values, expectedShape, rows * columns);
    }
  }
}
