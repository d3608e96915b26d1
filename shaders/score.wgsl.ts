import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { BATCH } from './lib/batch.wgsl.ts';
import { float } from './lib/text.ts';

export const SCORE_SIZE = 64;
/** Numbers per report, in this order; `finite` is 1 or 0, `scale` what gradients are to be multiplied with. */
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

export interface ScoreOptions {
  autoencoder: boolean;
  /** In training: groups whose (Σg², non-finite) to add up, and the norm to clip at (0: no clipping by norm). */
  training?: { groups: number; clipNorm: number };
}

/**
 * batch, outcomes [T·B], extra [T·B], norms [groups] -> reports[batch.report]. One workgroup: each invocation takes
 * every 64th sequence, then the sums are added up in a fixed order, so that a report is deterministic.
 */
export const score = (o: ScoreOptions): string => wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> outcomes: array<vec4f>;
@group(0) @binding(2) var<storage, read> extra: array<vec2f>;
@group(0) @binding(3) var<storage, read> norms: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> reports: array<f32>;
const SUMS = 8u;
var<workgroup> wg_sums: array<array<f32, SUMS>, ${SCORE_SIZE}>;
fn finiteBits(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
@compute @workgroup_size(${SCORE_SIZE})
fn main(@builtin(local_invocation_index) lid: u32) {
  var sums: array<f32, SUMS>;
  for (var b = lid; b < batch.B; b += ${SCORE_SIZE}u) {
    var lost = 0.0;
    var objective = 0.0;
    var symbols = 0.0;
    var correct = 0.0;
    var prefix = 0.0;
    var wrong = false;
    for (var t = 0u; t < lengthOf(b); t++) {
      let row = t * batch.B + b;
      let outcome = outcomes[row];
      lost += outcome.x;
      objective += outcome.x;
#if ${o.autoencoder}
      objective += extra[row].x + extra[row].y;
#endif
      sums[2] += outcome.w;
      sums[7] += outcome.y;
      let label = targetAt(row);
      if (label != MASKED && label != ZERO_TARGET) {
        symbols += 1.0;
        if (u32(outcome.z) == label) {
          correct += 1.0;
          if (!wrong) { prefix += 1.0; }
        } else {
          wrong = true;
        }
      }
    }
    sums[0] += weightOf(b) * objective;
    sums[1] += lost;
    sums[3] += symbols;
    sums[4] += correct;
    // A sequence without symbols to get right is right.
    sums[5] += select(1.0, 0.0, wrong);
    sums[6] += select(1.0, prefix / max(symbols, 1.0), symbols > 0.0);
  }
  wg_sums[lid] = sums;
  workgroupBarrier();
  if (lid != 0u) { return; }
  for (var k = 1u; k < ${SCORE_SIZE}u; k++) {
    for (var j = 0u; j < SUMS; j++) { sums[j] += wg_sums[k][j]; }
  }
  let at = batch.report * ${REPORT.length}u;
  for (var j = 0u; j < SUMS; j++) { reports[at + j] = sums[j]; }
  var norm = 0.0;
  var bad = 0.0;
  var scale = 1.0;
#if ${o.training !== undefined}
  for (var k = 0u; k < ${o.training?.groups ?? 0}u; k++) {
    norm += norms[k].x;
    bad += norms[k].y;
  }
  norm = sqrt(norm);
#if ${(o.training?.clipNorm ?? 0) > 0}
  scale = min(1.0, ${float(o.training?.clipNorm ?? 0)} / max(norm, 1e-30));
#endif
#endif
  let finite = bad == 0.0 && finiteBits(norm) && finiteBits(sums[0]);
  reports[at + 8u] = norm;
  reports[at + 9u] = select(0.0, 1.0, finite);
  reports[at + 10u] = scale;
}
`;
