import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { mainOfInvocation } from './lib/invocation.wgsl.ts';
import { lines, range } from './lib/text.ts';
import { product } from './stepwise/step.wgsl.ts';

/**
 * Only the matrix product of the stepwise plan's kernels: src/kernels/autotune.ts measures it to choose their tiles.
 */
export interface ProductOptions {
  /** vec4s of the inner dimension, and of a gate's columns. */
  inner4: number;
  columns4: number;
  gates: number;
  /** Rows per invocation, and invocations per workgroup. */
  rows: number;
  size: number;
}

/**
 * acts [B, inner], w [inner, gates · columns] -> y [B, gates · columns]. An invocation computes several rows of one
 * vec4 column of every gate.
 */
export function productCode({ inner4, columns4, gates, rows, size }: ProductOptions): string {
  const [ns, gs] = [range(rows), range(gates)];
  const ld4 = gates * columns4;
  const each = (body: (g: number, n: number) => string): string =>
    gs.flatMap(g => ns.map(n => body(g, n))).join('\n');
  return wgsl`
struct Dims { B: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> acts: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f, ${4 * inner4 * ld4}>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
${mainOfInvocation(size, 'tile')}
  let j = tile % ${columns4}u;
  let first = tile / ${columns4}u * ${rows}u;
  if (first >= dims.B) { return; }
  ${lines(ns, n => `let b${n} = min(first + ${n}u, dims.B - 1u);`)}
  ${each((g, n) => `var sum${g}_${n} = vec4f();`)}
  ${product({ rows }, b => `${b} * ${inner4}u`, { offset4: 0, rows: 4 * inner4, ld4 }, gs, columns4)}
  ${each((g, n) => `y[b${n} * ${ld4}u + ${g * columns4}u + j] = sum${g}_${n};`)}
}
`;
}
