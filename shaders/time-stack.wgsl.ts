import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FIXED } from './lib/fixed.wgsl.ts';
import {
  DIMS,
  mainOf,
  searchBack,
  searchOn,
  type TimeOptions,
  timeGradients,
  timeReads,
} from './time-heights.wgsl.ts';

/**
 * The stack parallel over time (see time-heights.wgsl.ts): every step, and every row, by an invocation of its own.
 *
 * Row i lies on [L_i, min of L since] while that is not empty. Under row t lies the last row before it with a smaller L,
 * links[t]: following the links is walking down the stack. A read at t is the integral of the rows over
 * [H_t − 1, H_t], and its derivatives are those by the heights where one row ends and the next begins. They come to
 * the strengths by what a height moves with. L_t, cut into a row, moves with H_{t−1} (and against u_t). At a tie, where
 * a pop ends between two rows, the paper's rule is that nothing passes by the pop: L_t moves with the base of the
 * last row removed. At the ground it does not move. keys[t] says which: TOP, row + 1, or 0. What moves with L_q is then
 * the steps from q up to the first later one whose key is below q + 1, so that its gradient is a difference of prefix
 * sums over time.
 */

const TOP = 'const TOP = 0xffffffffu;';

/** The row that step t's own lies on, and what its L moves with. */
export const stackLinks = (o: TimeOptions): string => wgsl`
${DIMS}
${FIXED}
${TOP}
@group(0) @binding(1) var<storage, read> lows: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> links: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
${searchBack('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let b = n / dims.T;
  let t = n % dims.T;
  let low = lows[n];
  var link = last_lows(b, t, plus(low, vec2u(1u, 0u)));
  var key = TOP;
  if (all(low == vec2u())) {
    key = 0u;
    link = NONE;
  } else if (link != NONE && all(lows[n - t + link] == low)) {
    key = link + 1u;
    link = last_lows(b, link, low);
  }
  links[n] = link;
  keys[n] = key;
}
`;

/** value, lows, highs, links -> read (equation 3). One invocation per step and `perInvocation` cells of its row. */
export const stackReads = (o: TimeOptions, perInvocation: number): string =>
  timeReads(
    o,
    perInvocation,
    add => wgsl`
  let bottom = unitBelow(highs[step]);
  var top = highs[step];
  var row = step;
  loop {
    let low = lows[row];
    let weight = real(minus(top, higher(low, bottom)));
    ${add('row', 'weight')}
    let link = links[row];
    if (!below(bottom, low) || link == NONE) { break; }
    top = low;
    row = first + link;
  }`,
  );

/**
 * value, dRead, lows, highs, links -> dValue; own: the gradient by L_j and H_j of all that moves at step j; tops: of H_j
 * alone. One invocation per row, which goes through the reads that reach it, in order: those at which the top was
 * within one unit of it.
 */
export const stackRows = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
@group(0) @binding(5) var<storage, read> links: array<u32>;
@group(0) @binding(6) var<storage, read_write> own: array<f32>;
@group(0) @binding(7) var<storage, read_write> tops: array<f32>;
@group(0) @binding(8) var<storage, read_write> dValue: array<Cell>;
${searchOn('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let b = n / dims.T;
  let first = b * dims.T;
  let low = lows[n];
  let under = links[n];
  // Of the window's ends: its top, and where it cuts into a row, its bottom, H_j − 1.
  var gH = gain(n, n);
  var bottom = unitBelow(highs[n]);
  var row = n;
  loop {
    let base = lows[row];
    if (!below(bottom, base)) {
      if (below(base, bottom)) { gH -= gain(n, row); }
      break;
    }
    if (links[row] == NONE) { break; }
    row = first + links[row];
  }
  // Of this row's base: the row loses what the one under it gains.
  var gL = 0.0;
  var top = highs[n];
  var at = n;
  loop {
    if (below(bottom, top) || at == n) {
      let weight = real(minus(top, higher(low, bottom)));
      var g = 0.0;
      for (var c = 0u; c < ${o.cells}u; c++) {
        let dr = dRead[at * ${o.cells}u + c];
        g += cellDot(dr, value[n * ${o.cells}u + c]);
        let to = n * ${o.cells}u + c;
        if (at == n) { dValue[to] = weight * dr; } else { dValue[to] += weight * dr; }
      }
      if (!below(low, bottom)) { gL -= g; }
      if (below(bottom, low) && under != NONE) { gL += gain(at, first + under); }
    }
    // No read in between reaches this row, nor does a pop.
    let next = next_lows(b, at + 1u - first, plus(top, ONE));
    if (next == NONE) { break; }
    at = first + next;
    top = lower(top, lows[at]);
    if (!below(low, top)) { break; }
    bottom = unitBelow(highs[at]);
  }
  tops[n] = gH;
  own[n] = gL + gH;
}
`;

/** lows, highs, keys, sums (of \`own\` over time), tops -> dPush, dPop. One invocation per step. */
export const stackStrengths = (o: TimeOptions): string => wgsl`
${DIMS}
${FIXED}
${TOP}
@group(0) @binding(1) var<storage, read> lows: array<vec2u>;
@group(0) @binding(2) var<storage, read> highs: array<vec2u>;
@group(0) @binding(3) var<storage, read> keys: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read> tops: array<f32>;
@group(0) @binding(6) var<storage, read_write> dPush: array<f32>;
@group(0) @binding(7) var<storage, read_write> dPop: array<f32>;
${searchOn('keys')}
// The gradient of L_t: that of all that moves with it.
fn baseGradient(b: u32, t: u32) -> f32 {
  let first = b * dims.T;
  let stop = min(next_keys(b, t + 1u, t + 1u), dims.T);
  var sum = sums[first + stop - 1u];
  if (t > 0u) { sum -= sums[first + t - 1u]; }
  return sum;
}
${mainOf(o, 'dims.B * dims.T')}
  let b = n / dims.T;
  let t = n % dims.T;
  var dd = tops[n];
  if (t + 1u < dims.T && keys[n + 1u] == TOP) { dd += baseGradient(b, t + 1u); }
  dPush[n] = dd;
  var du = 0.0;
  // Cut into a row, which loses more than exactly 0. The first step's key is 0.
  if (keys[n] == TOP && below(lows[n], highs[n - 1u])) { du = -baseGradient(b, t); }
  dPop[n] = du;
}
`;
