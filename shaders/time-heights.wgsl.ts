import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { FIXED } from './lib/fixed.wgsl.ts';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';
import { each } from './lib/text.ts';
import { elementCode, type MemoryOptions } from './memories/kind.wgsl.ts';

/**
 * A memory computed in parallel over time, for sequences whose push, pop and values are known for all steps (reads are
 * not fed back). With it a few long sequences can fill a device as well as many short ones.
 *
 * A row is an interval of heights. It never moves after its push: pops only cut parts off. The pop of step t lowers
 * the top of a stack to height L_t, and the push raises it to H_t:
 *
 *   L_t = max(0, H_{t−1} − u_t),  H_t = L_t + d_t
 *
 * The newest row of a queue ends at height D_t, and pops from below have removed everything up to F_t:
 *
 *   D_t = D_{t−1} + d_t,  F_t = min(D_{t−1}, F_{t−1} + u_t)
 *
 * Maps x → max(a, x + b), and maps x → min(a, x + b), compose into maps of the same form, so an associative scan
 * computes all heights. Every sequence is cut into chunks. First the steps of each chunk are composed into one map,
 * then the heights before each chunk are computed one after another, then all heights. `lows` holds L or F of all
 * steps, `highs` H or D.
 */
export interface TimeOptions extends Pick<MemoryOptions, 'element' | 'elements'> {
  kind: 'stack' | 'queue';
  /** Invocations per workgroup. */
  size: number;
}

/** Branching factor of the tree of minima: number of entries that one entry of the next higher level covers. */
export const BRANCH = 32;
/** Maximum number of levels, including the steps themselves as the lowest level. Enough for 2^35 steps. */
export const LEVELS = 7;

/**
 * Sizes, and functions for heights (FIXED). chunks: chunks per sequence; chunk: steps per chunk; top: index of the
 * highest level; levels[k]: (number of entries per sequence, offset of the first entry).
 */
export const DIMS = wgsl`
struct Dims { B: u32, T: u32, chunks: u32, chunk: u32, top: u32, unused0: u32, unused1: u32, unused2: u32, levels: array<vec4u, ${LEVELS}> }
@group(0) @binding(0) var<uniform> dims: Dims;
const NONE = 0xffffffffu;
${FIXED}
`;

/** Opens main() of a kernel with `count` invocations. Declares n, the number of this invocation. */
export const mainOf = ({ size }: Pick<TimeOptions, 'size'>, count: string): string => wgsl`
${mainOfInvocation(size, 'n')}
  if (n >= ${count}) { return; }
`;

/**
 * Opens main() of a kernel with an invocation per chunk of steps from `begin` on. `first`: index of the sequence's step
 * 0.
 */
export const mainOfChunk = (o: Pick<TimeOptions, 'size'>): string => wgsl`
${mainOf(o, 'dims.B * dims.chunks')}
  let first = n / dims.chunks * dims.T;
  let begin = n % dims.chunks * dims.chunk;
`;

/** One step of either kind, on (low, high). */
const step = (kind: TimeOptions['kind']): string =>
  kind === 'stack'
    ? 'low = maxOf(vec2u(), minus(high, u)); high = plus(low, d);'
    : 'low = minOf(high, plus(low, u)); high = plus(high, d);';

/** push, pop -> chunks: the composition of the steps of each chunk. One invocation per chunk. */
export const timeCompose = (o: TimeOptions): string => wgsl`
${DIMS}
${storage(1, 'push: f32, pop: f32 -> chunks: vec2u')}
${mainOfChunk(o)}
  // The map of a stack is x → max(a, x + b); that of a queue is x → min(D + a, x + b), where D is the total pushed
  // before the chunk. Both start as x → x. \`pushed\` is the total pushed in the chunk.
  var a = ${o.kind === 'stack' ? 'vec2u()' : 'plus(UPPER, UPPER)'};
  var b = vec2u();
  var pushed = vec2u();
  for (var t = begin; t < min(begin + dims.chunk, dims.T); t++) {
    let d = fixed(push[first + t]);
    let u = fixed(pop[first + t]);
#if ${o.kind === 'stack'}
    a = plus(maxOf(vec2u(), minus(a, u)), d);
    b = plus(maxOf(LOWER, minus(b, u)), d);
#else
    a = minOf(pushed, plus(a, u));
    b = minOf(UPPER, plus(b, u));
    pushed = plus(pushed, d);
#endif
  }
  chunks[3u * n] = a;
  chunks[3u * n + 1u] = b;
  chunks[3u * n + 2u] = pushed;
}
`;

/** chunks -> chunks: (low, high) before each chunk. One invocation per sequence. */
export const timeStarts = (o: TimeOptions): string => wgsl`
${DIMS}
@group(0) @binding(1) var<storage, read_write> chunks: array<vec2u>;
${mainOf(o, 'dims.B')}
  var low = vec2u();
  var high = vec2u();
  for (var c = 0u; c < dims.chunks; c++) {
    let at = 3u * (n * dims.chunks + c);
    let a = chunks[at];
    let b = chunks[at + 1u];
    let pushed = chunks[at + 2u];
    chunks[at] = low;
    chunks[at + 1u] = high;
#if ${o.kind === 'stack'}
    high = maxOf(a, plus(high, b));
#else
    low = minOf(plus(a, high), plus(low, b));
    high = plus(high, pushed);
#endif
  }
}
`;

