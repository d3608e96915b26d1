import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { blockScan } from './lib/scan.wgsl.ts';
import { each } from './lib/text.ts';

/**
 * The memory: one O(1)-per-step algorithm with an undo log. State of a sequence:
 *
 *   slots[i]      (strength, step whose value it holds) of slot i. Live are slots [0, hi); the top is hi - 1.
 *   undo[t]       what step t destroyed: (hi after its pop | REACHED, strength of the boundary row before the
 *                 pop, the slot that the push overwrote). REACHED: the pop took something from that boundary row.
 *   dStrength[i]  gradient of each live slot's strength, in the backward pass.
 *
 * Two forms of the same steps. `lane`: one sequence per invocation, which walks its one or two rows. `block`:
 * one sequence per workgroup, which finds where the running sum of strengths crosses a value by a prefix sum
 * over the end-most `size` live rows, and takes the next block only while the sum has not crossed.
 *
 * Stack: top pop, top push, top read. A queue or deque adds `lo`, the bottom's pop, read and push, as #if
 * branches beside the top's.
 */
export interface MemoryOptions {
  kind: 'stack';
  form: 'lane' | 'block';
  /** Invocations of a workgroup; in the block form also rows per prefix sum. */
  size: number;
  subgroups: boolean;
  /** A row is `cells` of these. */
  cell: 'f32' | 'vec4f';
  cells: number;
}

/**
 * Functions on the memory, for a shader that declares slots: array<vec2u>, undo: array<vec4u>, and
 *   fn stateAt(i) -> u32       where slot i (or step i of the log) of this sequence lies
 *   fn loadValue(t, c) -> Cell cell c of v_t          fn addRead(c, x)          r_t[c] += x
 *   backward: dStrength: array<f32>, fn loadDRead(c) -> Cell, fn addDValue(t, c, x)
 *   block form: var<private> lid, and subgroupWidth with subgroups
 * They are forward(t, hi, d, u) -> hi and, newest step first, backward(t, hi) -> hi, which leaves (dd, du) in
 * `gradients`. In the block form all invocations call them, in uniform control flow.
 */
export const memoryFunctions = (o: MemoryOptions, pass: 'forward' | 'backward'): string => wgsl`
const REACHED = 0x80000000u;
alias Cell = ${o.cell};
fn cellDot(a: Cell, b: Cell) -> f32 {
#if ${o.cell === 'vec4f'}
  return dot(a, b);
#else
  return a * b;
#endif
}
#if ${pass === 'backward'}
var<private> gradients: vec2f;
#endif
#if ${o.form === 'lane'}
${pass === 'forward' ? laneForward(o) : laneBackward(o)}
#else
${crossing(o)}
${pass === 'forward' ? blockForward(o) : blockBackward(o)}
#endif
`;

// ---- lane: one sequence per invocation ----------------------------------------------------------------------

const laneForward = (o: MemoryOptions): string => wgsl`
fn forward(t: u32, hi: u32, d: f32, u: f32) -> u32 {
  // Pop (equation 2): rows go while their strength is at most what is left to pop; the next one loses the rest.
  var top = hi;
  var rest = u;
  var reached = 0u;
  var before = 0.0;
  while (top > 0u) {
    let at = stateAt(top - 1u);
    let s = bitcast<f32>(slots[at].x);
    if (s > rest) {
      before = s;
      if (rest > 0.0) {
        reached = REACHED;
        slots[at].x = bitcast<u32>(s - rest);
      }
      break;
    }
    rest -= s;
    top--;
  }
  // Push (equations 1, 2), over a dead slot, which the log keeps.
  let at = stateAt(top);
  let dead = slots[at];
  undo[stateAt(t)] = vec4u(top | reached, bitcast<u32>(before), dead.x, dead.y);
  slots[at] = vec2u(bitcast<u32>(d), t);
  // Read (equation 3): from the top, until one unit of strength is read.
  var left = 1.0;
  var row = top + 1u;
  while (row > 0u && left > 0.0) {
    row--;
    let slot = slots[stateAt(row)];
    let weight = min(bitcast<f32>(slot.x), left);
    ${each(o.cells, 8, c => `addRead(${c}, weight * loadValue(slot.y, ${c}));`, 'c')}
    left -= weight;
  }
  return top + 1u;
}
`;

