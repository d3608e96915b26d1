import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { blockScan } from './lib/scan.wgsl.ts';
import { each } from './lib/text.ts';

/**
 * The memories: one O(1)-per-step deque with an undo log is all three. State of one memory of one sequence:
 *
 *   slots[i]      (strength, row) of slot i. Live are slots [lo, hi): lo is the bottom, hi - 1 the top. A row is
 *                 the number of its push: t, or for a deque 2t (top) and 2t + 1 (bottom).
 *   undo[i]       what step t destroyed at an end, i = t or for a deque 2t + end: (edge after its pop | REACHED,
 *                 strength of the boundary row before the pop, the slot that the push overwrote). The edge is hi for
 *                 a pop from the top, lo for one from the bottom. REACHED: the pop took something from that row.
 *   dStrength[i]  gradient of each live slot's strength, in the backward pass.
 *
 * Every step pops, pushes, reads: a stack at the top; a queue pops and reads the bottom and is pushed to at the top; a
 * deque does all at both ends, the top first. A deque's slots begin in the middle of 2T.
 *
 * Two forms of the same steps. `lane`: one sequence per invocation, which walks its one or two rows. `block`:
 * one sequence per workgroup, which finds where the running sum of strengths crosses a value by a prefix sum
 * over the end-most `size` live rows, and takes the next block only while the sum has not crossed.
 */
export interface MemoryOptions {
  kind: 'stack' | 'queue' | 'deque';
  form: 'lane' | 'block';
  /** Invocations of a workgroup; in the block form also rows per prefix sum. */
  size: number;
  subgroups: boolean;
  /** A row is `cells` of these. */
  cell: 'f32' | 'vec4f';
  cells: number;
}

/** The type of a row's cells, and their product. */
export const cellCode = ({ cell }: Pick<MemoryOptions, 'cell'>): string => wgsl`
alias Cell = ${cell};
fn cellDot(a: Cell, b: Cell) -> f32 { return ${cell === 'vec4f' ? 'dot(a, b)' : 'a * b'}; }
`;

/** Ends of a memory, and the slots that T steps take. */
export const endsOfKind = (kind: MemoryOptions['kind']): number => (kind === 'deque' ? 2 : 1);

/** An end that is popped and read: its number among the memory's ends, and which side of the slots it is. */
interface End {
  index: 0 | 1;
  side: 'top' | 'bottom';
}

const endsRead = (kind: MemoryOptions['kind']): End[] => {
  if (kind === 'stack') return [{ index: 0, side: 'top' }];
  if (kind === 'queue') return [{ index: 0, side: 'bottom' }];
  return [
    { index: 0, side: 'top' },
    { index: 1, side: 'bottom' },
  ];
};

/**
 * Functions on memory `k` of this sequence, for a shader that declares slots: array<vec2u>, undo: array<vec4u>, and
 *   fn slotAt(k, i) -> u32, fn undoAt(k, i) -> u32     where slot i and entry i of the log lie
 *   fn origin() -> u32                                 the first slot: T for a deque, 0 otherwise
 *   fn loadValue(k, row, c) -> Cell  cell c of a row   fn addRead(k, end, c, x)        r_t[end][c] += x
 *   backward: dStrength: array<f32>, fn loadDRead(k, end, c) -> Cell, fn addDValue(k, row, c, x)
 *   block form: var<private> lid, and subgroupWidth with subgroups
 * They are forward(k, t, (lo, hi), d, u) -> (lo, hi) with d and u per end; and, newest step first, backward(k, t,
 * (lo, hi)) -> (lo, hi), which leaves (dd, du) of the first end and of the second in `gradients`; and
 * boundsAfter(k, t), boundsBefore(k, t) from the log. In the block form all invocations call forward and backward,
 * in uniform control flow.
 */
