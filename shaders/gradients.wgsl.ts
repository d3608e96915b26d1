import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/layout/layout.ts';
import type { Operand } from '../src/layout/tensors.ts';
import { at } from './lib/rows.wgsl.ts';
import { storage } from './lib/storage.wgsl.ts';
import { evenly, lines, range } from './lib/text.ts';

/**
 * All weight gradients in one dispatch: block[k][j] = Σ_rows a[row][k] · b[row][j]. The rows are split into
 * batch.rowSplits parts. Each part writes its sums to `partial` [parts, size4]; reduceGradients then adds the parts in
 * a fixed order, so the result is deterministic. An invocation computes one tile of one block over one part of the
 * rows. All products share one loop, whose sizes and offsets are variables: a loop per block would take two to three
 * times as long to compile. The input matrices are handled differently, because only a few inputs are active per row:
 * an invocation computes one vec4 of columns of the block and adds to the block's rows of the active inputs. (In the
 * fused lane form the backward kernel computes the weight gradients.)
 */
export interface GradientJob {
  block: Block;
  /** Activations. 'inputs': the multi-hot inputs. 'ones': the block is a bias. */
  a: Operand | 'inputs' | 'ones';
  b: Operand;
  /** Whether the sum runs over T·B rows, or only over the B rows of the starting state. */
  perStep: boolean;
}

/** Tile of one invocation, and workgroup size. */
export interface GradientTiling {
  /** Size of a tile: vec4s of the left factor (each is four rows of the block), and vec4s of the right factor. */
  down: number;
  across: number;
  /** Invocations per workgroup. */
  size: number;
}

/** The tiles of a block. */
interface Tiles {
  job: GradientJob;
  kind: 'inputs' | 'ones' | 'product';
  /** vec4s of a row of the left factor. */
  wide: number;
  /** Number of tiles in a row of tiles, and in the block. */
  perRow: number;
  count: number;
}

const kindOf = ({ a }: GradientJob): Tiles['kind'] => (typeof a === 'string' ? a : 'product');
const wideOf = (job: GradientJob): number => (kindOf(job) === 'product' ? Math.ceil(job.block.rows / 4) : 1);

/** Size of the tiles of all products: no larger than the blocks need. */
const tileSize = (jobs: readonly GradientJob[], { down, across }: GradientTiling) => ({
  down: Math.max(...jobs.map(job => evenly(wideOf(job), down))),
  across: Math.max(...jobs.map(({ block }) => evenly(block.ld4, across))),
});

/** The tiles of all blocks, sorted by kind: the order in which the kernel numbers its workgroups. */
function tilesOf(jobs: readonly GradientJob[], tiling: GradientTiling): Tiles[] {
  const { down, across } = tileSize(jobs, tiling);
  const tiles = jobs.map(job => {
    const [kind, wide] = [kindOf(job), wideOf(job)];
    const perRow = Math.ceil(job.block.ld4 / (kind === 'inputs' ? 1 : across));
    return { job, kind, wide, perRow, count: Math.ceil(wide / down) * perRow };
  });
  return (['inputs', 'ones', 'product'] as const).flatMap(kind => tiles.filter(one => one.kind === kind));
}

/** Number of workgroups of a block, rounded up: all invocations of a workgroup compute tiles of the same block. */
const groupsOf = ({ count }: Tiles, { size }: GradientTiling): number => Math.ceil(count / size);

/** Number of workgroups of all jobs, for one part of the rows. */
export const tileGroups = (jobs: readonly GradientJob[], tiling: GradientTiling): number =>
  tilesOf(jobs, tiling).reduce((sum, tiles) => sum + groupsOf(tiles, tiling), 0);

/** The variables of the loop over the rows for one block. */
const JOB = wgsl`
// first: number of the first workgroup; tiles: number of tiles; perRow: tiles in a row of tiles; rows: rows to sum
// over. left, right: offset of row 0 of each factor, with vec4s per row; wide: vec4s of the left factor that the block
// uses. to, blockRows, ld4: offset, rows and vec4s per row of the block.
struct Job {
  first: u32, tiles: u32, perRow: u32, rows: u32,
  left: u32, leftWidth: u32, right: u32, rightWidth: u32,
  to: u32, blockRows: u32, ld4: u32, wide: u32,
}
`;

