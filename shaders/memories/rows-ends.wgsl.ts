import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { endsOf } from '../../src/base/memories.ts';
import { lines } from '../lib/text.ts';
import { divided, type MemoryOptions } from './kind.wgsl.ts';

/** What the lane and block forms of stack, queue and deque share: see rows.wgsl.ts. */

/** An end that is popped and read: its number among the ends of the memory, and its side of the slots. */
export interface End {
  index: 0 | 1;
  side: 'top' | 'bottom';
}

/** WGSL of the lane or the block form: functions that it declares, and statements for one end. */
export interface RowsForm {
  functions(o: MemoryOptions, pass: 'forward' | 'backward'): string;
  /**
   * Pops at an end of the live slots and updates lo or hi. For end 0 declares before0 and reached0, for end 1 before1
   * and reached1: see `pushes`.
   */
  pop(end: End): string;
  /** Reads at an end of the live slots. */
  read(o: MemoryOptions, end: End): string;
  /** Backward pass of a read: adds to the gradients of strengths and values. */
  readBackward(o: MemoryOptions, end: End): string;
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
 * only from the read of its own step and from the next step's pop. A stack's next pop removes it; a queue or a deque
 * can keep it.
 */
export const passes = (kind: MemoryOptions['kind'], slot: string, step: string): string =>
  kind === 'stack' ? 'true' : `(bitcast<f32>(${slot}.x) > 0.0 || ${slot}.y / ${endsOf(kind)}u == ${step})`;

/** Number of the push of an end in a step, and of its entry in the log. */
const entryOf = (kind: MemoryOptions['kind'], { index }: End): string =>
  kind === 'deque' ? `2u * t + ${index}u` : 't';

/**
 * All pushes of a step, after its pops have set reached0, before0 … of each end. The log keeps the old contents of the
 * slot pushed to, and (edge, reached, before) of the pop of the same end (for a queue, the pop at the bottom). Does not
 * change lo and hi: see grow.
 */
export const pushes = (kind: MemoryOptions['kind']): string =>
  lines(endsRead(kind), end => {
    const { index, side } = end;
    const entry = entryOf(kind, end);
    return wgsl`{
    let at = slotAt(k, ${kind === 'deque' && side === 'bottom' ? 'lo - 1u' : 'hi'});
    let dead = slots[at];
    undoLog[undoAt(k, ${entry})] = vec4u(${side === 'top' ? 'hi' : 'lo'} | reached${index}, bitcast<u32>(before${index}), dead.x, dead.y);
    slots[at] = vec2u(bitcast<u32>(controls.${index === 0 ? 'x' : 'z'}), ${entry});
  }`;
  });

/** Extends the live slots by the rows that the step has pushed. */
export const grow = (kind: MemoryOptions['kind']): string => (kind === 'deque' ? 'hi++;\n  lo--;' : 'hi++;');

/** The slot that a step pushed to, from the edge of the end's pop. */
const pushedAt = (kind: MemoryOptions['kind'], { index, side }: End): string =>
  kind === 'queue' ? 't' : side === 'top' ? `edge${index}` : `edge${index} - 1u`;

/** The boundary row of a pop: the row nearest the end that it did not remove. */
const boundaryAt = ({ index, side }: End): string => (side === 'top' ? `edge${index} - 1u` : `edge${index}`);

/**
 * Statements that load the log entries, dd0 and dd1 (gradients of the strengths of the slots pushed to), and g0 and g1
 * (gradients of the boundary rows of the first and the second end's pop). A boundary row gains strength from a smaller
 * pop, and equally from stronger rows nearer the end, so g is also the gradient of those rows.
 */
export const rewindLoads = (kind: MemoryOptions['kind']): string => {
  const ends = endsRead(kind);
  // If the bottom's pop removed the boundary row of the top's pop, it emptied the deque, and no gradient passes.
  const guard = ({ index }: End): string =>
    kind === 'deque' && index === 0 ? ' && edge0 - 1u >= edge1' : '';
  return wgsl`${lines(
    ends,
    end => wgsl`
  let entry${end.index} = undoLog[undoAt(k, ${entryOf(kind, end)})];
  let edge${end.index} = entry${end.index}.x & ~REACHED;
  let reached${end.index} = (entry${end.index}.x & REACHED) != 0u;`,
  )}
  ${lines(
    ends,
    end => wgsl`
  let dd${end.index} = dStrength[slotAt(k, ${pushedAt(kind, end)})];
  var g${end.index} = 0.0;
  if (reached${end.index}${guard(end)}) { g${end.index} = dStrength[slotAt(k, ${boundaryAt(end)})]; }`,
  )}`;
};

/**
 * Restores the slots that pushes overwrote (a queue's never hold older rows), then the strengths before the pops, the
 * last pop first: both may have reduced the same row.
 */
export const rewindStores = (kind: MemoryOptions['kind']): string => {
  const ends = endsRead(kind);
  return `${lines(kind === 'queue' ? [] : ends, end => `slots[slotAt(k, ${pushedAt(kind, end)})] = entry${end.index}.zw;`)}
  ${lines(ends.toReversed(), end => `if (reached${end.index}) { slots[slotAt(k, ${boundaryAt(end)})].x = entry${end.index}.y; }`)}`;
};

/**
 * Sets the gradients of the rows that a pop removed to that of its boundary row. In the block form the invocations
 * divide the rows.
 */
export const rewindRows = (o: MemoryOptions): string =>
  lines(endsRead(o.kind), ({ index, side }) => {
    const [from, to] = side === 'top' ? [`edge${index}`, 'before.y'] : ['before.x', `edge${index}`];
    // The gradient from the bottom's pop of a deque must pass back through the top's pop, which came before it. A row
    // of strength 0 is a tie there: its gradient is 0.
    const when = index === 1 ? 'bitcast<f32>(slots[to].x) > 0.0' : passes(o.kind, 'slots[to]', 't - 1u');
    return divided(
      o,
      'i',
      from,
      to,
      `let to = slotAt(k, i);
    dStrength[to] = select(0.0, g${index}, ${when});`,
    );
  });

/** Sets the gradients of the step's controls. */
export const rewindGradients = (kind: MemoryOptions['kind']): string =>
  kind === 'deque' ? 'gradients = vec4f(dd0, -g0, dd1, -g1);' : 'gradients = vec4f(dd0, -g0, 0.0, 0.0);';
