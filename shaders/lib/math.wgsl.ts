import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * tanh and σ that never overflow and keep float32's relative accuracy. The built-in tanh is NaN from 44 (Metal) or 89
 * (SwiftShader) on, and 1 − exp(−2x) loses digits near 0. tanh is x times a quotient of two polynomials in x², fitted
 * for minimal relative error on |x| ≤ 9.1 (2.3e-8; 4e-7 including the rounding of float32). Beyond that it is ±1 in
 * float32. This takes half the operations of an exponential plus a series near 0.
 */
const tanhOf = (T: 'f32' | 'vec4f'): string => wgsl`
  let a = clamp(x, ${T}(-9.1), ${T}(9.1));
  let q = a * a;
  let numerator = a * (0.9999999772567048 + q * (0.13374472393020706 + q * (0.0034878076785076896 + q * (2.048113137218933e-5 + q * 1.3177448213376027e-8))));
  let denominator = 1.0 + q * (0.4670778618873211 + q * (0.025847375848586616 + q * (0.0003272914662151488 + q * 7.704015137383595e-7)));
  return clamp(numerator / denominator, ${T}(-1.0), ${T}(1.0));
`;

/** WGSL of safeTanh and sigmoid, for f32 and (safeTanh4, sigmoid4) for vec4f. */
export const MATH = wgsl`
fn safeTanh(x: f32) -> f32 { ${tanhOf('f32')} }
fn safeTanh4(x: vec4f) -> vec4f { ${tanhOf('vec4f')} }
fn sigmoid4(x: vec4f) -> vec4f {
  let e = exp(-min(abs(x), vec4f(80.0)));
  return select(vec4f(1.0), e, x < vec4f(0.0)) / (1.0 + e);
}
fn sigmoid(x: f32) -> f32 {
  let e = exp(-min(abs(x), 80.0));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}
`;
