import { oneEnded } from './one-ended.ts';

/**
 * The neural queue as in the paper (equations 1, 4 and 5, Appendix A), in float64: push at the top, pop and read at the
 * bottom, where the oldest rows are. Every step keeps all of its strengths.
 *
 *   V_t[i] = v_t for i = t, else V_{t-1}[i]                                          (1)
 *   s_t[i] = max(0, s_{t-1}[i] − max(0, u_t − Σ_{j<i} s_{t-1}[j]))   for i < t       (4)
 *   s_t[t] = d_t
 *   r_t = Σ_i min(s_t[i], max(0, 1 − Σ_{j<i} s_t[j])) · V_t[i]                       (5)
 */
export const queue = oneEnded('bottom');
