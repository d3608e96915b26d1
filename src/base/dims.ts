/**
 * The letters that every file, including shaders/, uses for sizes:
 *
 *   B batch · T time steps · D input width · K active inputs per step · H hidden · P width of o', the heads' input
 *   M memory width · E ends of all memories · Q rows read from all memories (E, unless several cells are read)
 *   R width of all reads, Q·M · V output symbols · C controls of an end · X width of the embeddings
 *
 * Activations of training are time-major: row n = t·B + b. Memory layers (`engine.memory`) are batch-major [B,T].
 */

/** In `Batch.ids`: an unused entry. */
export const NO_INPUT = 0xffffffff;
/** In `Batch.target`: this step has no loss (padding, or the source of a transduction). */
export const MASKED = 0xffffffff;
/** In `Batch.target`: the target is the zero vector (squared error only). It counts for loss, not for accuracy. */
export const ZERO_TARGET = 0xfffffffe;

/** Smallest multiple of `to` that is at least `n`. */
export const ceilTo = (n: number, to: number): number => Math.ceil(n / to) * to;

/**
 * What a step does: it reads the source, writes the target, or neither. Metrics average the controls (push, pop …) of
 * each phase.
 */
export const PHASE = { none: 0, reading: 1, writing: 2 } as const;

/**
 * A batch of sequences: tasks produce it and engines consume it. Inputs are multi-hot: every step has up to K active
 * inputs (a symbol, flags), so that x·W is a sum of at most K rows of W.
 */
export interface Batch {
  B: number;
  /** Time steps of the longest sequence. */
  T: number;
  /** Maximum number of active inputs per step. */
  K: number;
  /** [B] time steps of each sequence, 1 … T. Later steps are padding. */
  lengths: Uint32Array;
  /** [B] number of source symbols of each sequence, by which the loss is divided if train.lossPer is `source`. */
  sourceLengths: Uint32Array;
  /** [T,B,K] active inputs, each < D, or NO_INPUT. */
  ids: Uint32Array;
  /** [T,B] correct output, < V, or MASKED, or ZERO_TARGET. */
  target: Uint32Array;
  /** [B] weight of each sequence's summed loss in the objective. */
  weight: Float32Array;
  /** [T,B] one of PHASE. */
  phase: Uint8Array;
  /** [T,B,E,C] noise added to the logits of all controls of every end (push, pop …). Absent: no noise. */
  noise?: Float32Array;
}

/** A deep copy of a batch. */
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

/** A batch of one sequence of one step, without input and target. */
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
