import { oneEnded } from './one-ended.ts';

/**
 * The neural stack as in the paper (equations 1–3, Appendix A), in float64: push, pop and read at the top. Every step
 * keeps all of its strengths, so a sequence has T·(T+1)/2 of them. Only terms that are zero are skipped.
 *
 *   V_t[i] = v_t for i = t, else V_{t-1}[i]                                          (1)
 *   s_t[i] = max(0, s_{t-1}[i] − max(0, u_t − Σ_{j>i} s_{t-1}[j]))   for i < t       (2)
 *   s_t[t] = d_t
 *   r_t = Σ_i min(s_t[i], max(0, 1 − Σ_{j>i} s_t[j])) · V_t[i]                       (3)
 */
export const stack = oneEnded('top');
