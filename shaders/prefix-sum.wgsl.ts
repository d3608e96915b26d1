import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { blockScan } from './lib/scan.wgsl.ts';
import { enableFor, mainOfSequence, sequenceState } from './lib/sequence.wgsl.ts';

/**
 * Inclusive prefix sums of many rows at once: y[r][i] = Σ_{j ≤ i} x[r][j], with x and y [R, L]. With direction
 * 'reverse' the sums run from the end, y[r][i] = Σ_{j ≥ i} x[r][j]: the gradient of the forward sums, with dy in x and
 * dx in y.
 *
 *   lane   one invocation per row: for software adapters, whose cores prefer long loops without barriers
 *   block  one workgroup per row: a parallel prefix sum over 4 · size numbers at a time (size numbers, if L is not a multiple of 4)
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
alias Cell = ${o.wide ? 'vec4f' : 'f32'};
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Cell>;
@group(0) @binding(2) var<storage, read_write> y: array<Cell>;
// Prefix sums within an element (Cell), in the direction of the pass. whole() is the sum of the element.
fn within(cell: Cell) -> Cell {
#if ${!o.wide}
  return cell;
#elif ${o.direction === 'forward'}
  let pairs = vec4f(cell.x, cell.x + cell.y, cell.z, cell.z + cell.w);
  return pairs + vec4f(0.0, 0.0, pairs.y, pairs.y);
#else
  let pairs = vec4f(cell.x + cell.y, cell.y, cell.z + cell.w, cell.w);
  return pairs + vec4f(pairs.z, pairs.z, 0.0, 0.0);
#endif
}
fn whole(sums: Cell) -> f32 { return sums${o.wide ? (o.direction === 'forward' ? '.w' : '.x') : ''}; }
${sequenceState(o)}
${o.form === 'block' ? blockScan(o.size, o.subgroups) : ''}
${mainOfSequence(o, 'dims.R')}
  let cells = dims.L / ${o.wide ? 4 : 1}u;
  var before = 0.0;
#if ${o.form === 'lane'}
  for (var i = 0u; i < cells; i++) {
    let at = seq * cells + ${o.direction === 'forward' ? 'i' : 'cells - 1u - i'};
    let sums = within(x[at]) + before;
    y[at] = sums;
    before = whole(sums);
  }
#else
  for (var first = 0u; first < cells; first += ${o.size}u) {
    let i = first + lid;
    let at = seq * cells + ${o.direction === 'forward' ? 'i' : 'cells - 1u - min(i, cells - 1u)'};
    var sums = Cell();
    if (i < cells) { sums = within(x[at]); }
    blockScan(whole(sums));
    var preceding = before;
    if (lid > 0u) { preceding += wg_scan[lid - 1u]; }
    if (i < cells) { y[at] = sums + preceding; }
    before += wg_scan[${o.size - 1}u];
    workgroupBarrier();
  }
#endif
}
`;