export const memoryFunctions = (o: MemoryOptions, pass: 'forward' | 'backward'): string => wgsl`
const REACHED = 0x80000000u;
${cellCode(o)}
fn boundsAfter(k: u32, t: u32) -> vec2u {
#if ${o.kind === 'stack'}
  return vec2u(0u, (undo[undoAt(k, t)].x & ~REACHED) + 1u);
#elif ${o.kind === 'queue'}
  return vec2u(undo[undoAt(k, t)].x & ~REACHED, t + 1u);
#else
  return vec2u((undo[undoAt(k, 2u * t + 1u)].x & ~REACHED) - 1u, (undo[undoAt(k, 2u * t)].x & ~REACHED) + 1u);
#endif
}
fn boundsBefore(k: u32, t: u32) -> vec2u {
  if (t == 0u) { return vec2u(origin()); }
  return boundsAfter(k, t - 1u);
}
#if ${pass === 'backward'}
var<private> gradients: vec4f;
#endif
#if ${o.form === 'lane'}
${pass === 'forward' ? laneForward(o) : laneBackward(o)}
#else
${crossing(o)}
${pass === 'forward' ? blockForward(o) : blockBackward(o)}
#endif
`;

/**
 * Whether gradients pass through a row's strength at a step. A row pushed with strength 0 is a tie at every later step,
 * max(0, s − 0) with s = 0, at which nothing passes (the left argument's derivative is taken); so it gets what comes to
 * it at its own step alone. A stack's next pop removes such a row, but a queue or a deque can keep it.
 */
const passes = (kind: MemoryOptions['kind'], slot: string, step: string): string =>
  kind === 'stack'
    ? 'true'
    : `(bitcast<f32>(${slot}.x) > 0.0 || ${slot}.y / ${endsOfKind(kind)}u == ${step})`;

/** Pushes over the slot `at`, which the log keeps, with the pop's (edge, reached, before) of the same end. */
const push = (
  edge: string,
  reached: string,
  before: string,
  entry: string,
  at: string,
  d: string,
  row: string,
) =>
  wgsl`{
    let at = slotAt(k, ${at});
    let dead = slots[at];
    undo[undoAt(k, ${entry})] = vec4u(${edge} | ${reached}, bitcast<u32>(${before}), dead.x, dead.y);
    slots[at] = vec2u(bitcast<u32>(${d}), ${row});
  }`;

/** All pushes of a step, after its pops: `reached0`, `before0` … of each end are known. Leaves lo and hi. */
const pushes = (kind: MemoryOptions['kind']): string => {
  if (kind === 'stack') return `${push('hi', 'reached0', 'before0', 't', 'hi', 'd.x', 't')} hi++;`;
  if (kind === 'queue') return `${push('lo', 'reached0', 'before0', 't', 'hi', 'd.x', 't')} hi++;`;
  return `${push('hi', 'reached0', 'before0', '2u * t', 'hi', 'd.x', '2u * t')}
  ${push('lo', 'reached1', 'before1', '2u * t + 1u', 'lo - 1u', 'd.y', '2u * t + 1u')}
  hi++;
  lo--;`;
};

const popped = (kind: MemoryOptions['kind'], index: number): string =>
  kind === 'deque' ? `2u * t + ${index}u` : 't';

// ---- lane: one sequence per invocation ----------------------------------------------------------------------

const laneForward = (o: MemoryOptions): string => {
  // Pop (equations 2, 5, 7): rows go while their strength is at most what is left to pop; the next one loses the rest.
  const pop = ({ index, side }: End): string => wgsl`
  var rest${index} = u[${index}u];
  var reached${index} = 0u;
  var before${index} = 0.0;
  while (hi > lo) {
    let at = slotAt(k, ${side === 'top' ? 'hi - 1u' : 'lo'});
    let s = bitcast<f32>(slots[at].x);
    if (s > rest${index}) {
      before${index} = s;
      if (rest${index} > 0.0) {
        reached${index} = REACHED;
        slots[at].x = bitcast<u32>(s - rest${index});
      }
      break;
    }
    rest${index} -= s;
    ${side === 'top' ? 'hi--' : 'lo++'};
  }`;
  // Read (equations 3, 6, 8): from the end, until one unit of strength is read.
  const read = ({ index, side }: End): string => wgsl`{
    var left = 1.0;
    for (var n = 0u; n < hi - lo && left > 0.0; n++) {
      let slot = slots[slotAt(k, ${side === 'top' ? 'hi - 1u - n' : 'lo + n'})];
      let weight = min(bitcast<f32>(slot.x), left);
      ${each(o.cells, 8, c => `addRead(k, ${index}u, ${c}, weight * loadValue(k, slot.y, ${c}));`, 'c')}
      left -= weight;
    }
  }`;
  return wgsl`
fn forward(k: u32, t: u32, bounds: vec2u, d: vec2f, u: vec2f) -> vec2u {
  var lo = bounds.x;
  var hi = bounds.y;
  ${endsRead(o.kind).map(pop).join('\n')}
  ${pushes(o.kind)}
  ${endsRead(o.kind).map(read).join('\n')}
  return vec2u(lo, hi);
}
`;
};

