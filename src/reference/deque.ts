import { pop, popBackward, read, readBackward } from './ends.ts';
import type { RowMemory } from './row-memory.ts';
import { flatOf } from './rows.ts';

/**
 * The neural deque as in the paper (equations 6–11, Appendix A), in float64: push, pop and read at both ends. Every
 * step keeps all of its strengths.
 *
 * End 0 is the top, end 1 the bottom, in every array of two. Rows are numbered from the bottom (0) to the top. Step t
 * (from 0) has 2(t+1) rows: the new bottom row, all old rows, the new top row. The old rows in equations 7 and 8 are
 * all 2t rows of step t−1 (the range printed in the paper is one short).
 */
export const deque: RowMemory = {
  ends: 2,

  /**
   * Pops from the top, then pops from the bottom of what is left, then pushes at both ends.
   *
   *   top[i]   = max(0, s_{t-1}[i] − max(0, u[0] − Σ_{j>i} s_{t-1}[j]))   (7)
   *   both[i]  = max(0, top[i] − max(0, u[1] − Σ_{j<i} top[j]))           (8)
   *   s_t      = d[1], both[0], …, both[2t−1], d[0]                       (9)
   *
   * previous [2t], d [2], u [2] → s_t [2(t+1)]
   */
  step(previous, d, u) {
    const top = pop(previous, u[0], 'top');
    const both = pop(top, u[1], 'bottom');
    const s = new Float64Array(previous.length + 2);
    s[0] = d[1];
    s.set(both, 1);
    s[s.length - 1] = d[0];
    return s;
  },

  /** previous [2t], u [2], ds_t [2(t+1)] → ds_{t-1} [2t], dd [2], du [2] */
  stepBackward(previous, u, ds) {
    const n = previous.length;
    const top = pop(previous, u[0], 'top');
    const fromBoth = popBackward(top, u[1], ds.slice(1, n + 1), 'bottom');
    const fromTop = popBackward(previous, u[0], fromBoth.dPrevious, 'top');
    return {
      ds: fromTop.dPrevious,
      dd: Float64Array.of(ds[n + 1], ds[0]),
      du: Float64Array.of(fromTop.du, fromBoth.du),
    };
  },

  /**
   * Reads up to one unit from the top, and up to one unit from the bottom. A row may be part of both reads.
   *
   *   r[0] = Σ_i min(s[i], max(0, 1 − Σ_{j>i} s[j])) · V[i]   (10)
   *   r[1] = Σ_i min(s[i], max(0, 1 − Σ_{j<i} s[j])) · V[i]   (11)
   *
   * strengths [n], V: n rows of [M] → r [2,M]
   */
  read: (strengths, V) => flatOf([read(strengths, V, 'top'), read(strengths, V, 'bottom')]),

  /** dr [2,M] → ds [n] and dV (n rows of [M]); adds to both. */
  readBackward(strengths, V, dr, ds, dV) {
    const M = dr.length / 2;
    readBackward(strengths, V, dr.slice(0, M), ds, dV, 'top');
    readBackward(strengths, V, dr.slice(M), ds, dV, 'bottom');
  },

  /** Equation 6. */
  push: (V, [top, bottom]) => [bottom, ...V, top],
  unpush: V => ({ V: V.slice(1, -1), v: [V[V.length - 1], V[0]] }),
};
