import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { storage } from './lib/storage.wgsl.ts';
import {
  DIMS,
  mainOf,
  mainOfChunk,
  type TimeOptions,
  timeGradients,
  timeReads,
} from './time-heights.wgsl.ts';

/**
 * The queue in parallel over time (see time-heights.wgsl.ts). At step t, row i occupies [D_{i−1}, D_i] without the part
 * below the front F_t (D_t: the total pushed up to step t, `highs`; F_t: the height up to which rows are removed,
 * `lows`). D and F never decrease. The rows of a read, and the reads of a row, are therefore contiguous ranges, whose
 * start is found by binary search.
 *
 * Gradients of strengths: a row that is read as a whole gets its g = dr·v, minus the g of the row read in part, of
 * which less is read when this row is stronger. A row that is removed by a pop ending inside a later row also gets
 * −dF_t, the gradient of that later row's strength: had the removed row been stronger, the pop would have taken less of
 * the later row. The gradient dF_t of the front is a reverse scan over time. F_t depends on F_{t−1}, unless the pop
 * emptied the queue or ended between two rows (a tie, where no gradient passes); keys[t] is 0 at such a step.
 */

/**
 * firstAbove_<heights>(first, begin, end, limit): the first step in [begin, end) whose height is above the limit, or
 * end. `first` is the index of the sequence's step 0.
 */
const searchAbove = (heights: 'lows' | 'highs'): string => wgsl`
fn firstAbove_${heights}(first: u32, begin: u32, end: u32, limit: vec2u) -> u32 {
  var lo = begin;
  var hi = end;
  while (lo < hi) {
    let middle = (lo + hi) / 2u;
    if (lessThan(limit, ${heights}[first + middle])) { hi = middle; } else { lo = middle + 1u; }
  }
  return lo;
}
`;

/**
 * lows, highs -> links: the first row that is live after step t, or t + 1 if there is none; keys: 0 if F_t does not
 * depend on F_{t−1}, else 1.
 */
export const queueLinks = (o: TimeOptions): string => wgsl`
${DIMS}
${storage(1, 'lows: vec2u, highs: vec2u -> links: u32, keys: u32')}
${searchAbove('highs')}
${mainOf(o, 'dims.B * dims.T')}
  let t = n % dims.T;
  let first = n - t;
  let front = lows[n];
  let row = firstAbove_highs(first, 0u, t + 1u, front);
  var edge = vec2u();
  if (row > 0u) { edge = highs[first + row - 1u]; }
  links[n] = row;
  // Row t itself is pushed after the pop. If no earlier row is live, the pop emptied the queue.
  keys[n] = select(1u, 0u, row >= t || all(edge == front));
}
`;

/**
 * Runs `body` for the rows that are read, from the front until one unit is read. It can use `row`, `weight` and
 * `partly` (whether the row is read in part).
 */
const overRows = (body: string): string => wgsl`
  let front = lows[step];
  let back = plus(front, ONE);
  for (var row = links[step]; row <= step - first; row++) {
    var base = front;
    if (row > links[step]) { base = highs[first + row - 1u]; }
    if (!lessThan(base, back)) { break; }
    let edge = highs[first + row];
    let partly = lessThan(back, edge);
    let weight = toFloat(minus(minOf(edge, back), base));
    ${body}
  }
`;

/** value, lows, highs, links -> read (equation 5). See timeReads for `perInvocation`. */
export const queueReads = (o: TimeOptions, perInvocation: number): string =>
  timeReads(o, perInvocation, add => overRows(add('first + row', 'weight')));

/**
 * value, dRead, lows, highs, links -> own: the gradient of the front F_t from the read of step t; parts: g of the row
 * that this read reads in part, or 0.
 */
