import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { unrolled } from './text.ts';

/**
 * Statements that compute the loss of one row and its gradient with respect to the pre-activations. The row's
 * pre-activations are in registers: y, an array of vec4f with `width` numbers and padding. The losses are those of
 * loss.wgsl.ts, which reads rows from a buffer.
 *
 * Needs the f32 `weight` (0 if the row has no loss). Replaces the pre-activations in y by the outputs. Declares dy (the
 * gradients of the pre-activations, times `weight`), `loss`, `error` (Σ|o - target|; 0 for softmax) and `best` (the
 * argmax).
 * @param wanted returns the expression of the j-th vec4 of the target
 */
export function lossOfRow(
  kind: 'softmax' | 'tanh' | 'sigmoid',
  width: number,
  wanted: (j: string) => string,
): string {
  const width4 = Math.ceil(width / 4);
  const all = (body: (j: string) => string): string => unrolled(width4, body);
  // 1 for numbers of the row, 0 for padding.
  const mask = (j: string): string => {
    const inside = Math.min(4, width - 4 * Number.parseInt(j, 10));
    return `vec4f(${[0, 1, 2, 3].map(k => (k < inside ? '1.0' : '0.0')).join(', ')})`;
  };
  const number = (k: number): string => `y[${Math.floor(k / 4)}].${'xyzw'[k % 4]}`;
  const findBest = Array.from(
    { length: width - 1 },
    (_, k) => `if (${number(k + 1)} > top) { top = ${number(k + 1)}; best = ${k + 1}u; }`,
  ).join('\n');
  return wgsl`
  var dy: array<vec4f, ${width4}>;
  var loss = 0.0;
  var error = 0.0;
  var best = 0u;
#if ${kind === 'softmax'}
  var top = y[0].x;
  ${findBest}
  var sum = 0.0;
  var picked = 0.0;
  ${all(
    j => `{
    let shifted = y[${j}] - top;
    picked += dot(shifted, ${wanted(j)});
    y[${j}] = exp(shifted) * ${mask(j)};
    sum += dot(y[${j}], vec4f(1.0));
  }`,
  )}
  loss = log(sum) - picked;
  ${all(
    j => `y[${j}] /= sum;
  dy[${j}] = weight * (y[${j}] - ${wanted(j)});`,
  )}
#else
  ${all(
    j => `{
    let out = ${kind === 'tanh' ? 'safeTanh4' : 'sigmoid4'}(y[${j}]) * ${mask(j)};
    let off = out - ${wanted(j)};
    loss += 0.5 * dot(off, off);
    error += dot(abs(off), vec4f(1.0));
    dy[${j}] = weight * off * ${kind === 'tanh' ? '(1.0 - out * out)' : 'out * (1.0 - out)'};
    y[${j}] = out;
  }`,
  )}
  var top = y[0].x;
  ${findBest}
#endif
`;
}
