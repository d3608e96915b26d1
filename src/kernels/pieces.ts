import { type SLICE, WHOLE } from '../../shaders/lib/batch.wgsl.ts';
import type { Size, TimeLoop, WorkUnit } from './launch.ts';
import { rangesOf, type StepCost } from './slices.ts';

/** Cuts work into submissions. */

/** The part of the work that a submission of a kernel over time covers: see SLICE in shaders/lib/batch.wgsl.ts. */
export type Slice = Record<(typeof SLICE)[number], number>;

/** Part of a submission: a launch with its slice, or a range of steps of a loop. */
export interface Piece<Name extends string> {
  work: WorkUnit<Name>;
  slice?: Slice;
  range?: { from: number; to: number };
}

/**
 * Cuts work over time into slices with a total cost of at most `steps` each. Returns the pieces of each submission.
 * Every slice starts a new submission, except that the first slice of a unit joins the previous submission unless that
 * contains a slice of a kernel. Launches without `over` always join the previous submission.
 * @param stepCost cost of time step t relative to a usual step (default 1)
 */
export function cut<Name extends string>(
  work: readonly WorkUnit<Name>[],
  size: Size,
  steps: number,
  stepCost?: StepCost,
): Piece<Name>[][] {
  const pieces: Piece<Name>[][] = [[]];
  for (const unit of work) {
    const over: TimeLoop | undefined = 'loop' in unit ? { pass: unit.loop } : unit.over;
    if (!over) {
      pieces[pieces.length - 1].push({ work: unit });
      continue;
    }
    const rounds = over.rounds?.(size) ?? 1;
    let first = 1;
    for (let round = 0; round < rounds; round++) {
      for (const range of rangesOf(size.T, steps, over.pass, stepCost)) {
        const times = { sliceFrom: range.from, sliceTo: range.to };
        const slice = { ...WHOLE, ...times, ...(rounds > 1 && { round, rounds: 1 }), first };
        if (pieces[pieces.length - 1].length > 0 && first === 0) pieces.push([]);
        // A submission has one slice, because the slice is written once, before the submission.
        else if (pieces[pieces.length - 1].some(piece => piece.slice)) pieces.push([]);
        pieces[pieces.length - 1].push({ work: unit, range, ...(!('loop' in unit) && { slice }) });
        first = 0;
      }
    }
  }
  return pieces;
}

/** The pieces of a submission that contains all work: every kernel covers all time steps. */
export const whole = <Name extends string>(work: readonly WorkUnit<Name>[]): Piece<Name>[] =>
  work.map(unit => ({ work: unit }));