export const queueFronts = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
${storage(5, 'links: u32 -> own: f32, parts: f32')}
${mainOf(o, 'dims.B * dims.T')}
  let step = n;
  let first = step - step % dims.T;
  var gF = 0.0;
  var part = 0.0;
  ${overRows(`
    if (row == links[step]) { gF -= gain(step, first + row); }
    if (partly) {
      part = gain(step, first + row);
      gF += part;
    }`)}
  own[n] = gF;
  parts[n] = part;
}
`;

/** passes(first, t): the factor of dF_{t+1} in dF_t. */
const passes = wgsl`
fn passes(first: u32, t: u32) -> f32 {
  if (t + 1u >= dims.T) { return 0.0; }
  return f32(keys[first + t + 1u] != 0u);
}
`;

/**
 * own, keys -> carries: the composition of a chunk's backward steps, x → s + m·x, where x is dF of the step after the
 * chunk. One invocation per chunk.
 */
export const queueCompose = (o: TimeOptions): string => wgsl`
${DIMS}
${storage(1, 'own: f32, keys: u32 -> carries: vec2f')}
${passes}
${mainOfChunk(o)}
  var s = 0.0;
  var m = 1.0;
  for (var t = min(begin + dims.chunk, dims.T); t > begin; t--) {
    let share = passes(first, t - 1u);
    s = own[first + t - 1u] + share * s;
    m *= share;
  }
  carries[n] = vec2f(s, m);
}
`;

/** carries -> carries: dF of the step after each chunk. One invocation per sequence. */
export const queueStarts = (o: TimeOptions): string => wgsl`
${DIMS}
@group(0) @binding(1) var<storage, read_write> carries: array<vec2f>;
${mainOf(o, 'dims.B')}
  var x = 0.0;
  for (var c = dims.chunks; c > 0u; c--) {
    let at = n * dims.chunks + c - 1u;
    let chunk = carries[at];
    carries[at].x = x;
    x = chunk.x + chunk.y * x;
  }
}
`;

/**
 * own, keys, carries, pop -> dPop: dF_t if the pop is more than 0 and ends inside a row, else 0. One invocation per
 * chunk.
 */
export const queuePops = (o: TimeOptions): string => wgsl`
${DIMS}
${storage(1, 'own: f32, keys: u32, carries: vec2f, pop: f32 -> dPop: f32')}
${passes}
${mainOfChunk(o)}
  var x = carries[n].x;
  for (var end = min(begin + dims.chunk, dims.T); end > begin; end--) {
    let t = end - 1u;
    x = own[first + t] + passes(first, t) * x;
    dPop[first + t] = select(0.0, x, keys[first + t] != 0u && pop[first + t] > 0.0);
  }
}
`;

/**
 * value, dRead, lows, highs, parts, dPop -> dPush, dValue. One invocation per row; it loops over the reads that reach
 * the row.
 */
export const queueRows = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
${storage(5, 'parts: f32, dPop: f32 -> dPush: f32, dValue: Element')}
${searchAbove('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let k = n % dims.T;
  let first = n - k;
  let edge = highs[n];
  var base = vec2u();
  if (k > 0u) { base = highs[n - 1u]; }
  for (var c = 0u; c < ${o.elements}u; c++) { dValue[n * ${o.elements}u + c] = Element(); }
  if (all(base == edge)) {
    // A row of strength 0 is a tie at every later step. It gets a gradient only from the read of its own step.
    dPush[n] = 0.0;
    if (lessThan(edge, plus(lows[n], ONE))) { dPush[n] = gain(n, n); }
    return;
  }
  var dd = 0.0;
  // Reads reach this row from the step at which the front is within one unit of it, until the front has passed it.
  var t = k;
  if (base.y > 0u) { t = firstAbove_lows(first, k, dims.T, minus(base, ONE)); }
  var removedAt = dims.T;
  for (; t < dims.T; t++) {
    let front = lows[first + t];
    if (!lessThan(front, edge)) {
      removedAt = t;
      break;
    }
    let back = plus(front, ONE);
    let weight = toFloat(minus(minOf(edge, back), maxOf(base, front)));
    var g = 0.0;
    for (var c = 0u; c < ${o.elements}u; c++) {
      let dr = dRead[(first + t) * ${o.elements}u + c];
      g += elementDot(dr, value[n * ${o.elements}u + c]);
      dValue[n * ${o.elements}u + c] += weight * dr;
    }
    if (!lessThan(back, edge)) { dd += g - parts[first + t]; }
  }
  if (removedAt < dims.T) { dd -= dPop[first + removedAt]; }
  dPush[n] = dd;
}
`;