const laneBackward = (o: MemoryOptions): string => {
  // Read: a row read whole passes its gradient to its strength; the one read in part takes it from all before it.
  const read = ({ index, side }: End): string => {
    const row = (n: string): string =>
      `slotAt(k, ${side === 'top' ? `bounds.y - 1u - ${n}` : `bounds.x + ${n}`})`;
    return wgsl`{
    var left = 1.0;
    for (var n = 0u; n < bounds.y - bounds.x && left > 0.0; n++) {
      let at = ${row('n')};
      let slot = slots[at];
      let s = bitcast<f32>(slot.x);
      let weight = min(s, left);
      var g = 0.0;
      ${each(
        o.cells,
        8,
        c => `{
        let dr = loadDRead(k, ${index}u, ${c});
        g += cellDot(loadValue(k, slot.y, ${c}), dr);
        addDValue(k, slot.y, ${c}, weight * dr);
      }`,
        'c',
      )}
      if (s <= left) {
        if (${passes(o.kind, 'slot', 't')}) { dStrength[at] += g; }
      } else {
        for (var nearer = 0u; nearer < n; nearer++) {
          let to = ${row('nearer')};
          if (${passes(o.kind, 'slots[to]', 't')}) { dStrength[to] -= g; }
        }
      }
      left -= weight;
    }
  }`;
  };
  return wgsl`
fn backward(k: u32, t: u32, bounds: vec2u) -> vec2u {
  ${endsRead(o.kind).map(read).join('\n')}
  let before = boundsBefore(k, t);
  ${rewindLoads(o.kind)}
  ${rewindStores(o.kind)}
  ${rewindRows(o.kind, '', '1u')}
  ${rewindGradients(o.kind)}
  return before;
}
`;
};

// ---- the way back of pushes and pops, for both forms ----------------------------------------------------------

/**
 * Reads the log and the gradients of the slots pushed to and of the boundary rows: what the boundary row gains from a
 * smaller pop, it gains from stronger rows before it too. g0, g1 are those of the first and the second end's pop.
 */
const rewindLoads = (kind: MemoryOptions['kind']): string => {
  const log = (index: number): string => wgsl`
  let entry${index} = undo[undoAt(k, ${popped(kind, index)})];
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
  // The boundary of the top's pop may be one of the rows that the bottom's pop then removed.
  if (reached0) {
    if (edge0 - 1u < edge1) { g0 = g1; } else { g0 = dStrength[slotAt(k, edge0 - 1u)]; }
  }`;
};

