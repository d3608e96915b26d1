import type { Kind } from './kind.ts';
import { flatOf, rowsOf } from './rows.ts';

/**
 * The tape of Delétang et al. 2023 ("Neural Networks and the Chomsky Hierarchy", the Tape-RNN) with the actions left,
 * right and stay, in float64. The tape is a ring of N = depth cells [N][M], initially 0. Cell 0 is under the head, and
 * cell i lies i places to its right: the head stays at index 0, and a move shifts the cells. A step writes, then moves:
 *
 *   w_t[0] = v_t,   w_t[i] = s_{t−1}[i] for i > 0
 *   s_t[i] = a_left·w_t[i−1] + a_right·w_t[i+1] + a_stay·w_t[i]     (i − 1 and i + 1 modulo N)
 *   r_t = s_t[0], or (s_t[0], …, s_t[k−1]) if k cells are read
 *
 * Left and right are directions of the head; the published code names them after the direction in which the tape moves.
 * The published code also has two actions that jump by the length of the input; they are left out here.
 */
export const tape: Kind<Float64Array[], Float64Array[]> = {
  empty: (M, depth) => Array.from({ length: depth }, () => new Float64Array(M)),

  step(before, [[left], [right], [stay]], [v], reads) {
    const w = written(before, v);
    const after = w.map((here, i) =>
      here.map((x, m) => left * cellOf(w, i - 1)[m] + right * cellOf(w, i + 1)[m] + stay * x),
    );
    return { after, r: flatOf(after.slice(0, reads)) };
  },

  zeroGradient: last => last.map(row => new Float64Array(row.length)),

  /**
   * g_i is ds_t[i], plus dr_t[i] for the cells that are read:
   *   da_left = Σ_i g_i · w_t[i−1],  da_right = Σ_i g_i · w_t[i+1],  da_stay = Σ_i g_i · w_t[i]
   *   dw_t[i] = a_left·g_{i+1} + a_right·g_{i−1} + a_stay·g_i
   *   dv_t = dw_t[0],  ds_{t−1}[0] = 0 (the write replaces it),  ds_{t−1}[i] = dw_t[i] for i > 0
   */
  backward(before, [[left], [right], [stay]], [v], _after, dr, arriving) {
    const w = written(before, v);
    const dReads = rowsOf(dr, dr.length / v.length);
    const g = arriving.map((row, i) => row.map((x, m) => x + (dReads[i]?.[m] ?? 0)));
    const sum = (move: number): Float64Array =>
      Float64Array.of(g.reduce((total, row, i) => total + dot(row, cellOf(w, i + move)), 0));
    const dw = g.map((row, i) =>
      row.map((x, m) => left * cellOf(g, i + 1)[m] + right * cellOf(g, i - 1)[m] + stay * x),
    );
    const [dv, ...others] = dw;
    return {
      passed: [new Float64Array(v.length), ...others],
      dControls: [sum(-1), sum(+1), sum(0)],
      dv: [dv],
    };
  },

  strengths: () => new Float64Array(0),
};

const written = ([, ...others]: readonly Float64Array[], v: Float64Array): Float64Array[] => [v, ...others];

/** Cell i of a ring. */
const cellOf = (ring: readonly Float64Array[], i: number): Float64Array =>
  ring[(i + ring.length) % ring.length];

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, m) => sum + x * b[m], 0);
