import { flatOf } from './rows.ts';

/**
 * What a kind of memory is to the model: its step forward and backward, over states that only the kind itself looks
 * into.
 *
 * Controls come as one array [E] each, in the order of src/base/memories.ts; values as E rows [M].
 */
export interface Kind<State = unknown, Gradient = unknown> {
  /** Before the first step, of rows of M; `depth` of kinds with so many cells. */
  empty(M: number, depth: number): State;
  /** → the state after a step, r [Q,M]: E rows, of kinds with cells the first `reads` of them */
  step(
    before: State,
    controls: readonly Float64Array[],
    v: readonly Float64Array[],
    reads: number,
  ): { after: State; r: Float64Array };
  /** What arrives at the last state: nothing. */
  nothing(last: State): Gradient;
  /** dr [Q,M] and what arrives at the state from step t+1 → what is passed to step t−1, gradients of controls and values */
  back(
    before: State,
    controls: readonly Float64Array[],
    v: readonly Float64Array[],
    after: State,
    dr: Float64Array,
    arriving: Gradient,
  ): { passed: Gradient; dControls: Float64Array[]; dv: Float64Array[] };
  /** Strengths that a trace shows, from bottom to top; empty where it has no rows. */
  strengths(state: State): Float64Array;
}

/** States after every step of a sequence, and its reads. */
export interface KindReads {
  read: Float64Array;
  states: unknown[];
}

/** Row n of E rows a step, of a flat array [T,E,M]. */
const rowsOfStep = (flat: ArrayLike<number>, t: number, E: number, M: number): Float64Array[] =>
  Array.from({ length: E }, (_, e) => Float64Array.from({ length: M }, (_, m) => flat[(t * E + e) * M + m]));

/** [E] of every control at step t. */
const controlsAt = (controls: readonly ArrayLike<number>[], t: number, E: number): Float64Array[] =>
  controls.map(all => Float64Array.from({ length: E }, (_, e) => all[t * E + e]));

/** One sequence, all controls [T,E] and values [T,E,M] known. */
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
  const all: Float64Array[] = [];
  let before = kind.empty(M, depth);
  for (let t = 0; t < T; t++) {
    const { after, r } = kind.step(before, controlsAt(controls, t, E), rowsOfStep(value, t, E, M), reads);
    states.push(after);
    all.push(r);
    before = after;
  }
  return { read: flatOf(all), states };
}

/** Gradients of controls [T,E] and values [T,E,M], of dRead [T,E,M] */
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
  // Q·M
  const width = dRead.length / T;
  let arriving = kind.nothing(states[T - 1]);
  for (let t = T - 1; t >= 0; t--) {
    const before = t > 0 ? states[t - 1] : kind.empty(M, depth);
    const dr = Float64Array.from({ length: width }, (_, i) => dRead[t * width + i]);
    const [u, v] = [controlsAt(controls, t, E), rowsOfStep(value, t, E, M)];
    const made = kind.back(before, u, v, states[t], dr, arriving);
    made.dControls.forEach((du, c) => {
      dControls[c].set(du, t * E);
    });
    dValue.set(flatOf(made.dv), t * E * M);
    arriving = made.passed;
  }
  return { dControls, dValue };
}
