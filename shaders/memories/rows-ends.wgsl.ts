import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf } from '../../src/base/memories.ts';
import { divided, type MemoryOptions } from './kind.wgsl.ts';

/** What the lane and block forms of stack, queue and deque share: see rows.wgsl.ts. */

/** An end that is popped and read: its number among the ends of the memory, and its side of the slots. */
export interface End {
  index: 0 | 1;
  side: 'top' | 'bottom';
}

/** The ends of a kind, in order. */
export const endsRead = (kind: MemoryOptions['kind']): End[] => {
  if (kind === 'stack') return [{ index: 0, side: 'top' }];
  if (kind === 'queue') return [{ index: 0, side: 'bottom' }];
  return [
    { index: 0, side: 'top' },
    { index: 1, side: 'bottom' },
  ];
};

/** The pop strength of end `index`: the controls are (d, u) of the first end, then (d, u) of the second. */
export const popOf = (index: 0 | 1): string => `controls.${index === 0 ? 'y' : 'w'}`;

/**
 * Condition: gradients pass through a row's strength at a step. For a row pushed with strength 0, every later step
 * computes max(0, s − 0) at s = 0: a tie, whose derivative is that of the left argument, 0. Such a row gets a gradient
 * only from the read of its own step and from the next step's pop. A stack's next pop removes it; a queue or a deque can
 * keep it.
 */
export const passes = (kind: MemoryOptions['kind'], slot: string, step: string): string =>
  kind === 'stack' ? 'true' : `(bitcast<f32>(${slot}.x) > 0.0 || ${slot}.y / ${endsOf(kind)}u == ${step})`;

/**
 * Pushes into slot `at`. The log keeps the slot's old contents, and (edge, reached, before) of the pop of the same end
 * (for a queue, the pop at the bottom).
 */
const push = (
  edge: string,
  reached: string,
  before: string,
  entry: string,
  at: string,
  d: string,
  number: string,
) =>
  wgsl`{
    let at = slotAt(k, ${at});
    let dead = slots[at];
    undoLog[undoAt(k, ${entry})] = vec4u(${edge} | ${reached}, bitcast<u32>(${before}), dead.x, dead.y);
    slots[at] = vec2u(bitcast<u32>(${d}), ${number});
  }`;

/**
 * All pushes of a step, after its pops have set reached0, before0 … of each end. Does not change lo and hi: see grow.
 */
export const pushes = (kind: MemoryOptions['kind']): string => {
  if (kind === 'stack') return push('hi', 'reached0', 'before0', 't', 'hi', 'controls.x', 't');
  if (kind === 'queue') return push('lo', 'reached0', 'before0', 't', 'hi', 'controls.x', 't');
  return `${push('hi', 'reached0', 'before0', '2u * t', 'hi', 'controls.x', '2u * t')}
  ${push('lo', 'reached1', 'before1', '2u * t + 1u', 'lo - 1u', 'controls.z', '2u * t + 1u')}`;
};

/** Extends the live slots by the rows that the step has pushed. */
export const grow = (kind: MemoryOptions['kind']): string => (kind === 'deque' ? 'hi++;\n  lo--;' : 'hi++;');

/** Number of the log entry of a step at end `index`. */
const entryOf = (kind: MemoryOptions['kind'], index: number): string =>
  kind === 'deque' ? `2u * t + ${index}u` : 't';

/**
 * Reads the log, dd0 and dd1 (gradients of the slots pushed to), and g0 and g1 (gradients of the boundary rows of the
 * first and the second end's pop). A boundary row gains strength from a smaller pop, and equally from stronger rows
 * nearer the end, so g is also the gradient of those rows.
 */
export const rewindLoads = (kind: MemoryOptions['kind']): string => {
  const log = (index: number): string => wgsl`
  let entry${index} = undoLog[undoAt(k, ${entryOf(kind, index)})];
  let edge${index} = entry${index}.x & ~REACHED;
  let reached${index} = (entry${index}.x & REACHED) != 0u;
  var g${index} = 0.0;`;
  if (kind !== 'deque') {
    const boundary = kind === 'stack' ? 'edge0 - 1u' : 'edge0';
    return wgsl`${log(0)}
  let pushed0 = ${kind === 'stack' ? 'edge0' : 't'};
  let dd0 = dStrength[slotAt(k, pushed0)];
  if (reached0) { g0 = dStrength[slotAt(k, ${boundary})]; }`;
  }
  return wgsl`${log(0)} ${log(1)}
  let dd0 = dStrength[slotAt(k, edge0)];
  let dd1 = dStrength[slotAt(k, edge1 - 1u)];
  if (reached1) { g1 = dStrength[slotAt(k, edge1)]; }
  // If the bottom's pop removed the boundary row of the top's pop, it emptied the deque, and no gradient passes.
  if (reached0 && edge0 - 1u >= edge1) { g0 = dStrength[slotAt(k, edge0 - 1u)]; }`;
};

/**
 * Restores the slots that pushes overwrote, then the strengths before the pops, the last pop first: both may have
 * reduced the same row.
 */
export const rewindStores = (kind: MemoryOptions['kind']): string => {
  if (kind === 'stack') {
    return `slots[slotAt(k, edge0)] = entry0.zw;
  if (reached0) { slots[slotAt(k, edge0 - 1u)].x = entry0.y; }`;
  }
  if (kind === 'queue') return 'if (reached0) { slots[slotAt(k, edge0)].x = entry0.y; }';
  return `slots[slotAt(k, edge0)] = entry0.zw;
  slots[slotAt(k, edge1 - 1u)] = entry1.zw;
  if (reached1) { slots[slotAt(k, edge1)].x = entry1.y; }
  if (reached0) { slots[slotAt(k, edge0 - 1u)].x = entry0.y; }`;
};

/**
 * Sets the gradients of the rows that a pop removed to that of its boundary row. In the block form the invocations
 * divide the rows.
 */
export const rewindRows = (o: MemoryOptions): string => {
  const { kind } = o;
  const rows = (from: string, to: string, g: string, when = passes(kind, 'slots[to]', 't - 1u')): string =>
    divided(
      o,
      'i',
      from,
      to,
      `let to = slotAt(k, i);
    dStrength[to] = select(0.0, ${g}, ${when});`,
    );
  if (kind === 'stack') return rows('edge0', 'before.y', 'g0');
  if (kind === 'queue') return rows('before.x', 'edge0', 'g0');
  // The gradient from the bottom's pop must pass back through the top's pop, which came before it. A row of strength 0
  // is a tie there: its gradient is 0.
  return `${rows('edge0', 'before.y', 'g0')}
  ${rows('before.x', 'edge1', 'g1', 'bitcast<f32>(slots[to].x) > 0.0')}`;
};

/** Sets the gradients of the step's controls. */
export const rewindGradients = (kind: MemoryOptions['kind']): string =>
  kind === 'deque' ? 'gradients = vec4f(dd0, -g0, dd1, -g1);' : 'gradients = vec4f(dd0, -g0, 0.0, 0.0);';
