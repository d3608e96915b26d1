import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { blockScan } from '../lib/scan.wgsl.ts';
import { barrier, type MemoryOptions } from './kind.wgsl.ts';
import { type End, passes, popOf, type RowsForm } from './rows-ends.wgsl.ts';

/**
 * The deque with an undo log, one sequence per workgroup. To find where the running sum of strengths from an end
 * exceeds a limit, the workgroup computes a prefix sum over a block of the `size` live rows nearest the end, and
 * continues with the next block only while the sum has not exceeded the limit.
 */

/**
 * crossing(k, first, stride, count, limit): adds up the strengths of the `count` slots first, first + stride … and
 * returns the index, from 0, of the first one at which the sum exceeds limit, or count if there is none. Leaves the
 * sums in wg_scan, and the slot of this invocation in `mine`. `stride` is UP, or DOWN (from the top to the bottom).
 */
const crossing = (o: MemoryOptions): string => wgsl`
${blockScan(o.size, o.subgroups)}
const UP = 1u;
const DOWN = 0xffffffffu;
var<workgroup> wg_first: atomic<u32>;
var<workgroup> wg_uniform: u32;
var<private> mine: vec2u;
fn crossing(k: u32, first: u32, stride: u32, count: u32, limit: f32) -> u32 {
  ${barrier(o)}
  if (lid == 0u) { atomicStore(&wg_first, count); }
  mine = vec2u(0u);
  if (lid < count) { mine = slots[slotAt(k, first + lid * stride)]; }
  blockScan(bitcast<f32>(mine.x));
  // Take the minimum, because rounding may let a parallel prefix sum decrease.
  if (lid < count && wg_scan[lid] > limit) { atomicMin(&wg_first, lid); }
  workgroupBarrier();
  if (lid == 0u) { wg_uniform = atomicLoad(&wg_first); }
  return workgroupUniformLoad(&wg_uniform);
}
// Sum of the strengths of the rows before this row of the block.
fn sumBefore(row: u32) -> f32 {
  if (row == 0u) { return 0.0; }
  return wg_scan[row - 1u];
}

// Weight and push of each row of the block, for all invocations: they divide the elements of these rows between them.
var<workgroup> wg_weight: array<f32, ${o.size}>;
var<workgroup> wg_push: array<u32, ${o.size}>;
// Rows before cross are read as a whole; row cross is read in part, with the weight that is left.
fn shareRow(cross: u32, count: u32, left: f32) {
  var weight = 0.0;
  if (lid < cross) {
    weight = bitcast<f32>(mine.x);
  } else if (lid == cross && lid < count) {
    weight = max(left - sumBefore(cross), 0.0);
  }
  wg_weight[lid] = weight;
  wg_push[lid] = mine.y;
  workgroupBarrier();
}
`;

const from = (side: End['side']): string => (side === 'top' ? 'hi - 1u, DOWN' : 'lo, UP');

const pop = ({ index, side }: End): string => wgsl`
let removed${index} = popFrom(k, ${from(side)}, hi - lo, ${popOf(index)});
// Only the invocation that writes the log may read the boundary: the next pop resets it while other invocations may
// still be here.
var before${index} = 0.0;
var reached${index} = 0u;
if (lid == 0u) {
  before${index} = wg_boundary.x;
  reached${index} = select(0u, REACHED, wg_boundary.y > 0.0);
}
${side === 'top' ? `hi -= removed${index}` : `lo += removed${index}`};`;

