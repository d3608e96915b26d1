import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { blockScan } from './lib/scan.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from './lib/sequence.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';

/**
 * Inclusive prefix sums of many rows at once: y[r][i] = Σ_{j ≤ i} x[r][j], with x and y [R, L]. With direction
 * 'reverse' the sums run from the end, y[r][i] = Σ_{j ≥ i} x[r][j]: the gradient of the forward sums, with dy in x and
 * dx in y.
 *
 *   lane   one invocation per row: for software adapters, whose cores prefer long loops without barriers
 *   block  one workgroup per row: a parallel prefix sum over 4 · size numbers at a time (size numbers, if L is not a
 *          multiple of 4)
 */
export interface PrefixSumOptions {
  form: 'lane' | 'block';
  /** Invocations per workgroup. */
  size: number;
  subgroups: boolean;
  direction: 'forward' | 'reverse';
  /** Whether L is a multiple of 4, so that rows consist of vec4s. */
  wide: boolean;
}

/** WGSL of the kernel. Bindings: dims (uniform: R, L), x, y. */
export const prefixSumCode = (o: PrefixSumOptions): string => wgsl`
${enableFor(o)}
struct Dims { R: u32, L: u32 }
alias Element = ${o.wide ? 'vec4f' : 'f32'};
@group(0) @binding(0) var<uniform> dims: Dims;
${storage(1, 'x: Element -> y: Element')}
// Prefix sums within an element, in the given direction. whole() takes them and returns the sum of the element.
fn within(element: Element) -> Element {
#if ${!o.wide}
  return element;
#elif ${o.direction === 'forward'}
  let pairs = vec4f(element.x, element.x + element.y, element.z, element.z + element.w);
  return pairs + vec4f(0.0, 0.0, pairs.y, pairs.y);
#else
  let pairs = vec4f(element.x + element.y, element.y, element.z + element.w, element.w);
  return pairs + vec4f(pairs.z, pairs.z, 0.0, 0.0);
#endif
}
fn whole(sums: Element) -> f32 { return sums${o.wide ? (o.direction === 'forward' ? '.w' : '.x') : ''}; }
${sequenceState(o)}
${o.form === 'block' ? blockScan(o.size, o.subgroups) : ''}
${mainOfSequence(o, 'dims.R')}
  let elements = dims.L / ${o.wide ? 4 : 1}u;
  var before = 0.0;
#if ${o.form === 'lane'}
  for (var i = 0u; i < elements; i++) {
    let at = seq * elements + ${o.direction === 'forward' ? 'i' : 'elements - 1u - i'};
    let sums = within(x[at]) + before;
    y[at] = sums;
    before = whole(sums);
  }
#else
  for (var first = 0u; first < elements; first += ${o.size}u) {
    let i = first + lid;
    let at = seq * elements + ${o.direction === 'forward' ? 'i' : 'elements - 1u - min(i, elements - 1u)'};
    var sums = Element();
    if (i < elements) { sums = within(x[at]); }
    blockScan(whole(sums));
    var preceding = before;
    if (lid > 0u) { preceding += wg_scan[lid - 1u]; }
    if (i < elements) { y[at] = sums + preceding; }
    before += wg_scan[${o.size - 1}u];
    workgroupBarrier();
  }
#endif
}
`;
