import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/layout/layout.ts';
import type { Operand } from '../src/layout/tensors.ts';
import { at } from './lib/rows.wgsl.ts';
import { evenly, range } from './lib/text.ts';

/**
 * All weight gradients in one dispatch: block[k][j] = Σ_rows a[row][k] · b[row][j]. The rows are split into
 * batch.rowSplits parts. Each part writes its sums to `partial` [parts, size4]; reduceGradients then adds the parts in
 * a fixed order, so the result is deterministic. An invocation computes one tile of one block over one part of the
 * rows. Inputs are different, because only a few are active per row: an invocation computes one column of the block and
 * adds to the block's rows of the active inputs. (In the fused lane form the backward kernel computes the weight
 * gradients.)
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
  /** Tile size in vec4s of the left factor (four rows of the block each) and of the right factor. */
  down: number;
  across: number;
  /** Invocations per workgroup. */
  size: number;
}

/** Number and size of a block's tiles, as equal as possible. */
function tilesOf({ block, a }: GradientJob, { down, across }: GradientTiling) {
  const single = typeof a === 'string';
  const wide = single ? 1 : Math.ceil(block.rows / 4);
  const parts = (n: number, max: number): { count: number; each: number } => ({
    count: Math.ceil(n / max),
    each: evenly(n, max),
  });
  return { down: parts(wide, down), across: parts(block.ld4, a === 'inputs' ? 1 : across), wide };
}

/** Number of workgroups of a job, rounded up: the invocations of a workgroup have the same job. */
function groupsOf(job: GradientJob, tiling: GradientTiling): number {
  const { down, across } = tilesOf(job, tiling);
  return Math.ceil((down.count * across.count) / tiling.size);
}

/** Number of workgroups of all jobs, for one part of the rows. */
export const tileGroups = (jobs: readonly GradientJob[], tiling: GradientTiling): number =>
  jobs.reduce((sum, job) => sum + groupsOf(job, tiling), 0);

/** The sums of a tile, over the rows of this part. */
function tileBody(job: GradientJob, tiling: GradientTiling, size4: number): string {
  const { block, a, b } = job;
  const { down, across, wide } = tilesOf(job, tiling);
  const [ds, cs] = [range(down.each), range(across.each)];
  const ones = a === 'ones';
  const rs = ones ? [0] : [0, 1, 2, 3];
  const last = (name: string, k: number, count: number, exact: boolean): string =>
    exact ? `${name} + ${k}u` : `min(${name} + ${k}u, ${count - 1}u)`;
  const wholeDown = down.count * down.each === wide;
  const wholeAcross = across.count * across.each === block.ld4;
  const to = (d: number, r: number, c: number): string =>
    `partial[to + ${(4 * d + r) * block.ld4 + c}u] = c${d}_${r}_${c};`;
  const guarded = (d: number, r: number, c: number): string => {
    const conditions = [
      ...(ones || (wholeDown && block.rows % 4 === 0)
        ? []
        : [`(down + ${d}u) * 4u + ${r}u < ${block.rows}u`]),
      ...(wholeAcross ? [] : [`across + ${c}u < ${block.ld4}u`]),
    ];
    return conditions.length ? `if (${conditions.join(' && ')}) { ${to(d, r, c)} }` : to(d, r, c);
  };
  const each = (body: (d: number, r: number, c: number) => string): string =>
    ds.flatMap(d => rs.flatMap(r => cs.map(c => body(d, r, c)))).join('\n');
  return wgsl`
    let down = tile / ${across.count}u * ${down.each}u;
    let across = tile % ${across.count}u * ${across.each}u;
    ${typeof a === 'string' ? '' : `let left = ${at(a, '0u')};`}
    let right = ${at(b, '0u')};
    ${each((d, r, c) => `var c${d}_${r}_${c} = vec4f();`)}
    for (var n = part * share; n < min((part + 1u) * share, rows); n++) {
      ${typeof a === 'string' ? '' : ds.map(d => `let a${d} = acts[left + n * ${a.width4}u + ${last('down', d, wide, wholeDown)}];`).join('\n')}
      ${cs.map(c => `let b${c} = grads[right + n * ${b.width4}u + ${last('across', c, block.ld4, wholeAcross)}];`).join('\n')}
      ${each((d, r, c) => `c${d}_${r}_${c} += ${ones ? '' : `a${d}.${'xyzw'[r]} * `}b${c};`)}
    }
    let to = part * ${size4}u + ${block.offset4}u + down * ${4 * block.ld4}u + across;
    ${each(guarded)}`;
}

/**
 * One column of the block of the inputs. Every row of the batch adds to the rows of the block that its inputs select.
 */
const inputsBody = ({ block, b }: GradientJob, size4: number): string => wgsl`
    let to = part * ${size4}u + ${block.offset4}u + tile;
    for (var k = 0u; k < ${block.rows}u; k++) { partial[to + k * ${block.ld4}u] = vec4f(); }
    for (var n = part * share; n < min((part + 1u) * share, rows); n++) {
      let b = grads[${at(b, 'n')} + tile];
      for (var k = 0u; k < batch.K; k++) {
        let input = inputAt(n, k);
        if (input != NO_INPUT) { partial[to + min(input, ${block.rows - 1}u) * ${block.ld4}u] += b; }
      }
    }`;

/**
 * WGSL of the kernel. Workgroup n, counted over x and y, computes part ⌊n / tileGroups⌋ of the tiles n mod tileGroups.
 */
export function gradientTiles(
  batch: string,
  jobs: readonly GradientJob[],
  tiling: GradientTiling,
  size4: number,
): string {
  let firstGroup = 0;
  const bodies = jobs.map(job => {
    const begin = firstGroup;
    firstGroup += groupsOf(job, tiling);
    const { down, across } = tilesOf(job, tiling);
    return wgsl`
  if (tiles < ${firstGroup}u) {
    let tile = (tiles - ${begin}u) * ${tiling.size}u + lid;
    if (tile >= ${down.count * across.count}u) { return; }
    let rows = ${job.perStep ? 'batch.T * batch.B' : 'batch.B'};
    let share = (rows + batch.rowSplits - 1u) / batch.rowSplits;
    ${job.a === 'inputs' ? inputsBody(job, size4) : tileBody(job, tiling, size4)}
    return;
  }`;
  });
  return wgsl`
${batch}
@group(0) @binding(1) var<storage, read> acts: array<vec4f>;
@group(0) @binding(2) var<storage, read> grads: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;
@compute @workgroup_size(${tiling.size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let workgroup = group.y * groups.x + group.x;
  let part = workgroup / ${tileGroups(jobs, tiling)}u;
  let tiles = workgroup % ${tileGroups(jobs, tiling)}u;
  if (part >= batch.rowSplits) { return; }
${bodies.join('\n')}
}
`;
}
