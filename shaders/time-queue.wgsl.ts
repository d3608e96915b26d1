import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FIXED } from './lib/fixed.wgsl.ts';
import { DIMS, mainOf, type TimeOptions, timeGradients, timeReads } from './time-heights.wgsl.ts';

/**
 * The queue parallel over time (see time-heights.wgsl.ts). Row i lies on [D_{i−1}, D_i], less what is below the front F_t.
 * D and F never fall, so that the rows which a read takes, and the reads which take from a row, are runs that
 * begin where a binary search finds them.
 *
 * Gradients of strengths: a row read whole gets its g = dr·v less that of the row read in part, which it pushes out of
 * the window; when a pop that ends inside a later row removes it, that row's gradient comes too. It is −dF_t, the
 * gradient of the front, which is a reverse scan over time: F_t moves with F_{t−1} unless the pop emptied the queue, or
 * ended between two rows (a tie, at which nothing passes); keys[t] is 0 at such a step.
 */

/** first_above(lows or highs, …): the first of the steps [begin, end) with heights above a limit, or end. */
const searchAbove = (heights: 'lows' | 'highs'): string => wgsl`
fn firstAbove_${heights}(first: u32, begin: u32, end: u32, limit: vec2u) -> u32 {
  var least = begin;
  var most = end;
  while (least < most) {
    let middle = (least + most) / 2u;
    if (below(limit, ${heights}[first + middle])) { most = middle; } else { least = middle + 1u; }
  }
  return least;
}
`;

/** lows, highs -> links: the first row that is live after step t's pop, or t + 1; keys: 0 where F_t moves with nothing. */
export const queueLinks = (o: TimeOptions): string => wgsl`
${DIMS}
${FIXED}
@group(0) @binding(1) var<storage, read> lows: array<vec2u>;
@group(0) @binding(2) var<storage, read> highs: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> links: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>;
${searchAbove('highs')}
${mainOf(o, 'dims.B * dims.T')}
  let t = n % dims.T;
  let first = n - t;
  let front = lows[n];
  let row = firstAbove_highs(first, 0u, t + 1u, front);
  var edge = vec2u();
  if (row > 0u) { edge = highs[first + row - 1u]; }
  links[n] = row;
  // Row t itself is pushed after the pop: with nothing before it, the pop emptied the queue.
  keys[n] = select(1u, 0u, row >= t || all(edge == front));
}
`;

/** Weights of the rows from row \`row\` on, until one unit is read: sees \`row\`, \`weight\`, \`partly\`. */
const overRows = (body: string): string => wgsl`
  let front = lows[step];
  let back = plus(front, ONE);
  for (var row = links[step]; row <= step - first; row++) {
    var base = front;
    if (row > links[step]) { base = highs[first + row - 1u]; }
    if (!below(base, back)) { break; }
    let edge = highs[first + row];
    let partly = below(back, edge);
    let weight = real(minus(lower(edge, back), base));
    ${body}
  }
`;

/** value, lows, highs, links -> read (equation 5). One invocation per step and `perInvocation` cells of its row. */
export const queueReads = (o: TimeOptions, perInvocation: number): string =>
  timeReads(o, perInvocation, add => overRows(add('first + row', 'weight')));

/** value, dRead, lows, highs, links -> own: the gradient of the front by step t's read alone; parts: g of its row read in part. */
export const queueFronts = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
@group(0) @binding(5) var<storage, read> links: array<u32>;
@group(0) @binding(6) var<storage, read_write> own: array<f32>;
@group(0) @binding(7) var<storage, read_write> parts: array<f32>;
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

/** What dF_t takes over from dF_{t+1}. */
const passes = wgsl`
fn passes(first: u32, t: u32) -> f32 {
  if (t + 1u >= dims.T) { return 0.0; }
  return f32(keys[first + t + 1u] != 0u);
}
`;

/** own, keys -> carries: a chunk's steps back as one, x → s + m·x, x being dF of the step after. One invocation per chunk. */
export const queueCompose = (o: TimeOptions): string => wgsl`
${DIMS}
@group(0) @binding(1) var<storage, read> own: array<f32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> carries: array<vec2f>;
${passes}
${mainOf(o, 'dims.B * dims.chunks')}
  let first = n / dims.chunks * dims.T;
  let begin = n % dims.chunks * dims.chunk;
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
 * own, keys, carries, pop -> dPop: dF_t, where the pop ends within a row and takes something. One invocation per chunk.
 */
export const queuePops = (o: TimeOptions): string => wgsl`
${DIMS}
@group(0) @binding(1) var<storage, read> own: array<f32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read> carries: array<vec2f>;
@group(0) @binding(4) var<storage, read> pop: array<f32>;
@group(0) @binding(5) var<storage, read_write> dPop: array<f32>;
${passes}
${mainOf(o, 'dims.B * dims.chunks')}
  let first = n / dims.chunks * dims.T;
  let begin = n % dims.chunks * dims.chunk;
  var x = carries[n].x;
  for (var end = min(begin + dims.chunk, dims.T); end > begin; end--) {
    let t = end - 1u;
    x = own[first + t] + passes(first, t) * x;
    dPop[first + t] = select(0.0, x, keys[first + t] != 0u && pop[first + t] > 0.0);
  }
}
`;

/** value, dRead, lows, highs, parts, dPop -> dPush, dValue. One invocation per row, through the reads that reach it. */
export const queueRows = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
@group(0) @binding(5) var<storage, read> parts: array<f32>;
@group(0) @binding(6) var<storage, read> dPop: array<f32>;
@group(0) @binding(7) var<storage, read_write> dPush: array<f32>;
@group(0) @binding(8) var<storage, read_write> dValue: array<Cell>;
${searchAbove('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let k = n % dims.T;
  let first = n - k;
  let edge = highs[n];
  var base = vec2u();
  if (k > 0u) { base = highs[n - 1u]; }
  for (var c = 0u; c < ${o.cells}u; c++) { dValue[n * ${o.cells}u + c] = Cell(); }
  if (all(base == edge)) {
    // Of strength 0: a tie at every later step, so that only the read of its own step counts, if it comes that far.
    dPush[n] = 0.0;
    if (below(edge, plus(lows[n], ONE))) { dPush[n] = gain(n, n); }
    return;
  }
  var dd = 0.0;
  // Reads come to this row once the front is within one unit of it, and end when the front has passed it.
  var t = k;
  if (base.y > 0u) { t = firstAbove_lows(first, k, dims.T, minus(base, ONE)); }
  var gone = dims.T;
  for (; t < dims.T; t++) {
    let front = lows[first + t];
    if (!below(front, edge)) {
      gone = t;
      break;
    }
    let back = plus(front, ONE);
    let weight = real(minus(lower(edge, back), higher(base, front)));
    var g = 0.0;
    for (var c = 0u; c < ${o.cells}u; c++) {
      let dr = dRead[(first + t) * ${o.cells}u + c];
      g += cellDot(dr, value[n * ${o.cells}u + c]);
      dValue[n * ${o.cells}u + c] += weight * dr;
    }
    if (!below(back, edge)) { dd += g - parts[first + t]; }
  }
  if (gone < dims.T) { dd -= dPop[first + gone]; }
  dPush[n] = dd;
}
`;