const laneBackward = (o: MemoryOptions): string => wgsl`
fn backward(t: u32, hi: u32) -> u32 {
  // Read: a row read whole passes its gradient to its strength; the one read in part takes it from all above.
  var left = 1.0;
  var row = hi;
  while (row > 0u && left > 0.0) {
    row--;
    let at = stateAt(row);
    let slot = slots[at];
    let s = bitcast<f32>(slot.x);
    let weight = min(s, left);
    var g = 0.0;
    ${each(
      o.cells,
      8,
      c => `{
      let dr = loadDRead(${c});
      g += cellDot(loadValue(slot.y, ${c}), dr);
      addDValue(slot.y, ${c}, weight * dr);
    }`,
      'c',
    )}
    if (s <= left) {
      dStrength[at] += g;
    } else {
      for (var above = row + 1u; above < hi; above++) { dStrength[stateAt(above)] -= g; }
    }
    left -= weight;
  }
  // Push: the top slot is this step's row; give back what it overwrote.
  let entry = undo[stateAt(t)];
  let top = entry.x & ~REACHED;
  let pushed = stateAt(top);
  let dd = dStrength[pushed];
  slots[pushed] = entry.zw;
  // Pop: what the boundary row gains from a smaller pop, it gains from stronger rows above it too.
  var g = 0.0;
  if ((entry.x & REACHED) != 0u) {
    let boundary = stateAt(top - 1u);
    g = dStrength[boundary];
    slots[boundary].x = entry.y;
  }
  var old = 0u;
  if (t > 0u) { old = (undo[stateAt(t - 1u)].x & ~REACHED) + 1u; }
  for (var removed = top; removed < old; removed++) { dStrength[stateAt(removed)] = g; }
  gradients = vec2f(dd, -g);
  return old;
}
`;

// ---- block: one sequence per workgroup ----------------------------------------------------------------------

/**
 * crossing(top, count, limit): the first of the `count` rows below top (row 0 is top - 1) at which the
 * running sum of strengths exceeds limit, or count. Leaves the sums in wg_scan, this invocation's row in `mine`.
 */
const crossing = (o: MemoryOptions): string => wgsl`
${blockScan(o.size, o.subgroups)}
var<workgroup> wg_first: atomic<u32>;
var<workgroup> wg_uniform: u32;
var<private> mine: vec2u;
fn crossing(top: u32, count: u32, limit: f32) -> u32 {
  storageBarrier();
  workgroupBarrier();
  if (lid == 0u) { atomicStore(&wg_first, count); }
  mine = vec2u(0u);
  if (lid < count) { mine = slots[stateAt(top - 1u - lid)]; }
  blockScan(bitcast<f32>(mine.x));
  // The least of them, because rounding may let a parallel prefix sum step back.
  if (lid < count && wg_scan[lid] > limit) { atomicMin(&wg_first, lid); }
  workgroupBarrier();
  if (lid == 0u) { wg_uniform = atomicLoad(&wg_first); }
  return workgroupUniformLoad(&wg_uniform);
}
// Sum of the strengths above row row of the block.
fn above(row: u32) -> f32 {
  if (row == 0u) { return 0.0; }
  return wg_scan[row - 1u];
}
`;

/** Weight and value of each row of the block, for the invocations that then work on the cells. */
const SHARED_ROWS = (o: MemoryOptions): string => wgsl`
var<workgroup> wg_weight: array<f32, ${o.size}>;
var<workgroup> wg_step: array<u32, ${o.size}>;
// Rows before cross are read whole, that one takes what is left.
fn shareRow(cross: u32, count: u32, left: f32) {
  var weight = 0.0;
  if (lid < cross) {
    weight = bitcast<f32>(mine.x);
  } else if (lid == cross && lid < count) {
    weight = max(left - above(cross), 0.0);
  }
  wg_weight[lid] = weight;
  wg_step[lid] = mine.y;
  workgroupBarrier();
}
`;

