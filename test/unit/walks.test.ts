import { describe, expect, test } from 'vitest';
import { MEMORY_NAMES, type MemoryName, memoryKind } from '../../src/base/memories.ts';
import { Rng } from '../../src/base/rng.ts';
import { profileOf } from '../../src/gpu/profile.ts';
import { rangesOf, SliceSteps, stepCostOfRows } from '../../src/kernels/slices.ts';
import { walksOf } from '../../src/kernels/walks.ts';
import { memoryForward } from '../../src/reference/memory.ts';

/**
 * The row counts of src/kernels/walks.ts are at least those that follow from the strengths
 * of the reference, and no input makes the work of a submission unbounded.
 */

const RANGES: Record<string, (rng: Rng) => number> = {
  usual: rng => rng.uniform(),
  small: rng => 0.05 * rng.uniform(),
  'zeros and ones': rng => Math.floor(2 * rng.uniform()),
};

/** Kinds that walk over rows. In the other kinds every step costs the same, whatever the strengths. */
const KINDS = MEMORY_NAMES.filter(name => memoryKind(name).rows);

describe.each(KINDS)('%s', kind => {
  const { ends: E } = memoryKind(kind);

  test.each(Object.keys(RANGES))(
    'the count of each step is an upper bound on the rows that it visits: %s strengths',
    range => {
      const [B, T] = [2, 60];
      const rng = new Rng(4, 1, T);
      const draw = () => Float32Array.from({ length: B * T * E }, () => RANGES[range](rng));
      const [push, pop] = [draw(), draw()];
      const walks = walksOf(kind, push, pop, B, T, 1e6)!;
      const needed = new Float64Array(T);
      const reads = new Map<string, number>();
      for (let b = 0; b < B; b++) {
        const of = (all: Float32Array) => all.subarray(b * T * E, (b + 1) * T * E);
        const { strengths } = memoryForward(kind, [of(push), of(pop)], new Float32Array(T * E));
        for (let t = 0; t < T; t++) {
          // In the order of rows from the bottom to the top.
          const rows = Array.from(strengths[t], (s, i) => ({ s, i })).filter(({ s }) => s > 0);
          let visited = 0;
          for (const end of kind === 'deque' ? ['top', 'bottom'] : [kind === 'queue' ? 'bottom' : 'top']) {
            let left = 1;
            for (const { s, i } of end === 'top' ? rows.toReversed() : rows) {
              if (left <= 1e-6) break;
              left -= s;
              visited++;
              const row = `${b} ${kind === 'deque' ? i - strengths[t].length / 2 : i}`;
              reads.set(row, (reads.get(row) ?? 0) + 1);
            }
          }
          needed[t] = Math.max(needed[t], visited);
        }
      }
      // The bound also counts one more row at each end, rows of strength 0, and popped rows.
      let excess = 0;
      for (let t = 0; t < T; t++) {
        expect(walks.perStep[t], `step ${t}`).toBeGreaterThanOrEqual(needed[t]);
        excess += walks.perStep[t] - needed[t];
      }
      expect(excess / T).toBeLessThan(range === 'small' ? 45 : 12);
      expect(walks.perRow).toBeGreaterThanOrEqual(Math.max(...reads.values()));
      expect(walksOf(kind, push, pop, B, T, 10)!.perRow).toBe(Infinity);
    },
  );
});

/** Inputs with which a read walks over the rows of all steps, or a row is reached by the reads of all steps. */
const WORST: Record<string, (t: number) => number> = {
  'every row is tiny': () => 1e-6,
  'one row has all the strength': t => (t === 0 ? 1 : 0),
};

describe.each(Object.keys(WORST))('%s', worst => {
  test.each<MemoryName>(KINDS)('the work of a submission is bounded: %s', kind => {
    const [T, M] = [65_536, 64];
    const cells = M / 4;
    const { ends: E } = memoryKind(kind);
    const push = Float32Array.from({ length: T * E }, (_, i) => WORST[worst](Math.floor(i / E)));
    const { walk } = profileOf('gpu').overTime;
    const walks = walksOf(kind, push, new Float32Array(T * E), 1, T, walk.perSubmission / cells)!;
    const longest = Math.max(walks.perRow, ...walks.perStep.subarray(T - 1));
    expect(longest).toBeGreaterThanOrEqual(T);
    // Too much for the form parallel over time: one invocation would
    // load a million elements, and all together 30 billion.
    expect(longest * cells).toBeGreaterThan(walk.perInvocation);
    // A slice has at most as many rows as a slice of usual steps, or it is a single step.
    const steps = new SliceSteps(100 * M).steps(1);
    const slices = rangesOf(T, steps, 'forward', t => stepCostOfRows(walks.perStep[t])).map(
      ({ from, to }) => ({
        steps: to - from,
        rows: walks.perStep.subarray(from, to).reduce((sum, rows) => sum + rows, 0),
      }),
    );
    for (const slice of slices) {
      expect(slice.steps).toBeLessThanOrEqual(steps);
      if (slice.steps > 1) expect(slice.rows).toBeLessThanOrEqual(32 * steps);
      else expect(slice.rows).toBeLessThanOrEqual(E * E * T + 4);
    }
    const usual = rangesOf(T, steps, 'forward');
    const last = usual[usual.length - 1];
    // A slice that is cut by the number of steps alone would have far more rows.
    if (worst === 'every row is tiny')
      expect(walks.perStep.subarray(last.from, last.to).reduce((sum, rows) => sum + rows, 0)).toBeGreaterThan(
        100 * 32 * steps,
      );
  });
});
