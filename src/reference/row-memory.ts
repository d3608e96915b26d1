import type { Kind } from './kind.ts';
import { zeroRows } from './rows.ts';

/**
 * A memory of rows with strengths. E, its number of ends, is 1, or 2 for a deque: (top, bottom). Strengths s and rows V
 * are ordered from bottom to top and include rows whose strength has become 0.
 */
export interface RowMemory {
  /** E */
  readonly ends: number;
  /** Pops u [E], then pushes with strengths d [E]: s_{t-1} → s_t. */
  step(previous: Float64Array, d: ArrayLike<number>, u: ArrayLike<number>): Float64Array;
  /** s_{t-1}, u [E], ds_t → ds_{t-1}, dd [E], du [E] */
  stepBackward(previous: Float64Array, u: ArrayLike<number>, ds: Float64Array): StepGradients;
  /** s_t, V_t → r_t [E,M] */
  read(strengths: Float64Array, V: readonly Float64Array[]): Float64Array;
  /** s_t, V_t, dr_t [E,M] → ds_t and dV_t; adds to both. */
  readBackward(
    strengths: Float64Array,
    V: readonly Float64Array[],
    dr: Float64Array,
    ds: Float64Array,
    dV: readonly Float64Array[],
  ): void;
  /** V_{t-1}, v_t (E rows) → V_t */
  push(V: readonly Float64Array[], v: readonly Float64Array[]): Float64Array[];
  /** V_t → V_{t-1}, v_t (E rows). Inverse of `push`, for values and for their gradients. */
  unpush(V: readonly Float64Array[]): { V: Float64Array[]; v: Float64Array[] };
}

interface StepGradients {
  ds: Float64Array;
  dd: Float64Array;
  du: Float64Array;
}

/** Strengths and rows [M], both from bottom to top. */
interface Rows {
  s: Float64Array;
  V: Float64Array[];
}

/** Makes a row memory a Kind, with push and pop as its controls. */
export const kindOfRows = (memory: RowMemory): Kind<Rows, { ds: Float64Array; dV: Float64Array[] }> => ({
  empty: () => ({ s: new Float64Array(0), V: [] }),
  step({ s, V }, [d, u], v) {
    const after = { s: memory.step(s, d, u), V: memory.push(V, v) };
    return { after, r: memory.read(after.s, after.V) };
  },
  zeroGradient: ({ s, V }) => ({ ds: new Float64Array(s.length), dV: zeroRows(s.length, V[0]?.length ?? 0) }),
  backward(before, [, u], _v, { s, V }, dr, { ds, dV }) {
    memory.readBackward(s, V, dr, ds, dV);
    const step = memory.stepBackward(before.s, u, ds);
    // The gradient of a value is complete at the step that pushed its row, because no earlier read includes the row.
    const pushed = memory.unpush(dV);
    return { passed: { ds: step.ds, dV: pushed.V }, dControls: [step.dd, step.du], dv: pushed.v };
  },
  strengths: ({ s }) => s,
});
