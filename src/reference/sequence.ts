import { flatOf, rowsOf, zeroRows } from './rows.ts';

/**
 * What every kind of memory can do, whatever its ends. E is 1, but 2 for a deque: (top, bottom). Strengths s and
 * rows V go from bottom to top, dead rows included.
 */
export interface Memory {
  /** E */
  readonly ends: number;
  /** Pops u [E], then pushes with strengths d [E]: s_{t-1} → s_t. */
  step(previous: Float64Array, d: ArrayLike<number>, u: ArrayLike<number>): Float64Array;
  /** s_{t-1}, u [E], ds_t → ds_{t-1}, dd [E], du [E] */
  stepBackward(previous: Float64Array, u: ArrayLike<number>, ds: Float64Array): StepGradients;
  /** s_t, V_t → r_t [E,M] */
  read(strengths: Float64Array, V: readonly Float64Array[]): Float64Array;
  /** s_t, V_t, dr_t [E,M] → ds_t and dV_t, both added to */
  readBackward(
    strengths: Float64Array,
    V: readonly Float64Array[],
    dr: Float64Array,
    ds: Float64Array,
    dV: readonly Float64Array[],
  ): void;
  /** V_{t-1}, v_t (E rows) → V_t */
  push(V: readonly Float64Array[], v: readonly Float64Array[]): Float64Array[];
  /** V_t → V_{t-1}, v_t (E rows): undoes `push`, for values and for their gradients */
  unpush(V: readonly Float64Array[]): { V: Float64Array[]; v: Float64Array[] };
}

export interface StepGradients {
  ds: Float64Array;
  dd: Float64Array;
  du: Float64Array;
}

/** A sequence's reads [T,E,M], and the strengths after every step, from bottom to top. */
export interface SequenceReads {
  read: Float64Array;
  strengths: Float64Array[];
}

export interface SequenceGradients {
  dPush: Float64Array;
  dPop: Float64Array;
  dValue: Float64Array;
}

/** Row n of a flat array whose rows have `width` numbers. */
const rowOf = (flat: ArrayLike<number>, n: number, width: number): Float64Array =>
  Float64Array.from({ length: width }, (_, k) => flat[n * width + k]);

/** V_T: the rows after all T steps. value [T,E,M] */
function rowsAfter(memory: Memory, value: ArrayLike<number>, T: number): Float64Array[] {
  const E = memory.ends;
  const all = rowsOf(value, T * E);
  let V: Float64Array[] = [];
  for (let t = 0; t < T; t++) V = memory.push(V, all.slice(t * E, (t + 1) * E));
  return V;
}

/**
 * One sequence from an empty memory, all of push, pop and values known.
 *
 * push d [T,E], pop u [T,E], value v [T,E,M] → read r [T,E,M], strengths s_t of every step
 */
export function sequenceForward(
  memory: Memory,
  push: ArrayLike<number>,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
): SequenceReads {
  const E = memory.ends;
  const T = push.length / E;
  const all = rowsOf(value, T * E);
  const strengths: Float64Array[] = [];
  const reads: Float64Array[] = [];
  let s: Float64Array = new Float64Array(0);
  let V: Float64Array[] = [];
  for (let t = 0; t < T; t++) {
    s = memory.step(s, rowOf(push, t, E), rowOf(pop, t, E));
    V = memory.push(V, all.slice(t * E, (t + 1) * E));
    strengths.push(s);
    reads.push(memory.read(s, V));
  }
  return { read: flatOf(reads), strengths };
}

/**
 * pop u [T,E], value v [T,E,M], strengths of the forward pass, dRead [T,E,M] → dPush [T,E], dPop [T,E],
 * dValue [T,E,M]. (The push strengths are in `strengths`.)
 */
export function sequenceBackward(
  memory: Memory,
  pop: ArrayLike<number>,
  value: ArrayLike<number>,
  strengths: readonly Float64Array[],
  dRead: ArrayLike<number>,
): SequenceGradients {
  const E = memory.ends;
  const T = pop.length / E;
  const M = value.length / (T * E);
  const dPush = new Float64Array(T * E);
  const dPop = new Float64Array(T * E);
  const dValue = new Float64Array(T * E * M);
  let V = rowsAfter(memory, value, T);
  let dV = zeroRows(V.length, M);
  let ds: Float64Array = new Float64Array(V.length);
  for (let t = T - 1; t >= 0; t--) {
    memory.readBackward(strengths[t], V, rowOf(dRead, t, E * M), ds, dV);
    const previous = t > 0 ? strengths[t - 1] : new Float64Array(0);
    const step = memory.stepBackward(previous, rowOf(pop, t, E), ds);
    dPush.set(step.dd, t * E);
    dPop.set(step.du, t * E);
    ds = step.ds;
    // A value has all of its gradient where its row was pushed: no earlier read saw it.
    const pushed = memory.unpush(dV);
    dValue.set(flatOf(pushed.v), t * E * M);
    dV = pushed.V;
    V = memory.unpush(V).V;
  }
  return { dPush, dPop, dValue };
}
