import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { lines } from '../lib/text.ts';
import {
  barrier,
  boundsAt,
  byFirstInvocation,
  divided,
  type MemoryCode,
  type MemoryOptions,
} from './kind.wgsl.ts';
import { blockRows } from './rows-block.wgsl.ts';
import {
  endsRead,
  grow,
  pushes,
  type RowsForm,
  rewindGradients,
  rewindLoads,
  rewindRows,
  rewindStores,
} from './rows-ends.wgsl.ts';
import { laneRows } from './rows-lane.wgsl.ts';

/**
 * Stack, queue and deque: a deque with an undo log, whose steps usually visit only a few rows, implements all three.
 * State of one memory of one sequence:
 *
 *   slots[i]      (strength, push) of slot i. Slots [lo, hi) are live: lo is the bottom, hi - 1 the top. Pushes are
 *                 numbered: t, or for a deque 2t (top) and 2t + 1 (bottom).
 *   undoLog[i]    what step t overwrote at an end; i is t, or for a deque 2t + end: (edge after the pop | REACHED,
 *                 strength of the boundary row before the pop, old contents of the slot pushed to). The edge is hi for
 *                 a pop from the top, lo for a pop from the bottom. REACHED: the pop reduced the boundary row.
 *   dStrength[i]  gradient of the strength of each live slot, in the backward pass.
 *
 * Every step pops, pushes, then reads. A stack does so at the top. A queue pops and reads at the bottom and pushes at
 * the top. A deque does all three at both ends, the top first; its first slots are in the middle of 2T slots.
 */
export const rows: MemoryCode = {
  functions(o, pass) {
    const form = o.form === 'lane' ? laneRows : blockRows;
    return wgsl`
const REACHED = 0x80000000u;
${boundsBefore(o)}
${form.functions(o, pass)}
${pass === 'forward' ? forward(o, form) : backward(o, form)}
`;
  },
};

const forward = (o: MemoryOptions, { pop, read }: RowsForm): string => wgsl`
fn forward(k: u32, t: u32, bounds: vec2u, controls: vec4f) -> vec2u {
  var lo = bounds.x;
  var hi = bounds.y;
  ${lines(endsRead(o.kind), pop)}
  ${barrier(o)}
  ${byFirstInvocation(o, pushes(o.kind))}
  ${grow(o.kind)}
  ${lines(endsRead(o.kind), end => read(o, end))}
  return vec2u(lo, hi);
}
`;

const backward = (o: MemoryOptions, { readBackward }: RowsForm): string => wgsl`
fn clearGradient(k: u32, bounds: vec2u) {
  ${divided(o, 'i', 'bounds.x', 'bounds.y', 'dStrength[slotAt(k, i)] = 0.0;')}
}
fn backward(k: u32, t: u32, bounds: vec2u) -> vec2u {
  let lo = bounds.x;
  let hi = bounds.y;
  ${lines(endsRead(o.kind), end => readBackward(o, end))}
  // Push and pop: first read the log and the gradients …
  let before = ${boundsAt(o, 'k', 't')};
  ${rewindLoads(o.kind)}
  ${barrier(o)}
  // … then rewind the slots.
  ${byFirstInvocation(o, rewindStores(o.kind))}
  ${barrier(o)}
  ${rewindRows(o)}
  ${rewindGradients(o.kind)}
  return before;
}
`;

/**
 * boundsAfter(k, t), boundsBefore(k, t): the bounds (lo, hi) of the live slots after and before step t, from the log.
 */
const boundsBefore = ({ kind }: MemoryOptions): string => wgsl`
fn boundsAfter(k: u32, t: u32) -> vec2u {
#if ${kind === 'stack'}
  return vec2u(0u, (undoLog[undoAt(k, t)].x & ~REACHED) + 1u);
#elif ${kind === 'queue'}
  return vec2u(undoLog[undoAt(k, t)].x & ~REACHED, t + 1u);
#else
  return vec2u((undoLog[undoAt(k, 2u * t + 1u)].x & ~REACHED) - 1u, (undoLog[undoAt(k, 2u * t)].x & ~REACHED) + 1u);
#endif
}
fn boundsBefore(k: u32, t: u32) -> vec2u {
  // A deque starts in the middle of 2T slots.
  if (t == 0u) { return vec2u(${kind === 'deque' ? 'stepCount()' : '0u'}); }
  return boundsAfter(k, t - 1u);
}
`;
