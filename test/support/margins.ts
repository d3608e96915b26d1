import type { ModelSpec } from '../../src/base/parameters.ts';
import { Rng } from '../../src/base/rng.ts';
import { type End, pop } from '../../src/reference/ends.ts';
import { ROW_MEMORIES, type RowName } from '../../src/reference/memory.ts';
import type { SequenceActivations } from '../../src/reference/model.ts';

/**
 * The distance of a memory from its nearest tie: the smallest difference between the
 * two arguments of a max or min. A change of this size could make the other argument
 * win. Rows of strength 0 are ignored, because both arguments give 0 there.
 */

/** Strengths in the order in which this end reaches them. */
const from = (end: End, strengths: Float64Array): Float64Array =>
  end === 'top' ? strengths.toReversed() : strengths;

/** The margin of popping u at an end (equations 2, 4, 7 and 8). previous [n] */
export function popMargin(previous: Float64Array, u: number, end: End = 'top'): number {
  let margin = Infinity;
  let nearer = 0;
  for (const s of from(end, previous)) {
    if (s === 0) continue;
    const reach = u - nearer;
    margin = Math.min(margin, Math.abs(reach), Math.abs(s - Math.max(0, reach)));
    nearer += s;
  }
  return margin;
}

/** The margin of reading at an end (equations 3, 5, 10 and 11). strengths [n] */
export function readMargin(strengths: Float64Array, end: End = 'top'): number {
  let margin = Infinity;
  let nearer = 0;
  for (const s of from(end, strengths)) {
    if (s === 0) continue;
    const room = 1 - nearer;
    margin = Math.min(margin, Math.abs(room), Math.abs(s - Math.max(0, room)));
    nearer += s;
  }
  return margin;
}

/** The ends that are popped and read, in the order of the pops. */
const ENDS: Record<RowName, End[]> = { stack: ['top'], queue: ['bottom'], deque: ['top', 'bottom'] };

/** The margin of a whole sequence. push [T,E], pops [T,E] */
export function memoryMargin(kind: RowName, push: ArrayLike<number>, pops: ArrayLike<number>): number {
  const ends = ENDS[kind];
  const E = ends.length;
  let margin = Infinity;
  let s: Float64Array = new Float64Array(0);
  for (let t = 0; t < push.length / E; t++) {
    const of = (all: ArrayLike<number>): number[] => ends.map((_, e) => all[t * E + e]);
    let left = s;
    ends.forEach((end, e) => {
      const u = pops[t * E + e];
      margin = Math.min(margin, popMargin(left, u, end));
      left = pop(left, u, end);
    });
    s = ROW_MEMORIES[kind].step(s, of(push), of(pops));
    for (const end of ends) margin = Math.min(margin, readMargin(s, end));
  }
  return margin;
}

/** The smallest margin of a model's memories over the sequences of a batch. */
export function modelMargin(
  { memory, memories }: ModelSpec,
  sequences: readonly SequenceActivations[],
): number {
  // Kinds without rows have no branches.
  if (!(memory in ROW_MEMORIES)) return Infinity;
  const kind = memory as RowName;
  const E = ROW_MEMORIES[kind].ends;
  let margin = Infinity;
  for (const { steps } of sequences) {
    for (let k = 0; k < memories; k++) {
      const ofMemory = (all: Float64Array): number[] => [...all.subarray(k * E, (k + 1) * E)];
      margin = Math.min(
        margin,
        memoryMargin(
          kind,
          steps.flatMap(({ controls }) => ofMemory(controls[0])),
          steps.flatMap(({ controls }) => ofMemory(controls[1])),
        ),
      );
    }
  }
  return margin;
}

/** Returns the first draw that is far enough from any tie for central differences to stay within one smooth piece. */
export function drawAwayFromTies<Draw>(
  draw: (rng: Rng) => Draw,
  marginOf: (drawn: Draw) => number,
  { seed = 1, minMargin = 1e-3, tries = 2000 } = {},
): Draw {
  for (let attempt = 0; attempt < tries; attempt++) {
    const drawn = draw(new Rng(seed, 100, attempt));
    if (marginOf(drawn) >= minMargin) return drawn;
  }
  throw new Error(`none of ${tries} draws was ${minMargin} away from a tie: draw fewer or larger strengths.`);
}

/** n numbers uniform in [low, high). */
export const uniforms = (rng: Rng, n: number, low: number, high: number): Float64Array =>
  Float64Array.from({ length: n }, () => low + (high - low) * rng.uniform());
