import { HEADER, WHOLE } from '../../shaders/lib/batch.wgsl.ts';
import { REPORT } from '../../shaders/metrics.wgsl.ts';
import type { Batch } from '../base/dims.ts';
import { InputError } from '../base/errors.ts';
import { entriesOf } from '../base/memories.ts';
import { type Gpu, UNIFORM } from '../gpu/device.ts';
import { MAX_SUMS } from '../gpu/profile.ts';
import type { Layout } from '../layout/layout.ts';
import { transposedOf } from '../layout/transposed.ts';
import type { BufferName } from './launch.ts';
import { maxRowSplits } from './plan.ts';

/** Number of slots in the ring of training reports. The slot after them is for evaluations. */
export const MAX_REPORTS = 1024;

/**
 * Offsets of all tensors in the two arenas for batches of up to B × T, in vec4s, and the sizes of the arenas in vec4s.
 */
function arenaOf(
  layout: Layout,
  B: number,
  T: number,
): { offsets: Record<string, number>; sizes: Record<'acts' | 'grads', number> } {
  const rows = { steps: B * T, 'steps and start': B * (T + 1), batch: B };
  const offsets: Record<string, number> = {};
  const sizes = { acts: 0, grads: 0 };
  for (const { name, arena, width4, rows: kind } of layout.tensors) {
    offsets[name] = sizes[arena];
    sizes[arena] += rows[kind] * width4;
  }
  return { offsets, sizes };
}

/** Words of a batch after its header: lengths, weights, ids, targets and noise. */
const dataWords = ({ C, E }: Layout, B: number, T: number, K: number): number =>
  2 * B + T * B * (K + 1 + C * E);

/** The numbers of an update that depend on the training step: see HEADER. */
export type UpdateNumbers = Record<'rate' | 'firstMomentScale' | 'secondMomentScale', number>;

/** Everything that depends on the size of a batch: the buffers, and the offsets of tensors in them. */
export interface BatchBuffers {
  /** Largest B, T and K that the buffers hold. */
  capacity: { B: number; T: number; K: number };
  buffers: Map<BufferName, GPUBuffer>;
  bytes: number;
  /** Offsets of the tensors in acts and grads, in vec4s. */
  offsets: Record<string, number>;
  /**
   * Fills `words` with the header and the batch. Returns the number of words used.
   * @param report slot of the report
   */
  write(batch: Batch, report: number, rowSplits: number, update: UpdateNumbers): number;
  words: Uint32Array<ArrayBuffer>;
}

/** Bytes of every buffer for batches of up to B × T with K inputs per step. */
function batchSizes(layout: Layout, B: number, T: number, K: number): [BufferName, number][] {
  const { offsets, sizes } = arenaOf(layout, B, T);
  const rows = B * T;
  const { spec, M4 } = layout;
  const memories = B * spec.memories;
  const entries = entriesOf(spec.memory, M4, T, spec.depth);
  return [
    ['batch', (HEADER.length + Object.keys(offsets).length + dataWords(layout, B, T, K)) * 4],
    ['acts', sizes.acts * 16],
    ['grads', sizes.grads * 16],
    ['slots', memories * entries.slots * 8],
    ['undoLog', memories * entries.undoLog * 16],
    ['dStrength', memories * entries.dStrength * 4],
    ['rowMetrics', rows * 16],
    ['autoencoderLoss', spec.autoencoder ? rows * 8 : 16],
  ];
}

/** @throws InputError naming the largest buffer if it does not fit, and the largest batch that would fit */
function checkSizes(gpu: Gpu, layout: Layout, B: number, T: number, K: number): void {
  const largestOf = (B: number): [BufferName, number] =>
    batchSizes(layout, B, T, K).reduce((a, b) => (b[1] > a[1] ? b : a));
  const [name, bytes] = largestOf(B);
  if (bytes <= gpu.largest) return;
  let [fits, fails] = [0, B];
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1;
    if (largestOf(middle)[1] <= gpu.largest) fits = middle;
    else fails = middle;
  }
  const advice = fits
    ? `a batch of up to ${fits} sequences of this length would fit`
    : 'not even one sequence of this length fits: use shorter sequences or a smaller model';
  throw new InputError(`${gpu.tooLarge(`${name} (B=${B}, T=${T})`, bytes)}: ${advice}.`);
}

/**
 * Allocates the buffers for batches of up to B × T with K inputs per step.
 * If the device runs out of memory, the next Gpu.check() throws.
 * @throws InputError if a buffer exceeds the limits of the device
 */
export function batchBuffers(gpu: Gpu, layout: Layout, B: number, T: number, K: number): BatchBuffers {
  const { offsets } = arenaOf(layout, B, T);
  const fields = [...HEADER, ...Object.keys(offsets)];
  const count = fields.length + dataWords(layout, B, T, K);
  // Check the sizes before allocating anything, because the error of this check also names a batch that would fit.
  checkSizes(gpu, layout, B, T, K);
  const allocated = allocate(gpu, batchSizes(layout, B, T, K), ` (B=${B}, T=${T})`);
  const words = new Uint32Array(count);
  const floats = new Float32Array(words.buffer);
  return {
    ...allocated,
    capacity: { B, T, K },
    words,
    offsets,
    write(batch, report, rowSplits, update): number {
      const { B, T, K } = batch;
      const at = {
        lengths: 0,
        weight: B,
        ids: 2 * B,
        targets: 2 * B + T * B * K,
        noise: 2 * B + T * B * (K + 1),
      };
      const header: Record<string, number> = {
        ...offsets,
        ...at,
        ...{ B, T, K, report, hasNoise: batch.noise ? 1 : 0, rowSplits },
        ...{ ...WHOLE, sliceTo: T },
      };
      for (const [k, field] of fields.entries()) words[k] = header[field] ?? 0;
      for (const [name, value] of Object.entries(update)) {
        floats[HEADER.indexOf(name as keyof UpdateNumbers)] = value;
      }
      const data = fields.length;
      words.set(batch.lengths, data + at.lengths);
      floats.set(batch.weight, data + at.weight);
      words.set(batch.ids, data + at.ids);
      words.set(batch.target, data + at.targets);
      if (batch.noise) floats.set(batch.noise, data + at.noise);
      return data + (batch.noise ? dataWords(layout, B, T, K) : at.noise);
    },
  };
}

/** Buffers that do not depend on the batch: parameters and copies of them, optimiser state, gradients and reports. */
export function modelBuffers(
  gpu: Gpu,
  layout: Layout,
): { buffers: Map<BufferName, GPUBuffer>; bytes: number } {
  const bytes = layout.size4 * 16;
  return allocate(gpu, [
    ['params', bytes],
    ['firstMoment', bytes],
    ['secondMoment', bytes],
    ['gradient', bytes],
    ['transposed', transposedOf(layout).size4 * 16],
    ['partial', bytes * maxRowSplits(layout)],
    ['norms', MAX_SUMS * 8],
    ['reports', (MAX_REPORTS + 1) * REPORT.length * 4],
  ]);
}

function allocate(
  gpu: Gpu,
  wanted: [BufferName, number][],
  note = '',
): { buffers: Map<BufferName, GPUBuffer>; bytes: number } {
  const buffers = new Map<BufferName, GPUBuffer>();
  let bytes = 0;
  try {
    for (const [name, size] of wanted) {
      const buffer = gpu.buffer(`${name}${note}`, size, UNIFORM);
      buffers.set(name, buffer);
      bytes += buffer.size;
    }
  } catch (error) {
    for (const buffer of buffers.values()) buffer.destroy();
    throw error;
  }
  return { buffers, bytes };
}
