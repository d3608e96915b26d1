import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { storage } from './lib/storage.wgsl.ts';
import { float } from './lib/text.ts';

/**
 * The numbers of a report, in order. The first eight are sums over the batch. `finite` is 1 or 0; `scale` is the factor
 * that clips the gradients by norm.
 */
export const REPORT = [
  'objective',
  'loss',
  'targets',
  'symbols',
  'correct',
  'coarse',
  'fine',
  'absoluteError',
  'gradientNorm',
  'finite',
  'scale',
  'unused',
] as const;

export interface MetricsOptions {
  /** Invocations of the single workgroup. */
  size: number;
  autoencoder: boolean;
  /** In training: number of entries of `norms` (reduceGradients), and the norm to clip at (0: no clipping by norm). */
  training?: { norms: number; clipNorm: number };
}

/**
 * batch, rowMetrics [T·B], autoencoderLoss [T·B], norms -> reports[batch.report]. There is a single workgroup. Each
 * invocation processes every size-th sequence; the sums of all invocations are added in a fixed order, so that a report
 * is deterministic.
 */
export const metrics = (batch: string, o: MetricsOptions): string => wgsl`
${batch}
${storage(1, 'rowMetrics: vec4f, autoencoderLoss: vec2f, norms: vec2f -> reports: f32')}
// The eight sums of a report, then Σ g² and the number of vec4s of gradients that are not finite.
const SUMS = 10u;
var<workgroup> wg_sums: array<array<f32, SUMS>, ${o.size}>;
fn finiteBits(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
@compute @workgroup_size(${o.size})
fn main(@builtin(local_invocation_index) lid: u32) {
  var sums: array<f32, SUMS>;
  for (var b = lid; b < batch.B; b += ${o.size}u) {
    var loss = 0.0;
    var objective = 0.0;
    var symbols = 0.0;
    var correct = 0.0;
    var prefix = 0.0;
    var wrong = false;
    for (var t = 0u; t < lengthOf(b); t++) {
      let row = t * batch.B + b;
      let metrics = rowMetrics[row];
      loss += metrics.x;
      objective += metrics.x;
#if ${o.autoencoder}
      objective += autoencoderLoss[row].x + autoencoderLoss[row].y;
#endif
      sums[2] += metrics.w;
      sums[7] += metrics.y;
      let label = targetAt(row);
      if (label != MASKED && label != ZERO_TARGET) {
        symbols += 1.0;
        if (u32(metrics.z) == label) {
          correct += 1.0;
          if (!wrong) { prefix += 1.0; }
        } else {
          wrong = true;
        }
      }
    }
    sums[0] += weightOf(b) * objective;
    sums[1] += loss;
    sums[3] += symbols;
    sums[4] += correct;
    // A sequence without symbols counts as correct.
    sums[5] += select(1.0, 0.0, wrong);
    sums[6] += select(1.0, prefix / max(symbols, 1.0), symbols > 0.0);
  }
#if ${o.training !== undefined}
  for (var k = lid; k < ${o.training?.norms ?? 0}u; k += ${o.size}u) {
    sums[8] += norms[k].x;
    sums[9] += norms[k].y;
  }
#endif
  wg_sums[lid] = sums;
  workgroupBarrier();
  if (lid != 0u) { return; }
  for (var k = 1u; k < ${o.size}u; k++) {
    for (var j = 0u; j < SUMS; j++) { sums[j] += wg_sums[k][j]; }
  }
  let at = batch.report * ${REPORT.length}u;
  for (var j = 0u; j < 8u; j++) { reports[at + j] = sums[j]; }
  let norm = sqrt(sums[8]);
  var scale = 1.0;
#if ${(o.training?.clipNorm ?? 0) > 0}
  scale = min(1.0, ${float(o.training?.clipNorm ?? 0)} / max(norm, 1e-30));
#endif
  let finite = sums[9] == 0.0 && finiteBits(norm) && finiteBits(sums[0]);
  reports[at + 8u] = norm;
  reports[at + 9u] = select(0.0, 1.0, finite);
  reports[at + 10u] = scale;
}
`;
