import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { range } from './lib/model.wgsl.ts';

/** A product of matrices as the stepwise plan's kernels make it, with nothing around it: what their tiles are chosen by. */
export interface ProductOptions {
  /** vec4s of the inner side, and of a gate's columns. */
  inner4: number;
  columns4: number;
  gates: number;
  /** Rows of an invocation, and invocations of a workgroup. */
  rows: number;
  size: number;
}

/** x [B, inner], w [inner, gates · columns] -> y [B, gates · columns]. An invocation: some rows, one column of every gate. */
export function product({ inner4, columns4, gates, rows, size }: ProductOptions): string {
  const [ns, gs] = [range(rows), range(gates)];
  const ld4 = gates * columns4;
  return wgsl`
struct Dims { B: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f, ${4 * inner4 * ld4}>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let tile = (group.y * groups.x + group.x) * ${size}u + lid;
  let j = tile % ${columns4}u;
  let first = tile / ${columns4}u * ${rows}u;
  if (first >= dims.B) { return; }
  ${ns.map(n => `let b${n} = min(first + ${n}u, dims.B - 1u);`).join('\n')}
  ${gs.map(g => ns.map(n => `var y${g}_${n} = vec4f();`).join('\n')).join('\n')}
  for (var i = 0u; i < ${inner4}u; i++) {
    let corner = i * ${4 * ld4}u + j;
    ${ns.map(n => `let x${n} = x[b${n} * ${inner4}u + i];`).join('\n')}
    ${gs
      .map(
        g => `{
      ${range(4)
        .map(k => `let w${k} = w[corner + ${k * ld4 + g * columns4}u];`)
        .join('\n')}
      ${ns.map(n => `y${g}_${n} += x${n}.x * w0 + x${n}.y * w1 + x${n}.z * w2 + x${n}.w * w3;`).join('\n')}
    }`,
      )
      .join('\n')}
  }
  ${gs.map(g => ns.map(n => `y[b${n} * ${ld4}u + ${g * columns4}u + j] = y${g}_${n};`).join('\n')).join('\n')}
}
`;
}