function jobOf({ job, wide, perRow, count }: Tiles, first: number): string {
  const { a, b, block, perStep } = job;
  const left = typeof a === 'string' ? ['0u', '0u'] : [at(a, '0u'), `${a.width4}u`];
  const rows = perStep ? 'batch.T * batch.B' : 'batch.B';
  const sizes = [block.offset4, block.rows, block.ld4, wide].map(n => `${n}u`);
  return `Job(${first}u, ${count}u, ${perRow}u, ${rows}, ${[...left, at(b, '0u'), `${b.width4}u`, ...sizes].join(', ')})`;
}

/** One vec4 of columns of an input matrix: each row of the batch adds to the block's rows of its active inputs. */
const INPUTS = wgsl`
    for (var k = 0u; k < job.blockRows; k++) { partial[to + tile + k * job.ld4] = vec4f(); }
    for (var n = begin; n < end; n++) {
      let b = grads[job.right + n * job.rightWidth + tile];
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(n, k);
        if (input != NO_INPUT) { partial[to + tile + min(input, job.blockRows - 1u) * job.ld4] += b; }
      }
    }`;

/** Sums of a tile over the rows of this part. `ones`: the left factor is 1. */
function tileBody(ones: boolean, size: { down: number; across: number }): string {
  const [ds, cs] = [range(ones ? 1 : size.down), range(size.across)];
  const rs = range(ones ? 1 : 4);
  const each = (body: (d: number, r: number, c: number) => string): string =>
    ds.flatMap(d => rs.flatMap(r => cs.map(c => body(d, r, c)))).join('\n');
  const write = (d: number, r: number, c: number): string =>
    `if (${ones ? '' : `down + ${4 * d + r}u < job.blockRows && `}across + ${c}u < job.ld4) { partial[to + ${4 * d + r}u * job.ld4 + ${c}u] = c${d}_${r}_${c}; }`;
  // Tiles at the edge repeat the last vec4; the repeats are not written.
  return wgsl`
    let down = tile / job.perRow * ${4 * ds.length}u;
    let across = tile % job.perRow * ${cs.length}u;
    ${ones ? '' : lines(ds, d => `let left${d} = job.left + min(down / 4u + ${d}u, job.wide - 1u);`)}
    ${lines(cs, c => `let right${c} = job.right + min(across + ${c}u, job.ld4 - 1u);`)}
    ${each((d, r, c) => `var c${d}_${r}_${c} = vec4f();`)}
    for (var n = begin; n < end; n++) {
      ${ones ? '' : lines(ds, d => `let a${d} = acts[left${d} + n * job.leftWidth];`)}
      ${lines(cs, c => `let b${c} = grads[right${c} + n * job.rightWidth];`)}
      ${each((d, r, c) => `c${d}_${r}_${c} += ${ones ? '' : `a${d}.${'xyzw'[r]} * `}b${c};`)}
    }
    to += down * job.ld4 + across;
    ${each(write)}`;
}

/**
 * WGSL of the kernel. Workgroup n, counted over x and y, computes tile group n mod tileGroups, over part n / tileGroups
 * of the rows.
 */
export function gradientTiles(
  batch: string,
  jobs: readonly GradientJob[],
  tiling: GradientTiling,
  size4: number,
): string {
  const all = tilesOf(jobs, tiling);
  const sizes = tileSize(jobs, tiling);
  let groups = 0;
  const bodies = [...new Set(all.map(({ kind }) => kind))].map(kind => {
    const choices = all
      .filter(tiles => tiles.kind === kind)
      .map(tiles => {
        const choice = `job = ${jobOf(tiles, groups)};`;
        groups += groupsOf(tiles, tiling);
        return `if (tileGroup < ${groups}u) { ${choice} }`;
      });
    return wgsl`
  if (tileGroup < ${groups}u) {
    var job: Job;
    ${choices.join(' else ')}
    let tile = (tileGroup - job.first) * ${tiling.size}u + lid;
    if (tile >= job.tiles) { return; }
    let share = (job.rows + batch.rowSplits - 1u) / batch.rowSplits;
    let begin = part * share;
    let end = min(begin + share, job.rows);
    var to = part * ${size4}u + job.to;
    ${kind === 'inputs' ? INPUTS : tileBody(kind === 'ones', sizes)}
    return;
  }`;
  });
  return wgsl`
${batch}
${storage(1, 'acts: vec4f, grads: vec4f -> partial: vec4f')}
${JOB}
@compute @workgroup_size(${tiling.size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let workgroup = group.y * groups.x + group.x;
  let part = workgroup / ${groups}u;
  let tileGroup = workgroup % ${groups}u;
  if (part >= batch.rowSplits) { return; }
${bodies.join('\n')}
}
`;
}
