import { flatOf } from './rows.ts';

/**
 * The interface between a kind of memory and the model: one step forward and backward. Only the kind itself knows the
 * contents of its states.
 *
 * Each control is an array [E], in the order of src/base/memories.ts. Values are E rows [M]. E is the number of ends, Q
 * the number of rows read per step.
 */
export interface Kind<State = unknown, Gradient = unknown> {
  /** The state before the first step, for rows of M numbers. `depth`: number of cells, for kinds that have cells. */
  empty(M: number, depth: number): State;
  /** → the state after the step, and r [Q,M]: one row per end; for kinds that have cells, the first `reads` cells */
  step(
    before: State,
    controls: readonly Float64Array[],
    v: readonly Float64Array[],
    reads: number,
  ): { after: State; r: Float64Array };
  /** A gradient of zeros for `last`, the state after the last step. */
  zeroGradient(last: State): Gradient;
  /**
   * dr [Q,M], and `arriving`, the gradient that step t+1 passed for the state after this step (may be changed in place)
   * → `passed`, the gradient of the state before the step, and the gradients of controls and values
   */
  backward(
    before: State,
    controls: readonly Float64Array[],
    v: readonly Float64Array[],
    after: State,
    dr: Float64Array,
    arriving: Gradient,
  ): { passed: Gradient; dControls: Float64Array[]; dv: Float64Array[] };
  /** Strengths for a trace, from bottom to top. Empty if the kind has no rows. */
  strengths(state: State): Float64Array;
}

/** The reads of a sequence, flat [T,Q,M], and the state after every step. */
export interface KindReads {
  read: Float64Array;
  states: unknown[];
}

/** The E rows [M] of step t of a flat array [T,E,M]. */
const rowsOfStep = (flat: ArrayLike<number>, t: number, E: number, M: number): Float64Array[] =>
  Array.from({ length: E }, (_, e) => Float64Array.from({ length: M }, (_, m) => flat[(t * E + e) * M + m]));

/** Every control [E] at step t of arrays [T,E]. */
const controlsAt = (controls: readonly ArrayLike<number>[], t: number, E: number): Float64Array[] =>
  controls.map(all => Float64Array.from({ length: E }, (_, e) => all[t * E + e]));

/** Forward pass of one sequence from an empty memory. controls [T,E] each, value [T,E,M] → reads [T,Q,M], states [T] */
export function kindForward(
  kind: Kind,
  E: number,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  depth: number,
  reads = 1,
): KindReads {
  const T = controls[0].length / E;
  const M = value.length / (T * E);
  const states: unknown[] = [];
  const read: Float64Array[] = [];
  let before = kind.empty(M, depth);
  for (let t = 0; t < T; t++) {
    const { after, r } = kind.step(before, controlsAt(controls, t, E), rowsOfStep(value, t, E, M), reads);
    states.push(after);
    read.push(r);
    before = after;
  }
  return { read: flatOf(read), states };
}

/** Backward pass of one sequence. dRead [T,Q,M] → gradients of controls [T,E] and values [T,E,M] */
export function kindBackward(
  kind: Kind,
  E: number,
  controls: readonly ArrayLike<number>[],
  value: ArrayLike<number>,
  states: readonly unknown[],
  dRead: ArrayLike<number>,
  depth: number,
): { dControls: Float64Array[]; dValue: Float64Array } {
  const T = states.length;
  const M = value.length / (T * E);
  const dControls = controls.map(() => new Float64Array(T * E));
  const dValue = new Float64Array(T * E * M);
  const width = dRead.length / T; // Q·M
  let arriving = kind.zeroGradient(states[T - 1]);
  for (let t = T - 1; t >= 0; t--) {
    const before = t > 0 ? states[t - 1] : kind.empty(M, depth);
    const dr = Float64Array.from({ length: width }, (_, i) => dRead[t * width + i]);
    const v = rowsOfStep(value, t, E, M);
    const step = kind.backward(before, controlsAt(controls, t, E), v, states[t], dr, arriving);
    step.dControls.forEach((dControl, c) => {
      dControls[c].set(dControl, t * E);
    });
    dValue.set(flatOf(step.dv), t * E * M);
    arriving = step.passed;
  }
  return { dControls, dValue };
}
