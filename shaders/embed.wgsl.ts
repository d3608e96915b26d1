import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layer, Layout } from '../src/layout/layout.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { lines, range } from './lib/text.ts';

/**
 * Embeddings. A layer uses the input x only in x·We·Wxe, and x is one-hot (or a sum of a few one-hot vectors). The
 * product Wx = We · Wxe is therefore computed once before each forward pass, and all other kernels use Wx as in a model
 * without embeddings. The backward pass computes the gradients of We and Wxe from the gradient of Wx.
 */

/** Invocations per workgroup. */
export const EMBED_SIZE = 64;

/** Rows of the tile of an invocation. A tile is one vec4 wide. */
const ROWS = range(4);

/** Number of tiles of a matrix. */
const tilesOf = (rows: number, columns4: number): number => Math.ceil(rows / ROWS.length) * columns4;

/**
 * Runs `body` for a matrix's tiles, numbered from `begin`. Declares rows n0 … n3 (the last row repeats), column j, and
 * sum0 … sum3 = 0.
 */
const tiles = (begin: number, rows: number, columns4: number, body: string): string => wgsl`
  if (at >= ${begin}u && at < ${begin + tilesOf(rows, columns4)}u) {
    let first = (at - ${begin}u) / ${columns4}u * ${ROWS.length}u;
    let j = (at - ${begin}u) % ${columns4}u;
    ${lines(ROWS, n => `let n${n} = min(first + ${n}u, ${rows - 1}u);`)}
    ${lines(ROWS, n => `var sum${n} = vec4f();`)}
    ${body}
    return;
  }`;

/** Number of invocations of embed: one per tile of each layer's Wx. */
export const embedItems = ({ layers }: Layout): number =>
  layers.reduce((sum, { Wx }) => sum + tilesOf(Wx.rows, Wx.ld4), 0);

/** w: We, Wxe -> w: Wx of every layer. */
export function embed({ layers, We, size4, spec }: Layout): string {
  const { offset4, ld4 } = We!;
  let begin = 0;
  const bodies = layers.map(({ Wx, Wxe }) => {
    const from = begin;
    begin += tilesOf(Wx.rows, Wx.ld4);
    const embedding = range(4).map(
      k =>
        `let w${k} = w[${Wxe!.offset4}u + min(4u * i + ${k}u, ${spec.embedding - 1}u) * ${Wxe!.ld4}u + j];`,
    );
    // The padding of an embedding is 0, so the weights that multiply it do not matter.
    return tiles(
      from,
      Wx.rows,
      Wx.ld4,
      wgsl`for (var i = 0u; i < ${ld4}u; i++) {
      ${embedding.join('\n')}
      ${lines(
        ROWS,
        n => `let e${n} = w[${offset4}u + n${n} * ${ld4}u + i];
      sum${n} += e${n}.x * w0 + e${n}.y * w1 + e${n}.z * w2 + e${n}.w * w3;`,
      )}
    }
    ${lines(ROWS, n => `w[${Wx.offset4}u + n${n} * ${Wx.ld4}u + j] = sum${n};`)}`,
    );
  });
  return wgsl`
@group(0) @binding(0) var<storage, read_write> w: array<vec4f, ${size4}>;
${mainOfInvocation(EMBED_SIZE, 'at')}
${bodies.join('\n')}
}
`;
}

/** Number of invocations of embedBackward: one per tile of each layer's Wxe, then of We. */
export const embedBackwardItems = ({ layers, We }: Layout): number =>
  layers.reduce((sum, { Wxe }) => sum + tilesOf(Wxe!.rows, Wxe!.ld4), tilesOf(We!.rows, We!.ld4));

/** w, gradient: dWx of every layer -> gradient: dWe, dWxe. */
export function embedBackward({ layers, We, size4, spec }: Layout): string {
  const { rows: D, ld4, offset4 } = We!;
  let begin = 0;
  // dWxe = Weᵀ · dWx: the four rows of a tile are the components of one vec4 of We.
  const ofLayer = ({ Wx, Wxe }: Layer): string => {
    const from = begin;
    begin += tilesOf(Wxe!.rows, Wxe!.ld4);
    return tiles(
      from,
      Wxe!.rows,
      Wxe!.ld4,
      wgsl`for (var row = 0u; row < ${D}u; row++) {
      let e = w[${offset4}u + row * ${ld4}u + first / 4u];
      let g = gradient[${Wx.offset4}u + row * ${Wx.ld4}u + j];
      ${lines(ROWS, n => `sum${n} += e.${'xyzw'[n]} * g;`)}
    }
    ${lines(ROWS, n => `if (first + ${n}u < ${Wxe!.rows}u) { gradient[${Wxe!.offset4}u + n${n} * ${Wxe!.ld4}u + j] = sum${n}; }`)}`,
    );
  };
  const bodies = layers.map(ofLayer);
  // dWe = Σ dWx · Wxeᵀ. The padding of an embedding stays 0.
  const sums = layers.map(
    ({ Wx, Wxe }) => wgsl`
    for (var i = 0u; i < ${Wx.ld4}u; i++) {
      ${lines(
        4,
        k =>
          `let w${k} = w[${Wxe!.offset4}u + min(4u * j + ${k}u, ${spec.embedding - 1}u) * ${Wxe!.ld4}u + i] * f32(4u * j + ${k}u < ${spec.embedding}u);`,
      )}
      ${lines(
        ROWS,
        n => `let g${n} = gradient[${Wx.offset4}u + n${n} * ${Wx.ld4}u + i];
      sum${n} += vec4f(dot(g${n}, w0), dot(g${n}, w1), dot(g${n}, w2), dot(g${n}, w3));`,
      )}
    }`,
  );
  bodies.push(
    tiles(
      begin,
      D,
      ld4,
      wgsl`${sums.join('\n')}
    ${lines(ROWS, n => `gradient[${offset4}u + n${n} * ${ld4}u + j] = sum${n};`)}`,
    ),
  );
  return wgsl`
@group(0) @binding(0) var<storage, read> w: array<vec4f, ${size4}>;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4f, ${size4}>;
${mainOfInvocation(EMBED_SIZE, 'at')}
${bodies.join('\n')}
}
`;
}
