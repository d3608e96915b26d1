import { HEADER, SLICE, WHOLE } from '../../shaders/lib/batch.wgsl.ts';
import type { Bound } from '../gpu/device.ts';
import type { Launch, Size } from '../kernels/launch.ts';
import { rangesOf } from '../kernels/slices.ts';

/** Launches with their buffers, and how they are cut into submissions. */

export interface Ready {
  bound: Bound;
  groups: Launch['groups'];
  over: Launch['over'];
}
export type ReadyWork = Ready | { loop: 'forward' | 'backward'; launches: Ready[] };

/** Bytes before the slice in the header of a batch. */
export const SLICE_OFFSET = 4 * HEADER.indexOf(SLICE[0]);
type Slice = Record<(typeof SLICE)[number], number>;

/** Work of one submission: a launch with its slice, or the steps of a loop. */
export interface Piece {
  work: ReadyWork;
  slice?: Slice;
  range?: { from: number; to: number };
}

/** Cuts what goes over time into slices, a submission each; what stands between goes with its neighbour. */
export function cut(work: readonly ReadyWork[], size: Size, steps: number): Piece[][] {
  const pieces: Piece[][] = [[]];
  for (const one of work) {
    const over = 'loop' in one ? { way: one.loop, rounds: () => 1 } : one.over;
    if (!over) {
      pieces[pieces.length - 1].push({ work: one });
      continue;
    }
    const rounds = over.rounds(size);
    let first = 1;
    for (let round = 0; round < rounds; round++) {
      for (const range of rangesOf(size.T, steps, over.way)) {
        const times = { sliceFrom: range.from, sliceTo: range.to };
        const slice = { ...WHOLE, ...times, ...(rounds > 1 && { round, rounds: 1 }), first };
        if (pieces[pieces.length - 1].length > 0 && first === 0) pieces.push([]);
        // A submission has one slice: it is written before it.
        else if (pieces[pieces.length - 1].some(piece => piece.slice)) pieces.push([]);
        pieces[pieces.length - 1].push({ work: one, range, ...(!('loop' in one) && { slice }) });
        first = 0;
      }
    }
  }
  return pieces;
}
