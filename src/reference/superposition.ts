import type { Kind } from './kind.ts';
import { flatOf, rowsOf } from './rows.ts';

/**
 * The superposition stack of Joulin and Mikolov 2015 ("Inferring Algorithmic Patterns with Stack-Augmented Recurrent
 * Nets"), with the third action of their section 3.2 (no operation; here `stay`), in float64. Its state is its cells
 * [depth][M], the top cell first. Values pushed below the last cell are lost; a pop moves 0 up into the last cell.
 *
 *   s_t[0] = a_push·v_t + a_pop·s_{t−1}[1] + a_stay·s_{t−1}[0]
 *   s_t[i] = a_push·s_{t−1}[i−1] + a_pop·s_{t−1}[i+1] + a_stay·s_{t−1}[i]
 *   r_t = s_t[0], or (s_t[0], …, s_t[k−1]) if k cells are read
 */
export const superposition: Kind<Float64Array[], Float64Array[]> = {
  empty: (M, depth) => zeros(depth, M),

  step(before, [[push], [pop], [stay]], [v], reads) {
    const after = before.map((here, i) =>
      here.map((x, m) => push * aboveOf(before, v, i)[m] + pop * belowOf(before, i)[m] + stay * x),
    );
    return { after, r: flatOf(after.slice(0, reads)) };
  },

  zeroGradient: last => zeros(last.length, last[0].length),

  /**
   * g_i is ds_t[i], plus dr_t[i] for the cells that are read:
   *   da_push = Σ_i g_i · (s_{t−1}[i−1] or v_t),  da_pop = Σ_i g_i · s_{t−1}[i+1],  da_stay = Σ_i g_i · s_{t−1}[i]
   *   ds_{t−1}[i] = a_push·g_{i+1} + a_pop·g_{i−1} + a_stay·g_i,   dv_t = a_push·g_0
   */
  backward(before, [[push], [pop], [stay]], [v], _after, dr, arriving) {
    const dReads = rowsOf(dr, dr.length / v.length);
    const g = arriving.map((row, i) => row.map((x, m) => x + (dReads[i]?.[m] ?? 0)));
    const zero = new Float64Array(v.length);
    const passed = g.map((row, i) =>
      row.map((x, m) => push * (g[i + 1] ?? zero)[m] + pop * (g[i - 1] ?? zero)[m] + stay * x),
    );
    const sum = (other: (i: number) => Float64Array): Float64Array =>
      Float64Array.of(g.reduce((total, row, i) => total + dot(row, other(i)), 0));
    return {
      passed,
      dControls: [sum(i => aboveOf(before, v, i)), sum(i => belowOf(before, i)), sum(i => before[i])],
      dv: [g[0].map(x => push * x)],
    };
  },

  strengths: () => new Float64Array(0),
};

const zeros = (depth: number, M: number): Float64Array[] =>
  Array.from({ length: depth }, () => new Float64Array(M));

const aboveOf = (s: readonly Float64Array[], v: Float64Array, i: number): Float64Array =>
  i === 0 ? v : s[i - 1];

const belowOf = (s: readonly Float64Array[], i: number): Float64Array =>
  s[i + 1] ?? new Float64Array(s[0].length);

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, m) => sum + x * b[m], 0);
