import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * tanh and σ that never overflow and keep float32's relative accuracy: the built-in tanh is NaN from 44 (Metal)
 * or 89 (SwiftShader) on, and 1 − exp(−2x) alone loses digits near 0, where the series takes over (its next
 * term at 0.3 is 5e-8 of the value).
 */
export const MATH = wgsl`
fn safeTanh(x: f32) -> f32 {
  let a = min(abs(x), 15.0);
  let e = exp(-2.0 * a);
  let q = a * a;
  let series = a * (1.0 - q * (1.0 / 3.0 - q * (2.0 / 15.0 - q * (17.0 / 315.0 - q * (62.0 / 2835.0)))));
  return sign(x) * select((1.0 - e) / (1.0 + e), series, a < 0.3);
}
fn safeTanh4(x: vec4f) -> vec4f {
  let a = min(abs(x), vec4f(15.0));
  let e = exp(-2.0 * a);
  let q = a * a;
  let series = a * (1.0 - q * (1.0 / 3.0 - q * (2.0 / 15.0 - q * (17.0 / 315.0 - q * (62.0 / 2835.0)))));
  return sign(x) * select((1.0 - e) / (1.0 + e), series, a < vec4f(0.3));
}
fn sigmoid4(x: vec4f) -> vec4f {
  let e = exp(-min(abs(x), vec4f(80.0)));
  return select(vec4f(1.0), e, x < vec4f(0.0)) / (1.0 + e);
}
fn sigmoid(x: f32) -> f32 {
  let e = exp(-min(abs(x), 80.0));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}
`;
