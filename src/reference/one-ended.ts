import { type End, pop, popBackward, read, readBackward } from './ends.ts';
import type { RowMemory } from './row-memory.ts';

/**
 * A memory that pushes at the top, and pops and reads at `end`: a stack if `end` is the top, a queue if it is
 * the bottom. Rows are numbered from 0, oldest first. After step t (from 0) there are t+1 rows.
 */
export const oneEnded = (end: End): RowMemory => ({
  ends: 1,

  /** Pops u (equation 2 or 4), then pushes with strength d. previous [t], d [1], u [1] → s_t [t+1] */
  step(previous, d, u) {
    const t = previous.length;
    const s = new Float64Array(t + 1);
    s.set(pop(previous, u[0], end));
    s[t] = d[0];
    return s;
  },

  /** previous [t], u [1], ds_t [t+1] → ds_{t-1} [t], dd [1], du [1] */
  stepBackward(previous, u, ds) {
    const t = previous.length;
    const popped = popBackward(previous, u[0], ds.slice(0, t), end);
    return { ds: popped.dPrevious, dd: Float64Array.of(ds[t]), du: Float64Array.of(popped.du) };
  },

  /** Equation 3 or 5. */
  read: (strengths, V) => read(strengths, V, end),
  readBackward: (strengths, V, dr, ds, dV) => readBackward(strengths, V, dr, ds, dV, end),

  /** Equation 1. */
  push: (V, [v]) => [...V, v],
  unpush: V => ({ V: V.slice(0, -1), v: V.slice(-1) }),
});
