import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Layout } from '../../src/layout/layout.ts';

/**
 * The slice of a batch that a submission of the fused kernels computes: time steps sliceFrom … sliceTo − 1. The lane
 * form's backward pass also uses `round` and `rounds` (in round n each invocation processes its n-th sequence; the
 * slice covers rounds round … round + rounds − 1) and `first` (1: its sums start from 0; 0: it continues those in
 * `partial`).
 */
export const SLICE = ['sliceFrom', 'sliceTo', 'round', 'rounds', 'first'] as const;
/** A slice that covers the whole batch, together with sliceTo = T. */
export const WHOLE = { sliceFrom: 0, round: 0, rounds: 0x7fffffff, first: 1 } as const;

/**
 * The header of the buffer `batch`, the only buffer that is uploaded in every training step. The header continues with
 * the offsets of the model's tensors in the arenas, in vec4s, by tensor name (src/kernels/arena.ts). The batch follows
 * as u32 words, `data`; `lengths` … `noise` are offsets into it. K: inputs per row; report: index of this step's entry
 * in `reports`.
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
  'hasNoise',
  // Number of partial sums of the weight gradients: parts of the B·T rows, or in the lane form of the B sequences.
  'rowSplits',
  // As float32 bits: the learning rate, and Adam's bias corrections 1 / (1 - beta1^t) and 1 / (1 - beta2^t), where t
  // counts the training steps since these weights were initialised.
  'rate',
  'firstMomentScale',
  'secondMomentScale',
  ...SLICE,
] as const;

const FLOATS: readonly string[] = ['rate', 'firstMomentScale', 'secondMomentScale'];

/**
 * Declares the batch at binding 0. It is read-only storage, because WGSL treats loads from it as uniform: loops with
 * barriers may depend on them. With `copied` (for kernels without barriers), `batch` is a private copy of the header,
 * and main() must call loadBatch(): software adapters load a private variable for four invocations at once, whereas
 * they check and gather buffer loads one invocation at a time.
 */
export function batchOf({ tensors, E, C }: Layout, copied = false): string {
  const fields = [...HEADER, ...tensors.map(({ name }) => name)].map(
    field => `  ${field}: ${FLOATS.includes(field) ? 'f32' : 'u32'},`,
  );
  return wgsl`
#if ${copied}
struct Header {
${fields.join('\n')}
}
struct Batch { header: Header, data: array<u32> }
@group(0) @binding(0) var<storage, read> uploaded: Batch;
var<private> batch: Header;
fn loadBatch() { batch = uploaded.header; }
#else
struct Batch {
${fields.join('\n')}
  data: array<u32>,
}
@group(0) @binding(0) var<storage, read> batch: Batch;
#endif
// Special values of ids and targets: see src/base/dims.ts.
const NO_INPUT = 0xffffffffu;
const MASKED = 0xffffffffu;
const ZERO_TARGET = 0xfffffffeu;
fn lengthOf(b: u32) -> u32 { return ${copied ? 'uploaded' : 'batch'}.data[batch.lengths + b]; }
fn weightOf(b: u32) -> f32 { return bitcast<f32>(${copied ? 'uploaded' : 'batch'}.data[batch.weight + b]); }
fn inputAt(row: u32, k: u32) -> u32 { return ${copied ? 'uploaded' : 'batch'}.data[batch.ids + row * batch.K + k]; }
fn targetAt(row: u32) -> u32 { return ${copied ? 'uploaded' : 'batch'}.data[batch.targets + row]; }
// Noise on the logit of control \`number\` of the model; 0 beyond the last control.
fn noiseAt(row: u32, number: u32) -> f32 {
  if (batch.hasNoise == 0u || number >= ${C * E}u) { return 0.0; }
  return bitcast<f32>(${copied ? 'uploaded' : 'batch'}.data[batch.noise + row * ${C * E}u + number]);
}
`;
}
