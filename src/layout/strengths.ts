import { endsOf, type MemoryName } from '../base/memories.ts';

/** The strengths of a kind without rows: an empty array for each of T steps of B sequences. */
export const noRows = (B: number, T: number): Float32Array[][] =>
  Array.from({ length: B }, () => Array.from({ length: T }, () => new Float32Array(0)));

/** Layout of the slots and undo logs of a batch in their buffers. */
export interface StatesLayout {
  kind: MemoryName;
  /** block: all entries of a sequence are contiguous. lane: the i-th entries of all sequences are contiguous. */
  form: 'lane' | 'block';
  B: number;
  T: number;
  /** Number of memories of the model (default 1). */
  memories?: number;
}

/**
 * Strengths [memory][B][length][rows], from the slots and undo logs of all sequences in the layout of the kernel's
 * form.
 * @param lengths [B] steps of each sequence (default T)
 */
export function allStrengths(
  { kind, form, B, T, memories = 1 }: StatesLayout,
  slots: Uint32Array,
  undoLog: Uint32Array,
  lengths?: ArrayLike<number>,
): Float32Array[][][] {
  const n = T * endsOf(kind);
  const entriesOf = (all: Uint32Array, words: number, k: number, b: number): Uint32Array => {
    const block = b * memories + k;
    if (form === 'block') return all.subarray(block * n * words, (block + 1) * n * words);
    const entries = new Uint32Array(n * words);
    for (let i = 0; i < n; i++) {
      const at = ((k * n + i) * B + b) * words;
      entries.set(all.subarray(at, at + words), i * words);
    }
    return entries;
  };
  return Array.from({ length: memories }, (_, k) =>
    Array.from({ length: B }, (_, b) =>
      rewindStrengths(kind, entriesOf(slots, 2, k, b), entriesOf(undoLog, 4, k, b), lengths?.[b] ?? T),
    ),
  );
}

/**
 * Strengths after every step, for one memory of one sequence. Rewinds the undo log of the forward pass, so the
 * strengths are bit for bit those that the device computed.
 *
 * @param slots [T·E] (strength, row), in slot order
 * @param undoLog [T·E] (edge and REACHED flag, strength of the boundary row before the pop, overwritten strength,
 * overwritten row): see docs/algorithm.md, section 4
 * @returns [T][rows] in the paper's order: row i of a stack or queue was pushed at step i; a deque has 2(t+1) rows, from
 * bottom to top. Popped rows are 0.
 */
export function rewindStrengths(
  kind: MemoryName,
  slots: Uint32Array,
  undoLog: Uint32Array,
  T: number,
): Float32Array[] {
  const REACHED = 0x80000000;
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  const asFloat = (bits: number): number => {
    word[0] = bits;
    return float[0];
  };
  const state = slots.slice();
  const edgeOf = (entry: number): number => (undoLog[4 * entry] & ~REACHED) >>> 0;
  const restoreSlot = (entry: number, slot: number): void => {
    state[2 * slot] = undoLog[4 * entry + 2];
    state[2 * slot + 1] = undoLog[4 * entry + 3];
  };
  const restoreStrength = (entry: number, slot: number): void => {
    if (undoLog[4 * entry] & REACHED) state[2 * slot] = undoLog[4 * entry + 1];
  };
  const deque = kind === 'deque';
  const steps: Float32Array[] = new Array(T);
  for (let t = T - 1; t >= 0; t--) {
    // The live slots after the step: from `bottom` to `top`.
    const top = deque ? edgeOf(2 * t) : kind === 'queue' ? t : edgeOf(t);
    const bottom = deque ? edgeOf(2 * t + 1) - 1 : kind === 'queue' ? edgeOf(t) : 0;
    const placeOf = (row: number): number =>
      !deque ? row : row % 2 === 0 ? t + 1 + row / 2 : t - (row - 1) / 2;
    const strengths = new Float32Array(deque ? 2 * (t + 1) : t + 1);
    for (let i = bottom; i <= top; i++) strengths[placeOf(state[2 * i + 1])] = asFloat(state[2 * i]);
    steps[t] = strengths;
    if (kind === 'stack') {
      restoreSlot(t, top);
      restoreStrength(t, top - 1);
    } else if (kind === 'queue') {
      restoreStrength(t, bottom);
    } else {
      restoreSlot(2 * t, top);
      restoreSlot(2 * t + 1, bottom);
      restoreStrength(2 * t + 1, bottom + 1);
      restoreStrength(2 * t, top - 1);
    }
  }
  return steps;
}
