/** Two straightforward WGSL products of n × n matrices, C = A·B. */

/** n must be a multiple of this. In productOfTiles, a workgroup computes TILE × TILE numbers of C. */
export const TILE = 64;

const HEAD = (n: number): string => /* wgsl */ `
const N4 = ${n / 4}u;
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
`;

const each = (text: (k: number) => string, count = 4): string =>
  Array.from({ length: count }, (_, k) => text(k)).join('\n');

/** sum_r += a_r[p] · b_p, for each row r of a block of C, and four rows p of B. */
const fma = (rows: number): string =>
  each(r => each(p => `sum${r} = fma(vec4f(a${r}[${p}]), b${p}, sum${r});`), rows);

/** 256 invocations with 4 × 4 numbers each; tiles of A and B are shared through workgroup memory. */
export const productOfTiles = (n: number): { code: string; groups: [number, number] } => ({
  groups: [n / TILE, n / TILE],
  code: /* wgsl */ `${HEAD(n)}
var<workgroup> tileA: array<vec4f, 256>; // [64 rows, 4 vec4f]
var<workgroup> tileB: array<vec4f, 256>; // [16 rows, 16 vec4f]

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  ${each(r => `var sum${r} = vec4f();`)}
  for (var k = 0u; k < N4; k += 4u) {
    tileA[i] = a[(group.y * 64u + i / 4u) * N4 + k + i % 4u];
    tileB[i] = b[(k * 4u + i / 16u) * N4 + group.x * 16u + i % 16u];
    workgroupBarrier();
    for (var q = 0u; q < 4u; q++) {
      ${each(r => `let a${r} = tileA[(lane.y * 4u + ${r}u) * 4u + q];`)}
      ${each(p => `let b${p} = tileB[(q * 4u + ${p}u) * 16u + lane.x];`)}
      ${fma(4)}
    }
    workgroupBarrier();
  }
  let row = group.y * 64u + lane.y * 4u;
  ${each(r => `c[(row + ${r}u) * N4 + group.x * 16u + lane.x] = sum${r};`)}
}`,
});

/**
 * Each invocation computes 8 × 4 numbers, and reads A and B directly
 * from the buffers: no barriers, which are slow on software adapters.
 */
export const productOfRegisters = (n: number): { code: string; groups: [number, number] } => ({
  groups: [n / 32, n / 8],
  code: /* wgsl */ `${HEAD(n)}
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${each(r => `var sum${r} = vec4f();`, 8)}
  let row = id.y * 8u;
  for (var k = 0u; k < N4; k++) {
    ${each(p => `let b${p} = b[(k * 4u + ${p}u) * N4 + id.x];`)}
    ${each(r => `let a${r} = a[(row + ${r}u) * N4 + k];`, 8)}
    ${fma(8)}
  }
  ${each(r => `c[(row + ${r}u) * N4 + id.x] = sum${r};`, 8)}
}`,
});
