/**
 * A stack or queue in float64 for sequences that are too long for the reference: it stores lists of what each
 * step popped and read, instead of T×T strengths. On short sequences, a test compares it with the reference.
 */
export interface LongMemory {
  read: Float64Array;
  dPush: Float64Array;
  dPop: Float64Array;
  dValue: Float64Array;
}

interface Step {
  removed: number[];
  boundary: number | undefined;
  reads: { row: number; weight: number; whole: boolean }[];
}

/** Forward and backward pass of one sequence, from an empty memory. push, pop [T]; value, dRead [T,M] */
export function longMemory(
  kind: 'stack' | 'queue',
  push: Float32Array,
  pop: Float32Array,
  value: Float32Array,
  dRead: Float32Array,
): LongMemory {
  const T = push.length;
  const M = value.length / T;
  const results = {
    read: new Float64Array(T * M),
    dPush: new Float64Array(T),
    dPop: new Float64Array(T),
    dValue: new Float64Array(T * M),
  };
  const strength = new Float64Array(T);
  // Live rows start at `lo`; the last row of a stack is its top.
  const rows: number[] = [];
  let lo = 0;
  const steps: Step[] = [];
  for (let t = 0; t < T; t++) {
    const step: Step = { removed: [], boundary: undefined, reads: [] };
    let rest: number = pop[t];
    while (rows.length > lo) {
      const row = kind === 'stack' ? rows[rows.length - 1] : rows[lo];
      if (strength[row] > rest) {
        if (rest > 0) step.boundary = row;
        strength[row] -= rest;
        break;
      }
      rest -= strength[row];
      strength[row] = 0;
      step.removed.push(row);
      if (kind === 'stack') rows.pop();
      else lo++;
    }
    strength[t] = push[t];
    rows.push(t);
    let left = 1;
    for (let k = 0; k < rows.length - lo && left > 0; k++) {
      const row = kind === 'stack' ? rows[rows.length - 1 - k] : rows[lo + k];
      const weight = Math.min(strength[row], left);
      step.reads.push({ row, weight, whole: strength[row] <= left });
      for (let m = 0; m < M; m++) results.read[t * M + m] += weight * value[row * M + m];
      left -= weight;
    }
    steps.push(step);
  }
  const ds = new Float64Array(T);
  // In a queue, a row pushed with strength 0 gets a gradient only at the step that pushes it: later it is at a tie.
  const passes = (row: number, t: number): boolean => kind === 'stack' || push[row] > 0 || row === t;
  for (let t = T - 1; t >= 0; t--) {
    const { removed, boundary, reads } = steps[t];
    reads.forEach(({ row, weight, whole }, k) => {
      let g = 0;
      for (let m = 0; m < M; m++) {
        g += dRead[t * M + m] * value[row * M + m];
        results.dValue[row * M + m] += weight * dRead[t * M + m];
      }
      if (whole) {
        if (passes(row, t)) ds[row] += g;
      } else {
        for (const nearer of reads.slice(0, k)) if (passes(nearer.row, t)) ds[nearer.row] -= g;
      }
    });
    results.dPush[t] = ds[t];
    const gb = boundary === undefined ? 0 : ds[boundary];
    results.dPop[t] = -gb;
    for (const row of removed) ds[row] = kind === 'stack' || push[row] > 0 ? gb : 0;
  }
  return results;
}
