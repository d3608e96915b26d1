import { REPORT } from '../../shaders/metrics.wgsl.ts';
import { memoryKind } from '../base/memories.ts';
import type { BatchBuffers } from '../kernels/arena.ts';
import type { Layout } from '../layout/layout.ts';
import { allStrengths } from '../layout/strengths.ts';
import type { Forward, StepReport } from './engine.ts';

/** Locates the results and reports of a batch in the device's buffers, and converts them. */

/** Part of a buffer, for Gpu.read(). */
export interface Part {
  buffer: GPUBuffer;
  offset?: number;
  bytes: number;
}

export const REPORT_BYTES = REPORT.length * 4;

/** The report of a batch of B sequences, from a slot of the buffer `reports`. */
export function reportOf(all: Float32Array, slot: number, B: number): StepReport {
  const value = (name: (typeof REPORT)[number]): number => all[slot * REPORT.length + REPORT.indexOf(name)];
  return {
    objective: value('objective'),
    loss: value('loss'),
    targets: value('targets'),
    symbols: value('symbols'),
    correct: value('correct'),
    sequences: B,
    coarse: value('coarse'),
    fine: value('fine'),
    absoluteError: value('absoluteError'),
    gradientNorm: value('gradientNorm'),
    finite: value('finite') === 1,
  };
}

/** The parts of buffers that hold the results of an evaluation of B sequences of T steps, apart from its report. */
export function outcomeParts(
  { spec, R4, S4, V4, E }: Layout,
  { buffers, offsets }: Pick<BatchBuffers, 'buffers' | 'offsets'>,
  { B, T }: { B: number; T: number },
  trace: boolean,
): Part[] {
  const rows = B * T;
  // A kind with rows has one slot and one entry of the undo log per push.
  const pushes = Math.max(1, memoryKind(spec.memory).rows ? rows * E : 0);
  const from = (name: 'rowMetrics' | 'acts' | 'slots' | 'undoLog', bytes: number, offset4 = 0): Part => ({
    buffer: buffers.get(name)!,
    offset: offset4 * 16,
    bytes,
  });
  return [
    from('rowMetrics', rows * 16),
    from('acts', Math.max(1, rows * S4) * 16, offsets.s),
    ...(trace
      ? [
          from('acts', rows * V4 * 16, offsets.y),
          from('acts', Math.max(1, rows * R4) * 16, offsets.r + B * R4),
          from('slots', pushes * 8),
          from('undoLog', pushes * 16),
        ]
      : []),
  ];
}

/**
 * Converts the parts listed by outcomeParts into the results of an evaluation.
 * @param form of the plan, which decides the order of the memories' states
 * @param lengths [B]
 * @param read contents of the parts, in their order
 */
export function outcomeOf(
  { spec, M4, N4, R4, S4, V4, stride, E, Q }: Layout,
  form: 'lane' | 'block',
  { B, T }: { B: number; T: number },
  lengths: Uint32Array,
  read: readonly ArrayBuffer[],
): Omit<Forward, 'report'> {
  const { memory: kind, memories, width, outputs: V } = spec;
  const { controls, rows: hasRows } = memoryKind(kind);
  const rows = B * T;
  const [rowMetrics, heads, outputs, reads] = read.map(bytes => new Float32Array(bytes));
  const inside = (n: number): boolean => Math.floor(n / B) < lengths[n % B];
  /** [T,B,count·width] numbers from rows of width4 vec4s: `count` pieces per row, the k-th starting at start(k). */
  const pieces = (
    all: Float32Array,
    width4: number,
    count: number,
    width: number,
    start: (k: number) => number,
  ): Float32Array => {
    const picked = new Float32Array(rows * count * width);
    for (let n = 0; n < rows; n++) {
      if (!inside(n)) continue;
      for (let k = 0; k < count; k++) {
        const at = n * width4 * 4 + start(k);
        picked.set(all.subarray(at, at + width), (n * count + k) * width);
      }
    }
    return picked;
  };
  const outcome: Omit<Forward, 'report'> = {
    predicted: Uint32Array.from({ length: rows }, (_, n) => (inside(n) ? rowMetrics[4 * n + 2] : 0)),
    controls: Object.fromEntries(
      controls.map(({ name }, c) => [name, pieces(heads, S4, E, 1, end => N4 * 4 + stride * end + c)]),
    ),
  };
  if (!outputs) return outcome;
  const [slots, undoLog] = read.slice(4).map(bytes => new Uint32Array(bytes));
  return {
    ...outcome,
    trace: {
      output: pieces(outputs, V4, 1, V, () => 0),
      read: pieces(reads, R4, Q, width, row => row * M4 * 4),
      strengths:
        kind === 'none' || !hasRows
          ? []
          : allStrengths({ kind, form, B, T, memories }, slots, undoLog, lengths),
    },
  };
}