/** push, pop, chunks -> lows, highs [B,T]. One invocation per chunk. */
export const timeHeights = (o: TimeOptions): string => wgsl`
${DIMS}
${storage(1, 'push: f32, pop: f32, chunks: vec2u -> lows: vec2u, highs: vec2u')}
${mainOfChunk(o)}
  var low = chunks[3u * n];
  var high = chunks[3u * n + 1u];
  for (var t = begin; t < min(begin + dims.chunk, dims.T); t++) {
    let d = fixed(push[first + t]);
    let u = fixed(pop[first + t]);
    ${step(o.kind)}
    lows[first + t] = low;
    highs[first + t] = high;
  }
}
`;

/**
 * Computes one level of a tree of minima over the steps: each entry of level k covers BRANCH entries of level k − 1.
 * All levels are in one array, lowest level first. The number of the level is a uniform. Entries are heights (vec2u) or
 * u32.
 */
export const timeMinima = (o: TimeOptions, of: 'vec2u' | 'u32'): string => wgsl`
${DIMS}
@group(0) @binding(1) var<storage, read_write> tree: array<${of}>;
@group(1) @binding(0) var<uniform> now: vec4u;
${mainOf(o, 'dims.B * dims.levels[now.x].x')}
  let here = dims.levels[now.x];
  let under = dims.levels[now.x - 1u];
  let first = under.y + n / here.x * under.x;
  let begin = n % here.x * ${BRANCH}u;
  var least = tree[first + begin];
  for (var i = begin + 1u; i < min(begin + ${BRANCH}u, under.x); i++) {
    least = ${of === 'u32' ? 'min(least, tree[first + i])' : 'minOf(least, tree[first + i])'};
  }
  tree[here.y + n] = least;
}
`;

/** WGSL condition: the entry `place` of a tree is below the limit. */
const isBelow = (tree: string): string =>
  tree === 'keys' ? 'keys[place] < limit' : `lessThan(${tree}[place], limit)`;

const limitOf = (tree: string): string => (tree === 'keys' ? 'u32' : 'vec2u');

/**
 * last_<tree>(b, end, limit): the last step of sequence b before `end` whose entry is below the limit, or NONE. The
 * search goes up a level at the boundary of an entry of that level, to skip the entry as a whole, and down into an
 * entry that is below the limit.
 */
export const searchBackward = (tree: 'lows'): string => wgsl`
fn last_${tree}(b: u32, end: u32, limit: ${limitOf(tree)}) -> u32 {
  var level = 0u;
  var i = end;
  var down = false;
  loop {
    if (i == 0u) { break; }
    if (!down && level < dims.top && i % ${BRANCH}u == 0u) {
      level++;
      i /= ${BRANCH}u;
      continue;
    }
    let here = dims.levels[level];
    let place = here.y + b * here.x + i - 1u;
    if (!(${isBelow(tree)})) {
      i--;
      down = false;
      continue;
    }
    if (level == 0u) { return i - 1u; }
    level--;
    i = min(i * ${BRANCH}u, dims.levels[level].x);
    down = true;
  }
  return NONE;
}
`;

/** next_<tree>(b, from, limit): the first step at or after `from` whose entry is below the limit, or NONE. */
export const searchForward = (tree: 'lows' | 'keys'): string => wgsl`
fn next_${tree}(b: u32, from_step: u32, limit: ${limitOf(tree)}) -> u32 {
  var level = 0u;
  var i = from_step;
  var down = false;
  loop {
    let here = dims.levels[level];
    if (i >= here.x) { break; }
    if (!down && level < dims.top && i % ${BRANCH}u == 0u) {
      level++;
      i /= ${BRANCH}u;
      continue;
    }
    let place = here.y + b * here.x + i;
    if (!(${isBelow(tree)})) {
      i++;
      down = false;
      continue;
    }
    if (level == 0u) { return i; }
    level--;
    i *= ${BRANCH}u;
    down = true;
  }
  return NONE;
}
`;

/**
 * The kernel that reads: value, lows, highs, links -> read. An invocation computes `perInvocation` elements of the read
 * of one step.
 * @param rows returns statements that find the rows that `step` reads; for each it inserts add(row, weight). `first` is
 * the first step of the sequence.
 */
export function timeReads(
  o: TimeOptions,
  perInvocation: number,
  rows: (add: (row: string, weight: string) => string) => string,
): string {
  const perStep = Math.ceil(o.elements / perInvocation);
  const add = (row: string, weight: string): string =>
    each(
      perInvocation,
      8,
      c =>
        `sum[${c}] += ${weight} * value[(${row}) * ${o.elements}u + min(firstElement + ${c}, ${o.elements - 1}u)];`,
    );
  return wgsl`
alias Element = ${o.element};
${DIMS}
${storage(1, 'value: Element, lows: vec2u, highs: vec2u, links: u32 -> readOut: Element')}
${mainOf(o, `dims.B * dims.T * ${perStep}u`)}
  let step = n / ${perStep}u;
  let first = step - step % dims.T;
  let firstElement = n % ${perStep}u * ${perInvocation}u;
  var sum: array<Element, ${perInvocation}>;
  ${rows(add)}
  ${each(perInvocation, 8, c => `if (firstElement + ${c} < ${o.elements}u) { readOut[step * ${o.elements}u + firstElement + ${c}] = sum[${c}]; }`)}
}
`;
}

/** Start of the gradient kernels: bindings 1 to 4 (value, dRead, lows, highs), and gain(t, row) = dr_t · v_row. */
export const timeGradients = (o: TimeOptions): string => wgsl`
${elementCode(o)}
${DIMS}
${storage(1, 'value: Element, dRead: Element, lows: vec2u, highs: vec2u')}
fn gain(t: u32, row: u32) -> f32 {
  var g = 0.0;
  for (var c = 0u; c < ${o.elements}u; c++) { g += elementDot(dRead[t * ${o.elements}u + c], value[row * ${o.elements}u + c]); }
  return g;
}
`;