const forward = (o: MemoryOptions): string => wgsl`
var<workgroup> wg_boundary: vec2f;
// Pop (equations 2, 4, 7, 8) from an end of \`live\` rows. Returns the number of rows removed. Leaves the boundary
// row's old strength and the strength taken from it in wg_boundary, for invocation 0.
fn popFrom(k: u32, first: u32, stride: u32, live: u32, u: f32) -> u32 {
  var removed = 0u;
  var rest = u;
  if (lid == 0u) { wg_boundary = vec2f(0.0); }
  while (removed < live) {
    let count = min(live - removed, ${o.size}u);
    let cross = crossing(k, first + removed * stride, stride, count, rest);
    if (cross < count) {
      if (lid == cross) {
        let s = bitcast<f32>(mine.x);
        let taken = rest - sumBefore(cross);
        wg_boundary = vec2f(s, taken);
        if (taken > 0.0) { slots[slotAt(k, first + (removed + cross) * stride)].x = bitcast<u32>(max(s - taken, 0.0)); }
      }
      removed += cross;
      break;
    }
    rest -= wg_scan[count - 1u];
    removed += count;
  }
  workgroupBarrier();
  return removed;
}
// Read (equations 3, 5, 10, 11).
fn readFrom(k: u32, end: u32, first: u32, stride: u32, live: u32) {
  var left = 1.0;
  var visited = 0u;
  while (visited < live) {
    let count = min(live - visited, ${o.size}u);
    let cross = crossing(k, first + visited * stride, stride, count, left);
    shareRow(cross, count, left);
    for (var c = lid; c < ${o.elements}u; c += ${o.size}u) {
      var sum = Element();
      for (var n = 0u; n < min(cross + 1u, count); n++) { sum += wg_weight[n] * loadValue(k, wg_push[n], c); }
      addRead(k, end, c, sum);
    }
    if (cross < count) { break; }
    left -= wg_scan[count - 1u];
    visited += count;
  }
}
`;

const backward = (o: MemoryOptions): string => wgsl`
var<workgroup> wg_part: f32;
// Backward pass of a read. For a row read as a whole, adds its gradient to dStrength; the gradient of the row read in
// part is subtracted from dStrength of all rows nearer the end.
fn readBackwardFrom(k: u32, t: u32, end: u32, first: u32, stride: u32, live: u32) {
  var left = 1.0;
  var visited = 0u;
  if (lid == 0u) { wg_part = 0.0; }
  while (visited < live) {
    let count = min(live - visited, ${o.size}u);
    let cross = crossing(k, first + visited * stride, stride, count, left);
    shareRow(cross, count, left);
    if (lid < min(cross + 1u, count)) {
      var g = 0.0;
      for (var c = 0u; c < ${o.elements}u; c++) { g += elementDot(loadValue(k, mine.y, c), loadDRead(k, end, c)); }
      if (lid < cross) {
        // A row of strength 0 is not reached if the rows before it already sum to one unit.
        if (sumBefore(lid) < left && ${passes(o.kind, 'mine', 't')}) { dStrength[slotAt(k, first + (visited + lid) * stride)] += g; }
      } else if (wg_weight[lid] > 0.0) {
        wg_part = g;
      }
    }
    for (var c = lid; c < ${o.elements}u; c += ${o.size}u) {
      let dr = loadDRead(k, end, c);
      for (var n = 0u; n < min(cross + 1u, count); n++) { addDValue(k, wg_push[n], c, wg_weight[n] * dr); }
    }
    if (cross < count) {
      visited += cross;
      break;
    }
    left -= wg_scan[count - 1u];
    visited += count;
  }
  ${barrier(o)}
  for (var nearer = lid; nearer < visited; nearer += ${o.size}u) {
    let to = slotAt(k, first + nearer * stride);
    if (${passes(o.kind, 'slots[to]', 't')}) { dStrength[to] -= wg_part; }
  }
  ${barrier(o)}
}
`;

export const blockRows: RowsForm = {
  functions: (o, pass) => crossing(o) + (pass === 'forward' ? forward(o) : backward(o)),
  pop,
  read: (_, { index, side }) => `readFrom(k, ${index}u, ${from(side)}, hi - lo);`,
  readBackward: (_, { index, side }) => `readBackwardFrom(k, t, ${index}u, ${from(side)}, hi - lo);`,
};
