/**
 * The letters every file uses for sizes, as in the paper and in shaders/:
 *
 *   B batch · T time steps · D input width · K active inputs per step · H hidden · P width of o'
 *   M memory width · E ends that memories are used at · R width of all reads, E·M · V output symbols
 *
 * Activations of training are time-major: row n = t·B + b. The public memory call is batch-major [B,T].
 */

/** An unused place in `Batch.ids`. */
export const NO_INPUT = 0xffffffff;
/** `Batch.target`: this step has no loss (padding, or the source of a transduction). */
export const MASKED = 0xffffffff;
/** `Batch.target`: the target is the zero vector (squared error only). It counts for loss, not accuracy. */
export const ZERO_TARGET = 0xfffffffe;

/** Smallest multiple of `to` that is at least `n`. */
export const ceilTo = (n: number, to: number): number => Math.ceil(n / to) * to;

/** What a step is for, where the push/pop profile is told: see `Batch.phase`. */
export const PHASE = { none: 0, reading: 1, writing: 2 } as const;

/**
 * A batch of sequences, as tasks make it and engines eat it. Inputs are multi-hot: every step has up to K
 * active inputs (a symbol, flags), so that x·W is a sum of K rows of W.
 */
export interface Batch {
  B: number;
  /** Time steps of the longest sequence. */
  T: number;
  /** Inputs that may be active at one step. */
  K: number;
  /** [B] time steps of each sequence, 1 … T. What lies beyond is padding. */
  lengths: Uint32Array;
  /** [B] source symbols of each sequence (the tutorial divides its rate by them). */
  sourceLengths: Uint32Array;
  /** [T,B,K] active inputs, each < D, or NO_INPUT. */
  ids: Uint32Array;
  /** [T,B] right output, < V, or MASKED, or ZERO_TARGET. */
  target: Uint32Array;
  /** [B] weight of each sequence's summed loss in the objective. */
  weight: Float32Array;
  /** [T,B] one of PHASE. */
  phase: Uint8Array;
  /** [T,B,E,C] added to the logits of all controls of every end, such as push and pop; absent: none. */
  noise?: Float32Array;
}

/** A batch with arrays of its own. */
export function copyOf(batch: Batch): Batch {
  const { lengths, sourceLengths, ids, target, weight, phase, noise } = batch;
  return {
    ...batch,
    lengths: lengths.slice(),
    sourceLengths: sourceLengths.slice(),
    ids: ids.slice(),
    target: target.slice(),
    weight: weight.slice(),
    phase: phase.slice(),
    ...(noise && { noise: noise.slice() }),
  };
}

/** One sequence of one step, without input and target. */
export const blankBatch = (): Batch => ({
  B: 1,
  T: 1,
  K: 1,
  lengths: Uint32Array.of(1),
  sourceLengths: Uint32Array.of(1),
  ids: Uint32Array.of(NO_INPUT),
  target: Uint32Array.of(MASKED),
  weight: Float32Array.of(1),
  phase: Uint8Array.of(PHASE.none),
});