/** Gives back what pushes overwrote, then what pops took: the last first, for both may have taken from one row. */
const rewindStores = (kind: MemoryOptions['kind']): string => {
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

/** Hands the boundary row's gradient to the rows that the pop removed, each invocation its share. */
const rewindRows = (kind: MemoryOptions['kind'], first: string, step: string): string => {
  const rows = (from: string, to: string, g: string, when = passes(kind, 'slots[to]', 't - 1u')): string =>
    `for (var row = ${from}${first}; row < ${to}; row += ${step}) {
    let to = slotAt(k, row);
    dStrength[to] = select(0.0, ${g}, ${when});
  }`;
  if (kind === 'stack') return rows('edge0', 'before.y', 'g0');
  if (kind === 'queue') return rows('before.x', 'edge0', 'g0');
  // A strength of 0 does not pass what comes from the bottom's pop through the top's, which was before it.
  return `${rows('edge0', 'before.y', 'g0')}
  ${rows('before.x', 'edge1', 'g1', 'bitcast<f32>(slots[to].x) > 0.0')}`;
};

const rewindGradients = (kind: MemoryOptions['kind']): string =>
  kind === 'deque' ? 'gradients = vec4f(dd0, -g0, dd1, -g1);' : 'gradients = vec4f(dd0, -g0, 0.0, 0.0);';

// ---- block: one sequence per workgroup ----------------------------------------------------------------------

/**
 * crossing(k, first, step, count, limit): the first of the `count` slots first, first + step … at which the
 * running sum of strengths exceeds limit, or count. Leaves the sums in wg_scan, this invocation's row in `mine`.
 * A step of DOWN goes from the top to the bottom.
 */
const crossing = (o: MemoryOptions): string => wgsl`
${blockScan(o.size, o.subgroups)}
const UP = 1u;
const DOWN = 0xffffffffu;
var<workgroup> wg_first: atomic<u32>;
var<workgroup> wg_uniform: u32;
var<workgroup> wg_bounds: vec2u;
var<private> mine: vec2u;
fn crossing(k: u32, first: u32, step: u32, count: u32, limit: f32) -> u32 {
  storageBarrier();
  workgroupBarrier();
  if (lid == 0u) { atomicStore(&wg_first, count); }
  mine = vec2u(0u);
  if (lid < count) { mine = slots[slotAt(k, first + lid * step)]; }
  blockScan(bitcast<f32>(mine.x));
  // The least of them, because rounding may let a parallel prefix sum step back.
  if (lid < count && wg_scan[lid] > limit) { atomicMin(&wg_first, lid); }
  workgroupBarrier();
  if (lid == 0u) { wg_uniform = atomicLoad(&wg_first); }
  return workgroupUniformLoad(&wg_uniform);
}
// Sum of the strengths before row row of the block.
fn before(row: u32) -> f32 {
  if (row == 0u) { return 0.0; }
  return wg_scan[row - 1u];
}
// Bounds from the log, for all invocations.
fn uniformBounds(k: u32, steps: u32) -> vec2u {
  workgroupBarrier();
  if (lid == 0u) { wg_bounds = boundsBefore(k, steps); }
  return workgroupUniformLoad(&wg_bounds);
}

// Weight and value of each row of the block, for the invocations that then work on the cells.
var<workgroup> wg_weight: array<f32, ${o.size}>;
var<workgroup> wg_row: array<u32, ${o.size}>;
// Rows before cross are read whole, that one takes what is left.
fn shareRow(cross: u32, count: u32, left: f32) {
  var weight = 0.0;
  if (lid < cross) {
    weight = bitcast<f32>(mine.x);
  } else if (lid == cross && lid < count) {
    weight = max(left - before(cross), 0.0);
  }
  wg_weight[lid] = weight;
  wg_row[lid] = mine.y;
  workgroupBarrier();
}
`;

const from = (side: End['side']): string => (side === 'top' ? 'hi - 1u, DOWN' : 'lo, UP');

const blockForward = (o: MemoryOptions): string => {
  const pop = ({ index, side }: End): string => wgsl`
  let gone${index} = popFrom(k, ${from(side)}, hi - lo, u[${index}u]);
  // Of the one invocation that writes the log.
  let before${index} = wg_boundary.x;
  let reached${index} = select(0u, REACHED, wg_boundary.y > 0.0);
  ${side === 'top' ? `hi -= gone${index}` : `lo += gone${index}`};`;
  return wgsl`
var<workgroup> wg_boundary: vec2f;
// Pop (equations 2, 5, 7) from an end of \`live\` rows. Leaves the boundary row's old strength and loss in wg_boundary.
fn popFrom(k: u32, first: u32, step: u32, live: u32, u: f32) -> u32 {
  var gone = 0u;
  var rest = u;
  if (lid == 0u) { wg_boundary = vec2f(0.0); }
  while (gone < live) {
    let count = min(live - gone, ${o.size}u);
    let cross = crossing(k, first + gone * step, step, count, rest);
    if (cross < count) {
      if (lid == cross) {
        let s = bitcast<f32>(mine.x);
        let loss = rest - before(cross);
        wg_boundary = vec2f(s, loss);
        if (loss > 0.0) { slots[slotAt(k, first + (gone + cross) * step)].x = bitcast<u32>(max(s - loss, 0.0)); }
      }
      gone += cross;
      break;
    }
    rest -= wg_scan[count - 1u];
    gone += count;
  }
  workgroupBarrier();
  return gone;
}
// Read (equations 3, 6, 8).
fn readFrom(k: u32, end: u32, first: u32, step: u32, live: u32) {
  var left = 1.0;
  var gone = 0u;
  while (gone < live) {
    let count = min(live - gone, ${o.size}u);
    let cross = crossing(k, first + gone * step, step, count, left);
    shareRow(cross, count, left);
    for (var c = lid; c < ${o.cells}u; c += ${o.size}u) {
      var sum = Cell();
      for (var n = 0u; n < min(cross + 1u, count); n++) { sum += wg_weight[n] * loadValue(k, wg_row[n], c); }
      addRead(k, end, c, sum);
    }
    if (cross < count) { break; }
    left -= wg_scan[count - 1u];
    gone += count;
  }
}
fn forward(k: u32, t: u32, bounds: vec2u, d: vec2f, u: vec2f) -> vec2u {
  var lo = bounds.x;
  var hi = bounds.y;
  ${endsRead(o.kind).map(pop).join('\n')}
  storageBarrier();
  workgroupBarrier();
  if (lid == 0u) {
    ${pushes(o.kind).replace(/(hi\+\+|lo--);/g, '')}
  }
  hi++;
#if ${o.kind === 'deque'}
  lo--;
#endif
  ${endsRead(o.kind)
    .map(({ index, side }) => `readFrom(k, ${index}u, ${from(side)}, hi - lo);`)
    .join('\n')}
  return vec2u(lo, hi);
}
`;
};

const blockBackward = (o: MemoryOptions): string => wgsl`
var<workgroup> wg_part: f32;
// Read: whole rows pass their gradient to their strength; that of the row read in part is taken from all before it.
fn readBackwardFrom(k: u32, t: u32, end: u32, first: u32, step: u32, live: u32) {
  var left = 1.0;
  var gone = 0u;
  if (lid == 0u) { wg_part = 0.0; }
  while (gone < live) {
    let count = min(live - gone, ${o.size}u);
    let cross = crossing(k, first + gone * step, step, count, left);
    shareRow(cross, count, left);
    if (lid < min(cross + 1u, count)) {
      var g = 0.0;
      for (var c = 0u; c < ${o.cells}u; c++) { g += cellDot(loadValue(k, mine.y, c), loadDRead(k, end, c)); }
      if (lid < cross) {
        // A row of strength 0 at depth 1 is not reached.
        if (before(lid) < left && ${passes(o.kind, 'mine', 't')}) { dStrength[slotAt(k, first + (gone + lid) * step)] += g; }
      } else if (wg_weight[lid] > 0.0) {
        wg_part = g;
      }
    }
    for (var c = lid; c < ${o.cells}u; c += ${o.size}u) {
      let dr = loadDRead(k, end, c);
      for (var n = 0u; n < min(cross + 1u, count); n++) { addDValue(k, wg_row[n], c, wg_weight[n] * dr); }
    }
    if (cross < count) {
      gone += cross;
      break;
    }
    left -= wg_scan[count - 1u];
    gone += count;
  }
  storageBarrier();
  workgroupBarrier();
  for (var nearer = lid; nearer < gone; nearer += ${o.size}u) {
    let to = slotAt(k, first + nearer * step);
    if (${passes(o.kind, 'slots[to]', 't')}) { dStrength[to] -= wg_part; }
  }
  storageBarrier();
  workgroupBarrier();
}
fn backward(k: u32, t: u32, bounds: vec2u) -> vec2u {
  let lo = bounds.x;
  let hi = bounds.y;
  ${endsRead(o.kind)
    .map(({ index, side }) => `readBackwardFrom(k, t, ${index}u, ${from(side)}, hi - lo);`)
    .join('\n')}
  // Push and pop: read what the log and the gradients say …
  let before = uniformBounds(k, t);
  ${rewindLoads(o.kind)}
  storageBarrier();
  workgroupBarrier();
  // … and only then rewind the slots.
  if (lid == 0u) {
    ${rewindStores(o.kind)}
  }
  storageBarrier();
  workgroupBarrier();
  ${rewindRows(o.kind, ' + lid', `${o.size}u`)}
  ${rewindGradients(o.kind)}
  return before;
}
`;
