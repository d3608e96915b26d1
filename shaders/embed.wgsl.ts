import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layer, Layout } from '../src/kernels/layout.ts';

/**
 * Embeddings. A layer sees the input x only through x·W_e·W_xh, and x is one-hot (or a sum of few): so the product
 * We · Wxe of the two matrices is made once a step, and all other kernels take its rows as they would for one-hot
 * inputs, whatever the plan. The way back gives We and Wxe their shares of the product's gradient.
 */
export const EMBED_SIZE = 64;

/** Workgroups for n numbers of vec4s. */
const entry = wgsl`
@compute @workgroup_size(${EMBED_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let at = (group.y * groups.x + group.x) * ${EMBED_SIZE}u + lid;
`;

/** Invocations: a vec4 of each layer's Wx. */
export const embedItems = ({ layers }: Layout): number =>
  layers.reduce((sum, { Wx }) => sum + Wx.rows * Wx.ld4, 0);

/** w: We, Wxe -> w: Wx of every layer. */
export function embed({ layers, We, size4, spec }: Layout): string {
  let first = 0;
  const bodies = layers.map(({ Wx, Wxe }) => {
    const begin = first;
    first += Wx.rows * Wx.ld4;
    return wgsl`
  if (at >= ${begin}u && at < ${first}u) {
    let row = (at - ${begin}u) / ${Wx.ld4}u;
    let column = (at - ${begin}u) % ${Wx.ld4}u;
    var sum = vec4f();
    for (var x = 0u; x < ${spec.embedding}u; x++) {
      sum += w[${We!.offset4}u + row * ${We!.ld4}u + x / 4u][x % 4u] * w[${Wxe!.offset4}u + x * ${Wxe!.ld4}u + column];
    }
    w[${Wx.offset4}u + at - ${begin}u] = sum;
  }`;
  });
  return wgsl`
@group(0) @binding(0) var<storage, read_write> w: array<vec4f, ${size4}>;
${entry}
${bodies.join('\n')}
}
`;
}

/** Invocations: a vec4 of each layer's Wxe, then a vec4 of We. */
export const embedBackwardItems = ({ layers, We }: Layout): number =>
  layers.reduce((sum, { Wxe }) => sum + Wxe!.rows * Wxe!.ld4, We!.rows * We!.ld4);

/** w, gradient: dWx of every layer -> gradient: dWe, dWxe. */
export function embedBackward({ layers, We, size4, spec }: Layout): string {
  const { rows: D, ld4, offset4 } = We!;
  let first = 0;
  const ofLayer = ({ Wx, Wxe }: Layer): string => {
    const begin = first;
    first += Wxe!.rows * Wxe!.ld4;
    return wgsl`
  if (at >= ${begin}u && at < ${first}u) {
    let x = (at - ${begin}u) / ${Wx.ld4}u;
    let column = (at - ${begin}u) % ${Wx.ld4}u;
    var sum = vec4f();
    for (var row = 0u; row < ${D}u; row++) {
      sum += w[${offset4}u + row * ${ld4}u + x / 4u][x % 4u] * gradient[${Wx.offset4}u + row * ${Wx.ld4}u + column];
    }
    gradient[${Wxe!.offset4}u + at - ${begin}u] = sum;
  }`;
  };
  const bodies = layers.map(ofLayer);
  const sums = layers.map(
    ({ Wx, Wxe }) => wgsl`
    for (var column = 0u; column < ${Wx.ld4}u; column++) {
      let g = gradient[${Wx.offset4}u + row * ${Wx.ld4}u + column];
      for (var k = 0u; k < min(4u, ${spec.embedding}u - 4u * across); k++) {
        sum[k] += dot(g, w[${Wxe!.offset4}u + (4u * across + k) * ${Wxe!.ld4}u + column]);
      }
    }`,
  );
  return wgsl`
@group(0) @binding(0) var<storage, read> w: array<vec4f, ${size4}>;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4f, ${size4}>;
${entry}
${bodies.join('\n')}
  if (at >= ${first}u && at < ${first + D * ld4}u) {
    let row = (at - ${first}u) / ${ld4}u;
    let across = (at - ${first}u) % ${ld4}u;
    var sum = vec4f();
    ${sums.join('\n')}
    gradient[${offset4}u + at - ${first}u] = sum;
  }
}
`;
}
