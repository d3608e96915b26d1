import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/**
 * The one buffer uploaded per training step: a header, then the batch itself as u32 words.
 * `lengths` … `noise` are offsets into `data`; the others are offsets of tensors in the arenas, in vec4s:
 * acts: h, r ([T+1,B] rows, of which the first B are the starting state), op, s, y, xh, xp ([T,B] rows)
 * grads: dA, dP, dS, dO, dHx, dY, dXh, dXp ([T,B] rows), dH0 ([B] rows)
 */
export const HEADER = [
  'B',
  'T',
  'K',
  'report',
  'lengths',
  'weight',
  'ids',
  'targets',
  'noise',
  'h',
  'r',
  'op',
  's',
  'y',
  'xh',
  'xp',
  'dA',
  'dP',
  'dS',
  'dO',
  'dHx',
  'dY',
  'dXh',
  'dXp',
  'dH0',
  'hasNoise',
  // Parts that the rows are divided into for the weight gradients.
  'parts',
  // Adam: 1 / (1 - beta^t), as float32 bits.
  'unbiasMean',
  'unbiasSquare',
] as const;

export type HeaderField = (typeof HEADER)[number];

const FLOATS: readonly HeaderField[] = ['unbiasMean', 'unbiasSquare'];

/** Declares it at binding 0. Read-only storage, so that what is loaded from it may bound loops with barriers. */
export const BATCH = wgsl`
struct Batch {
${HEADER.map(field => `  ${field}: ${FLOATS.includes(field) ? 'f32' : 'u32'},`).join('\n')}
  data: array<u32>,
}
@group(0) @binding(0) var<storage, read> batch: Batch;
const NO_INPUT = 0xffffffffu;
const MASKED = 0xffffffffu;
const ZERO_TARGET = 0xfffffffeu;
fn lengthOf(b: u32) -> u32 { return batch.data[batch.lengths + b]; }
fn weightOf(b: u32) -> f32 { return bitcast<f32>(batch.data[batch.weight + b]); }
fn inputAt(row: u32, k: u32) -> u32 { return batch.data[batch.ids + row * batch.K + k]; }
fn targetAt(row: u32) -> u32 { return batch.data[batch.targets + row]; }
// (push, pop) logits' noise
fn noiseAt(row: u32) -> vec2f {
  if (batch.hasNoise == 0u) { return vec2f(0.0); }
  let at = batch.noise + 2u * row;
  return vec2f(bitcast<f32>(batch.data[at]), bitcast<f32>(batch.data[at + 1u]));
}
`;
