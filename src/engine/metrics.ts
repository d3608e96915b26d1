import { type Batch, MASKED, ZERO_TARGET } from '../base/dims.ts';
import type { Group } from '../simd/groups.ts';
import type { StepReport } from './engine.ts';

/** A report of B sequences with all sums 0. */
export const emptyReport = (B: number): StepReport => ({
  objective: 0,
  loss: 0,
  targets: 0,
  symbols: 0,
  correct: 0,
  sequences: B,
  coarse: 0,
  fine: 0,
  absoluteError: 0,
  gradientNorm: 0,
  finite: true,
});

/**
 * Adds the metrics of a group of sequences to a report, like shaders/metrics.wgsl.ts. A sequence without symbols counts
 * as correct.
 * @param rowMetrics per row: loss, Σ|o − target|, argmax, and 1 if the row has a target
 * @param autoencoderLoss per row; undefined without an auto-encoder
 */
export function addMetrics(
  report: StepReport,
  batch: Batch,
  { order, lengths, first }: Group,
  rowMetrics: Float32Array,
  autoencoderLoss: Float32Array | undefined,
): void {
  for (const [slot, b] of order.entries()) {
    let [objective, loss, symbols, correct, prefix, wrong] = [0, 0, 0, 0, 0, false];
    for (let t = 0; t < lengths[slot]; t++) {
      const row = first[t] + slot;
      loss += rowMetrics[4 * row];
      objective += rowMetrics[4 * row] + (autoencoderLoss ? autoencoderLoss[row] : 0);
      report.absoluteError += rowMetrics[4 * row + 1];
      report.targets += rowMetrics[4 * row + 3];
      const target = batch.target[t * batch.B + b];
      if (target === MASKED || target === ZERO_TARGET) continue;
      symbols++;
      if (rowMetrics[4 * row + 2] === target) {
        correct++;
        if (!wrong) prefix++;
      } else wrong = true;
    }
    report.objective += batch.weight[b] * objective;
    report.loss += loss;
    report.symbols += symbols;
    report.correct += correct;
    report.coarse += wrong ? 0 : 1;
    report.fine += symbols > 0 ? prefix / symbols : 1;
  }
}

const SUMS = [
  'objective',
  'loss',
  'targets',
  'symbols',
  'correct',
  'coarse',
  'fine',
  'absoluteError',
] as const;

/** The report of a batch of B sequences: the sum of the reports of its strands (src/simd/groups.ts). */
export function sumOf(parts: readonly StepReport[], B: number): StepReport {
  const report = emptyReport(B);
  for (const part of parts) for (const key of SUMS) report[key] += part[key];
  return report;
}
