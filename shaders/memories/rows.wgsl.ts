import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { type MemoryCode, type MemoryOptions, shared } from './kind.wgsl.ts';
import { blockBackward, blockForward, crossing } from './rows-block.wgsl.ts';
import { laneBackward, laneForward } from './rows-lane.wgsl.ts';

/**
 * Stack, queue and deque: one O(1)-per-step deque with an undo log is all three. State of one memory of one sequence:
 *
 *   slots[i]      (strength, row) of slot i. Live are slots [lo, hi): lo is the bottom, hi - 1 the top. A row is
 *                 the number of its push: t, or for a deque 2t (top) and 2t + 1 (bottom).
 *   undoLog[i]       what step t destroyed at an end, i = t or for a deque 2t + end: (edge after its pop | REACHED,
 *                 strength of the boundary row before the pop, the slot that the push overwrote). The edge is hi for
 *                 a pop from the top, lo for one from the bottom. REACHED: the pop took something from that row.
 *   dStrength[i]  gradient of each live slot's strength, in the backward pass.
 *
 * Every step pops, pushes, reads: a stack at the top; a queue pops and reads the bottom and is pushed to at the top; a
 * deque does all at both ends, the top first. A deque's slots begin in the middle of 2T.
 */
export const rows: MemoryCode = {
  functions: (o, pass) => wgsl`
const REACHED = 0x80000000u;
${placeBefore(o)}
#if ${o.form === 'lane'}
${pass === 'forward' ? laneForward(o) : laneBackward(o)}
#else
${crossing(o)}
${pass === 'forward' ? blockForward(o) : blockBackward(o)}
#endif
#if ${pass === 'backward'}
fn clearGradient(k: u32, place: vec2u) {
  ${shared(o, 'i', 'place.x', 'place.y', 'dStrength[slotAt(k, i)] = 0.0;')}
}
#endif
`,
};

/** Where the live slots begin and end, from the log. */
const placeBefore = ({ kind }: MemoryOptions): string => wgsl`
fn placeAfter(k: u32, t: u32) -> vec2u {
#if ${kind === 'stack'}
  return vec2u(0u, (undoLog[undoAt(k, t)].x & ~REACHED) + 1u);
#elif ${kind === 'queue'}
  return vec2u(undoLog[undoAt(k, t)].x & ~REACHED, t + 1u);
#else
  return vec2u((undoLog[undoAt(k, 2u * t + 1u)].x & ~REACHED) - 1u, (undoLog[undoAt(k, 2u * t)].x & ~REACHED) + 1u);
#endif
}
fn placeBefore(k: u32, t: u32) -> vec2u {
  // A deque begins in the middle of 2T slots.
  if (t == 0u) { return vec2u(${kind === 'deque' ? 'stepCount()' : '0u'}); }
  return placeAfter(k, t - 1u);
}
`;