const blockForward = (o: MemoryOptions): string => wgsl`
${SHARED_ROWS(o)}
var<workgroup> wg_boundary: vec2f;
fn forward(t: u32, hi: u32, d: f32, u: f32) -> u32 {
  // Pop (equation 2). Reads the slots below hi; leaves the boundary row's old strength and loss in wg_boundary.
  var top = hi;
  var rest = u;
  if (lid == 0u) { wg_boundary = vec2f(0.0); }
  while (top > 0u) {
    let count = min(top, ${o.size}u);
    let cross = crossing(top, count, rest);
    if (cross < count) {
      top -= cross;
      if (lid == cross) {
        let s = bitcast<f32>(mine.x);
        let loss = rest - above(cross);
        wg_boundary = vec2f(s, loss);
        if (loss > 0.0) { slots[stateAt(top - 1u)].x = bitcast<u32>(max(s - loss, 0.0)); }
      }
      break;
    }
    rest -= wg_scan[count - 1u];
    top -= count;
  }
  workgroupBarrier();
  // Push (equations 1, 2), over a dead slot, which the log keeps.
  if (lid == 0u) {
    let at = stateAt(top);
    let dead = slots[at];
    let reached = select(0u, REACHED, wg_boundary.y > 0.0);
    undo[stateAt(t)] = vec4u(top | reached, bitcast<u32>(wg_boundary.x), dead.x, dead.y);
    slots[at] = vec2u(bitcast<u32>(d), t);
  }
  // Read (equation 3).
  var left = 1.0;
  var row = top + 1u;
  while (row > 0u) {
    let count = min(row, ${o.size}u);
    let cross = crossing(row, count, left);
    shareRow(cross, count, left);
    for (var c = lid; c < ${o.cells}u; c += ${o.size}u) {
      var sum = Cell();
      for (var k = 0u; k < min(cross + 1u, count); k++) { sum += wg_weight[k] * loadValue(wg_step[k], c); }
      addRead(c, sum);
    }
    if (cross < count) { break; }
    left -= wg_scan[count - 1u];
    row -= count;
  }
  return top + 1u;
}
`;

const blockBackward = (o: MemoryOptions): string => wgsl`
${SHARED_ROWS(o)}
var<workgroup> wg_part: f32;
fn backward(t: u32, hi: u32) -> u32 {
  // Read: whole rows pass their gradient to their strength, in first … of the row read in part to wg_part.
  var left = 1.0;
  var row = hi;
  if (lid == 0u) { wg_part = 0.0; }
  while (row > 0u) {
    let count = min(row, ${o.size}u);
    let cross = crossing(row, count, left);
    shareRow(cross, count, left);
    if (lid < min(cross + 1u, count)) {
      var g = 0.0;
      for (var c = 0u; c < ${o.cells}u; c++) { g += cellDot(loadValue(mine.y, c), loadDRead(c)); }
      if (lid < cross) {
        dStrength[stateAt(row - 1u - lid)] += g;
      } else if (wg_weight[lid] > 0.0) {
        wg_part = g;
      }
    }
    for (var c = lid; c < ${o.cells}u; c += ${o.size}u) {
      let dr = loadDRead(c);
      for (var k = 0u; k < min(cross + 1u, count); k++) { addDValue(wg_step[k], c, wg_weight[k] * dr); }
    }
    if (cross < count) {
      row -= cross;
      break;
    }
    left -= wg_scan[count - 1u];
    row -= count;
  }
  storageBarrier();
  workgroupBarrier();
  // Now row is the first slot above the one read in part, from which all above lose its gradient.
  for (var higher = row + lid; higher < hi; higher += ${o.size}u) { dStrength[stateAt(higher)] -= wg_part; }
  storageBarrier();
  workgroupBarrier();
  // Push and pop: read what the log and the gradients say …
  let entry = undo[stateAt(t)];
  let top = entry.x & ~REACHED;
  let dd = dStrength[stateAt(top)];
  let reached = (entry.x & REACHED) != 0u;
  var g = 0.0;
  if (reached) { g = dStrength[stateAt(top - 1u)]; }
  var old = 0u;
  if (t > 0u) { old = (undo[stateAt(t - 1u)].x & ~REACHED) + 1u; }
  storageBarrier();
  workgroupBarrier();
  // … and only then rewind the slots and hand the boundary row's gradient to the rows the pop removed.
  if (lid == 0u) {
    slots[stateAt(top)] = entry.zw;
    if (reached) { slots[stateAt(top - 1u)].x = entry.y; }
    wg_uniform = old;
  }
  for (var removed = top + lid; removed < old; removed += ${o.size}u) { dStrength[stateAt(removed)] = g; }
  gradients = vec2f(dd, -g);
  return workgroupUniformLoad(&wg_uniform);
}
`;
