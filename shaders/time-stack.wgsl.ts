import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { storage } from './lib/storage.wgsl.ts';
import {
  DIMS,
  mainOf,
  searchBackward,
  searchForward,
  type TimeOptions,
  timeGradients,
  timeReads,
} from './time-heights.wgsl.ts';

/**
 * The stack in parallel over time (see time-heights.wgsl.ts): one invocation per step or per row.
 *
 * Row i occupies the heights from L_i to the minimum of H_i and all later L, as long as this interval is not empty.
 * Directly below row t is row links[t], the last earlier row with a smaller L. Following the links walks down the
 * stack. The read of step t is the integral of the rows over [H_t − 1, H_t], so it depends on the heights at which one
 * row ends and the next begins.
 *
 * These heights depend on the strengths as follows. If L_t cuts into a row, it moves with H_{t−1} and against u_t. At a
 * tie, where the pop ends between two rows, no gradient passes through the pop (the paper's rule), and L_t moves with
 * the base of the last row removed. At height 0 L_t does not move. keys[t] encodes these three cases: CUTS, row + 1, or
 * 0. The steps whose L moves with L_q are q and the steps after it, up to but not including the first one whose key is
 * below q + 1. The gradient of L_q is therefore a difference of prefix sums over time.
 */

const CUTS = 'const CUTS = 0xffffffffu;';

/** lows -> links: the row below the row of step t, or NONE; keys: what L_t moves with (see above). */
export const stackLinks = (o: TimeOptions): string => wgsl`
${DIMS}
${CUTS}
${storage(1, 'lows: vec2u -> links: u32, keys: u32')}
${searchBackward('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let b = n / dims.T;
  let t = n % dims.T;
  let low = lows[n];
  // The limit is one unit of 2^-32 higher, so that a row with the same L is found too.
  var link = last_lows(b, t, plus(low, vec2u(1u, 0u)));
  var key = CUTS;
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

/** value, lows, highs, links -> read (equation 3). See timeReads for `perInvocation`. */
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
    let weight = toFloat(minus(top, maxOf(low, bottom)));
    ${add('row', 'weight')}
    let link = links[row];
    if (!lessThan(bottom, low) || link == NONE) { break; }
    top = low;
    row = first + link;
  }`,
  );

/**
 * value, dRead, lows, highs, links -> dValue; own: the sum of the gradients of L_j and H_j; tops: the gradient of H_j
 * only. One invocation per row j. It loops in order over the reads that reach the row: those at which the top of the
 * stack is within one unit of it.
 */
export const stackRows = (o: TimeOptions): string => wgsl`
${timeGradients(o)}
${storage(5, 'links: u32 -> own: f32, tops: f32, dValue: Element')}
${searchForward('lows')}
${mainOf(o, 'dims.B * dims.T')}
  let b = n / dims.T;
  let first = b * dims.T;
  let low = lows[n];
  let under = links[n];
  // gH: gradient of the top H_j of the window that is read, and of its bottom H_j − 1 if that cuts into a row.
  var gH = gain(n, n);
  var bottom = unitBelow(highs[n]);
  var row = n;
  loop {
    let base = lows[row];
    if (!lessThan(bottom, base)) {
      if (lessThan(base, bottom)) { gH -= gain(n, row); }
      break;
    }
    if (links[row] == NONE) { break; }
    row = first + links[row];
  }
  // gL: gradient of this row's base. If the base rises, this row loses what the row below gains.
  var gL = 0.0;
  var top = highs[n];
  var at = n;
  loop {
    if (lessThan(bottom, top) || at == n) {
      let weight = toFloat(minus(top, maxOf(low, bottom)));
      var g = 0.0;
      for (var c = 0u; c < ${o.elements}u; c++) {
        let dr = dRead[at * ${o.elements}u + c];
        g += elementDot(dr, value[n * ${o.elements}u + c]);
        let to = n * ${o.elements}u + c;
        if (at == n) { dValue[to] = weight * dr; } else { dValue[to] += weight * dr; }
      }
      if (!lessThan(low, bottom)) { gL -= g; }
      if (lessThan(bottom, low) && under != NONE) { gL += gain(at, first + under); }
    }
    // Skip to the next step whose pop or read may reach this row.
    let next = next_lows(b, at + 1u - first, plus(top, ONE));
    if (next == NONE) { break; }
    at = first + next;
    top = minOf(top, lows[at]);
    if (!lessThan(low, top)) { break; }
    bottom = unitBelow(highs[at]);
  }
  tops[n] = gH;
  own[n] = gL + gH;
}
`;

/** lows, highs, keys, sums (prefix sums of `own` over time), tops -> dPush, dPop. One invocation per step. */
export const stackStrengths = (o: TimeOptions): string => wgsl`
${DIMS}
${CUTS}
${storage(1, 'lows: vec2u, highs: vec2u, keys: u32, sums: f32, tops: f32 -> dPush: f32, dPop: f32')}
${searchForward('keys')}
// The gradient of L_t: the sum of the gradients of all heights that move with it.
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
  if (t + 1u < dims.T && keys[n + 1u] == CUTS) { dd += baseGradient(b, t + 1u); }
  dPush[n] = dd;
  var du = 0.0;
  // du is 0 unless the pop cuts into a row and takes more than 0. (Step n − 1 exists: the key of a first step is 0.)
  if (keys[n] == CUTS && lessThan(lows[n], highs[n - 1u])) { du = -baseGradient(b, t); }
  dPop[n] = du;
}
`;
