import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { Block } from '../src/kernels/layout.ts';
import { addOuter } from './lib/product.wgsl.ts';
import { each } from './lib/text.ts';
import { at, type Operand } from './linear.wgsl.ts';

/**
 * All weight gradients in one dispatch: block[k][j] = Σ_rows a[row][k] · b[row][j]. The rows are divided into
 * batch.parts parts, each of which writes sums of its own into `partial` [parts, size4]; the optimiser's first
 * pass adds them up in fixed order, so that the result is deterministic. Two forms:
 *
 *   tile  an invocation has a tile of 4 × 4 of one block and runs down its part of the rows
 *   lane  an invocation has a whole block and the sequences b ≡ part (mod parts), with its sums in private memory
 *         and every product written out. On software adapters, where a load from a buffer costs as much as dozens
 *         of products, this is 7 times faster.
 */
export interface GradientJob {
  block: Block;
  /** Activations; 'inputs': the multi-hot inputs; 'ones': the block is a bias. */
  a: Operand | 'inputs' | 'ones';
  b: Operand;
  /** Rows summed over: T·B, or B for what belongs to the starting state. */
  perStep: boolean;
}

const bindings = (batch: string): string => wgsl`
${batch}
@group(0) @binding(1) var<storage, read> acts: array<vec4f>;
@group(0) @binding(2) var<storage, read> grads: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;
`;

// ---- tile ---------------------------------------------------------------------------------------------------

export const TILE_SIZE = 16;
const tilesDown = ({ block, a }: GradientJob): number => (a === 'ones' ? 1 : Math.ceil(block.rows / 4));
/** Rounded up to whole workgroups, so that a workgroup has one job. */
const groupsOf = (job: GradientJob): number => Math.ceil((tilesDown(job) * job.block.ld4) / TILE_SIZE);

export const tileGroups = (jobs: readonly GradientJob[]): number =>
  jobs.reduce((sum, job) => sum + groupsOf(job), 0);

/** Workgroup n, of (x, y): tiles n mod tileGroups of one job, over part n / tileGroups. */
export function gradientTiles(batch: string, jobs: readonly GradientJob[], size4: number): string {
  let firstGroup = 0;
  const bodies = jobs.map(job => {
    const { block, a, b, perStep } = job;
    const begin = firstGroup;
    firstGroup += groupsOf(job);
    const load =
      a === 'ones'
        ? 'let a = vec4f(1.0, 0.0, 0.0, 0.0);'
        : a === 'inputs'
          ? 'var a = vec4f();\n for (var k = 0u; k < batch.K; k++) { a += vec4f(vec4u(inputAt(n, k)) == own); }'
          : `let a = acts[${at(a, 'n')} + down];`;
    const rows = a === 'ones' ? 1 : block.rows;
    return wgsl`
  if (tiles < ${firstGroup}u) {
    let tile = (tiles - ${begin}u) * ${TILE_SIZE}u + lid;
    if (tile >= ${tilesDown(job) * block.ld4}u) { return; }
    let down = tile / ${block.ld4}u;
    let across = tile % ${block.ld4}u;
    let own = vec4u(down * 4u) + vec4u(0u, 1u, 2u, 3u);
    let rows = ${perStep ? 'batch.T * batch.B' : 'batch.B'};
    let share = (rows + batch.parts - 1u) / batch.parts;
    var c0 = vec4f();
    var c1 = vec4f();
    var c2 = vec4f();
    var c3 = vec4f();
    for (var n = part * share; n < min((part + 1u) * share, rows); n++) {
      ${load}
      let b = grads[${at(b, 'n')} + across];
      c0 += a.x * b;
      c1 += a.y * b;
      c2 += a.z * b;
      c3 += a.w * b;
    }
    let to = part * ${size4}u + ${block.offset4}u + down * ${4 * block.ld4}u + across;
    partial[to] = c0;
    ${[1, 2, 3].map(k => `if (down * 4u + ${k}u < ${rows}u) { partial[to + ${k * block.ld4}u] = c${k}; }`).join('\n')}
    return;
  }`;
  });
  return wgsl`
${bindings(batch)}
@compute @workgroup_size(${TILE_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let workgroup = group.y * groups.x + group.x;
  let part = workgroup / ${tileGroups(jobs)}u;
  let tiles = workgroup % ${tileGroups(jobs)}u;
  if (part >= batch.parts) { return; }
${bodies.join('\n')}
}
`;
}

// ---- lane ---------------------------------------------------------------------------------------------------

export const LANE_SIZE = 4;

/** Jobs with the same right side, whose blocks lie side by side: one pass over that side serves them all. */
export function sideBySide(jobs: readonly GradientJob[]): GradientJob[][] {
  const groups = new Map<string, GradientJob[]>();
  for (const job of jobs) {
    const key = `${job.b.field} ${job.perStep}`;
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return [...groups.values()];
}

/** Workgroup (x, y): parts 4x … 4x + 3 of the y-th group of jobs. */
export function gradientLanes(batch: string, jobs: readonly GradientJob[], size4: number): string {
  const groups = sideBySide(jobs);
  const size = (group: GradientJob[]): number =>
    group.reduce((sum, { block }) => sum + block.rows * block.ld4, 0);
  const largest = Math.max(...groups.map(size));
  const bodies = groups.map((group, y) => {
    const { b, perStep } = group[0];
    const whole = { ...b, from: 0 };
    let first = 0;
    const stores: string[] = [];
    const products = group.map(({ block, a, b: { from = 0 } }) => {
      const begin = first;
      const count = block.rows * block.ld4;
      first += count;
      stores.push(wgsl`
      for (var i = 0u; i < ${count}u; i++) { partial[part * ${size4}u + ${block.offset4}u + i] = acc[${begin}u + i]; }`);
      if (a === 'ones') return each(block.ld4, Infinity, j => `acc[${begin}u + ${j}] += b[${from}u + ${j}];`);
      if (a === 'inputs') {
        return wgsl`
        for (var k = 0u; k < batch.K; k++) {
          let input = inputAt(n, k);
          if (input != NO_INPUT) {
            let row = ${begin}u + min(input, ${block.rows - 1}u) * ${block.ld4}u;
            ${each(block.ld4, Infinity, j => `acc[row + ${j}] += b[${from}u + ${j}];`)}
          }
        }`;
      }
      return wgsl`{
        var a: array<vec4f, ${a.width4}>;
        ${each(a.width4, Infinity, i => `a[${i}] = acts[${at(a, 'n')} + ${i}];`)}
        ${addOuter('acc', begin, 'a', 'b', block, from)}
      }`;
    });
    return wgsl`
  if (group.y == ${y}u) {
    for (var sequence = part; sequence < batch.B; sequence += batch.parts) {
      for (var t = 0u; t < ${perStep ? 'lengthOf(sequence)' : '1u'}; t++) {
        let n = t * batch.B + sequence;
        var b: array<vec4f, ${b.width4}>;
        ${each(b.width4, Infinity, j => `b[${j}] = grads[${at(whole, 'n')} + ${j}];`)}
        ${products.join('\n')}
      }
    }
    ${stores.join('\n')}
    return;
  }`;
  });
  return wgsl`
${bindings(batch)}
var<private> acc: array<vec4f, ${largest}>;
@compute @workgroup_size(${LANE_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(global_invocation_id) id: vec3u) {
  let part = id.x;
  if (part >= batch.parts) { return; }
${bodies.join('\n')}
}
`;
}
