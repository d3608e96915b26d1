import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { BATCH } from './lib/batch.wgsl.ts';
import { float } from './lib/text.ts';
import { REPORT } from './score.wgsl.ts';

export const OPTIM_SIZE = 64;

/**
 * batch, partial [parts, size4] -> gradient [size4], norms [count] (Σ g², 1 where a gradient is not finite) of the
 * numbers that each of `count` invocations added up, parts in order. Not finite is told by the exponent's bits:
 * comparisons with NaN may be optimised away.
 */
export const reduceGradients = (size4: number, count: number, size: number): string => wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> partial: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> norms: array<vec2f>;
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${count}u) { return; }
  var norm = vec2f();
  for (var i = id.x; i < ${size4}u; i += ${count}u) {
    var g = vec4f();
    for (var k = 0u; k < batch.parts; k++) { g += partial[k * ${size4}u + i]; }
    gradient[i] = g;
    let bad = any((bitcast<vec4u>(g) & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
    norm += vec2f(dot(g, g), select(0.0, 1.0, bad));
  }
  norms[id.x] = norm;
}
`;

export interface OptimOptions {
  optimiser: 'sgd' | 'rmsprop' | 'adam';
  rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Clip each gradient to ±this; 0: not. (Clipping by norm is in the report's scale.) */
  clipValue: number;
  /** Float index of the push bias, and its relative growth per step; 0: none. */
  pushBiasAt: number;
  pushBiasGrowth: number;
  size4: number;
}

/**
 * gradient, reports[batch.report] (finite, scale) -> w, mean, square. Leaves everything as it is where the step
 * was not finite.
 *
 *   sgd      w -= rate · g
 *   rmsprop  q = β₂ q + (1 - β₂) g²,   w -= rate · g / (√q + ε)
 *   adam     m = β₁ m + (1 - β₁) g, q as above, w -= rate · m̂ / (√q̂ + ε), m̂ = m / (1 - β₁ᵗ), q̂ = q / (1 - β₂ᵗ)
 */
export const optim = (o: OptimOptions): string => wgsl`
${BATCH}
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> reports: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> square: array<vec4f>;
@compute @workgroup_size(${OPTIM_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.y * groups.x + group.x) * ${OPTIM_SIZE}u + lid;
  let at = batch.report * ${REPORT.length}u;
  let finite = reports[at + ${REPORT.indexOf('finite')}u];
  if (i >= ${o.size4}u || finite == 0.0) { return; }
  var g = gradient[i] * reports[at + ${REPORT.indexOf('scale')}u];
#if ${o.clipValue > 0}
  g = clamp(g, vec4f(-${float(o.clipValue)}), vec4f(${float(o.clipValue)}));
#endif
#if ${o.optimiser === 'sgd'}
  let step = g;
#elif ${o.optimiser === 'rmsprop'}
  let q = ${float(o.beta2)} * square[i] + ${float(1 - o.beta2)} * g * g;
  square[i] = q;
  let step = g / (sqrt(q) + ${float(o.epsilon)});
#else
  let m = ${float(o.beta1)} * mean[i] + ${float(1 - o.beta1)} * g;
  let q = ${float(o.beta2)} * square[i] + ${float(1 - o.beta2)} * g * g;
  mean[i] = m;
  square[i] = q;
  let step = m * batch.unbiasMean / (sqrt(q * batch.unbiasSquare) + ${float(o.epsilon)});
#endif
  var next = w[i] - ${float(o.rate)} * step;
#if ${o.pushBiasGrowth > 0}
  // Until σ is 1 anyway: growth is exponential and would overflow.
  if (i == ${Math.floor(o.pushBiasAt / 4)}u && abs(next[${o.pushBiasAt % 4}u]) < 30.0) {
    next[${o.pushBiasAt % 4}u] *= ${float(1 + o.pushBiasGrowth)};
  }
#endif
  w[i] = next;
}
`;
