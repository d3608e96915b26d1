import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';
import { float, lines } from './lib/text.ts';
import { REPORT } from './metrics.wgsl.ts';

/** Invocations per workgroup of optim. */
export const OPTIM_SIZE = 64;

/**
 * (Σ g², 1 if any g is not finite, else 0). Tests the bits of the exponent, because compilers may drop comparisons with
 * NaN.
 */
const SQUARE = wgsl`
fn squareOf(g: vec4f) -> vec2f {
  let bad = any((bitcast<vec4u>(g) & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
  return vec2f(dot(g, g), select(0.0, 1.0, bad));
}
`;

/**
 * batch, partial [rowSplits, size4] -> gradient [size4], norms [count]. Each of `count` invocations adds up the parts
 * of every count-th vec4, in order, and writes (Σ g², number of vec4s that are not finite) to norms.
 */
export const reduceGradients = (batch: string, size4: number, count: number, size: number): string => wgsl`
${batch}
${storage(1, 'partial: vec4f -> gradient: vec4f, norms: vec2f')}
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${count}u) { return; }
  var norm = vec2f();
  for (var i = id.x; i < ${size4}u; i += ${count}u) {
    var g = vec4f();
    for (var k = 0u; k < batch.rowSplits; k++) { g += partial[k * ${size4}u + i]; }
    gradient[i] = g;
    norm += squareOf(g);
  }
  norms[id.x] = norm;
}
${SQUARE}
`;

/**
 * gradient -> norms [count], as in reduceGradients, over the first size4 vec4s. For models with embeddings, where
 * embedBackward computes part of the gradient after reduceGradients.
 */
export const squaredNorms = (size4: number, count: number, size: number): string => wgsl`
${storage(0, 'gradient: vec4f -> norms: vec2f')}
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${count}u) { return; }
  var norm = vec2f();
  for (var i = id.x; i < ${size4}u; i += ${count}u) { norm += squareOf(gradient[i]); }
  norms[id.x] = norm;
}
${SQUARE}
`;

export interface OptimOptions {
  optimiser: 'sgd' | 'rmsprop' | 'adam' | 'adamw';
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Clip each gradient to ±this; 0: no clipping. (The report's scale handles clipping by norm.) */
  clipValue: number;
  /**
   * AdamW: a weight decays by rate · weightDecay of its value per step. Applies to the first weights4 vec4s, the
   * matrices.
   */
  weightDecay: number;
  weights4: number;
  /** Indices, counted in floats, of the push biases, and their relative growth per step (0: no growth). */
  pushBiasesAt: readonly number[];
  pushBiasGrowth: number;
  /** Number of trained vec4s. */
  size4: number;
}

/**
 * gradient, reports[batch.report] (finite, scale), batch.rate -> w, firstMoment, secondMoment. Changes nothing if
 * `finite` is 0.
 *
 *   sgd      w -= rate · g
 *   rmsprop  q = β₂ q + (1 - β₂) g²,   w -= rate · g / (√q + ε)
 *   adam(w)  m = β₁ m + (1 - β₁) g, q as above, w -= rate · m̂ / (√q̂ + ε), m̂ = m / (1 - β₁ᵗ), q̂ = q / (1 - β₂ᵗ)
 */
export const optim = (batch: string, o: OptimOptions): string => wgsl`
${batch}
${storage(1, 'gradient: vec4f, reports: f32 -> w: vec4f, firstMoment: vec4f, secondMoment: vec4f')}
${mainOfInvocation(OPTIM_SIZE, 'i')}
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
  let q = ${float(o.beta2)} * secondMoment[i] + ${float(1 - o.beta2)} * g * g;
  secondMoment[i] = q;
  let step = g / (sqrt(q) + ${float(o.epsilon)});
#else
  let m = ${float(o.beta1)} * firstMoment[i] + ${float(1 - o.beta1)} * g;
  let q = ${float(o.beta2)} * secondMoment[i] + ${float(1 - o.beta2)} * g * g;
  firstMoment[i] = m;
  secondMoment[i] = q;
  let step = m * batch.firstMomentScale / (sqrt(q * batch.secondMomentScale) + ${float(o.epsilon)});
#endif
#if ${o.optimiser === 'adamw'}
  // Matrices only: biases and starting states do not decay.
  let decay = select(0.0, batch.rate * ${float(o.weightDecay)}, i < ${o.weights4}u);
  var next = (1.0 - decay) * w[i] - batch.rate * step;
#else
  var next = w[i] - batch.rate * step;
#endif
  // Stop at 30, where σ is 1 in float32: the growth is exponential and would overflow.
  ${lines(
    o.pushBiasGrowth > 0 ? o.pushBiasesAt : [],
    at => `if (i == ${Math.floor(at / 4)}u && abs(next[${at % 4}u]) < 30.0) {
    next[${at % 4}u] *= ${float(1 + o.pushBiasGrowth)};
  }`,
  )}
  w[i] = next;
}
`;
