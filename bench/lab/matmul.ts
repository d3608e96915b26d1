/**
 * Measures a plain product y = x·W, x [rows,K], W [K,N], in several register tilings, to
 * find the fastest one on this adapter. The tilings in src/gpu/profile.ts are based on it.
 *
 *   node bench/run.mjs bench/lab/matmul.ts [rows K N]
 */

import { bind, dispatch, Gpu, requestDevice, split } from '../../src/gpu/device.ts';
import { findAdapter } from '../../src/platform/node/adapter.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

interface Tiling {
  /** Rows, and vec4s of columns, per invocation. */
  rows: number;
  columns: number;
  /** Invocations per workgroup. */
  size: number;
  /** Whether the columns of an invocation are far apart, like those of different gates, or adjacent. */
  apart: boolean;
  /** The expression for a sum of four products. */
  sum: 'one' | 'four' | 'fma';
  /** Whether neighbouring invocations differ in their columns or their rows. */
  lanes: 'columns' | 'rows';
  /** Whether the buffers are declared as arrays of fixed size. */
  fixed: boolean;
}

function code(
  { rows, columns, size, apart, sum, lanes, fixed }: Tiling,
  R: number,
  K: number,
  N: number,
): string {
  const N4 = N / 4;
  const K4 = K / 4;
  const across = N4 / columns;
  const tiles = Math.ceil(R / rows);
  const column = (c: number): string => (apart ? `j + ${c * across}u` : `j * ${columns}u + ${c}u`);
  const acc = (n: number, c: number): string => {
    const terms = ['x', 'y', 'z', 'w'].map((s, r) => [`x${n}.${s}`, `w${r}_${c}`]);
    if (sum === 'one') return `s${n}_${c} += ${terms.map(([a, b]) => `${a} * ${b}`).join(' + ')};`;
    if (sum === 'four') return terms.map(([a, b]) => `s${n}_${c} += ${a} * ${b};`).join(' ');
    return terms.map(([a, b]) => `s${n}_${c} = fma(vec4f(${a}), ${b}, s${n}_${c});`).join(' ');
  };
  const size4 = (n: number): string => (fixed ? `, ${n}` : '');
  return `
@group(0) @binding(0) var<storage, read> x: array<vec4f${size4(R * K4)}>;
@group(0) @binding(1) var<storage, read> w: array<vec4f${size4(K * N4)}>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f${size4(R * N4)}>;
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let tile = (group.y * groups.x + group.x) * ${size}u + lid;
  if (tile >= ${across * tiles}u) { return; }
  let j = ${lanes === 'columns' ? `tile % ${across}u` : `tile / ${tiles}u`};
  let first = ${lanes === 'columns' ? `tile / ${across}u` : `tile % ${tiles}u`} * ${rows}u;
  ${range(rows)
    .map(n => `let b${n} = min(first + ${n}u, ${R - 1}u) * ${K4}u;`)
    .join('\n')}
  ${range(rows)
    .map(n =>
      range(columns)
        .map(c => `var s${n}_${c} = vec4f();`)
        .join(' '),
    )
    .join('\n')}
  for (var i = 0u; i < ${K4}u; i++) {
    ${range(rows)
      .map(n => `let x${n} = x[b${n} + i];`)
      .join('\n')}
    ${range(columns)
      .map(
        c => `{ ${range(4)
          .map(r => `let w${r}_${c} = w[(i * 4u + ${r}u) * ${N4}u + ${column(c)}];`)
          .join(' ')}
      ${range(rows)
        .map(n => acc(n, c))
        .join('\n')} }`,
      )
      .join('\n')}
  }
  ${range(rows)
    .map(n =>
      range(columns)
        .map(c => `if (first + ${n}u < ${R}u) { y[(first + ${n}u) * ${N4}u + ${column(c)}] = s${n}_${c}; }`)
        .join(' '),
    )
    .join('\n')}
}`;
}

export async function main(args: string[]): Promise<number> {
  const [R, K, N] = args.length >= 3 ? args.slice(0, 3).map(Number) : [10, 512, 1024];
  const { found } = await findAdapter();
  if (!found) throw new Error('no WebGPU adapter');
  const gpu = Gpu.of(await requestDevice(found.adapter), found.description.kind);
  console.log(found.description.name, `${R} × ${K} × ${N}`);
  const x = gpu.buffer('x', R * K * 4);
  const w = gpu.buffer('w', K * N * 4);
  const y = gpu.buffer('y', R * N * 4);

  const base: Tiling = {
    rows: 4,
    columns: 1,
    size: 16,
    apart: true,
    sum: 'one',
    lanes: 'columns',
    fixed: true,
  };
  const variants: Partial<Tiling>[] = [
    {},
    { fixed: false },
    { sum: 'four' },
    { sum: 'fma' },
    { lanes: 'rows' },
    { columns: 2 },
    { columns: 4 },
    { columns: 4, apart: false },
    { rows: 5 },
    { rows: 5, columns: 2 },
    { rows: 5, columns: 4 },
    { rows: 5, columns: 4, size: 8 },
    { rows: 10 },
    { rows: 10, size: 8 },
    { rows: 10, size: 32 },
    { rows: 10, columns: 2 },
    { rows: 10, columns: 4, size: 8 },
    { rows: 10, columns: 1, sum: 'four' },
    { rows: 10, columns: 1, sum: 'fma' },
    { rows: 2 },
    { rows: 1 },
  ];
  // V=<n> in the environment: only the first n variants.
  for (const variant of variants.slice(0, Number(process.env.V ?? 99))) {
    const t = { ...base, ...variant };
    const tiles = Math.ceil(R / t.rows) * (N / 4 / t.columns);
    const begin = performance.now();
    const kernel = await gpu.kernel('lab', code(t, R, K, N), [
      'read-only-storage',
      'read-only-storage',
      'storage',
    ]);
    const bound = bind(gpu, kernel, [x, w, y]);
    const run = async (n: number): Promise<number> => {
      const start = performance.now();
      gpu.submit('lab', encoder => {
        const pass = encoder.beginComputePass();
        for (let k = 0; k < n; k++) dispatch(pass, bound, split(Math.ceil(tiles / t.size)));
        pass.end();
      });
      await gpu.device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / n;
    };
    await run(1);
    const compiled = performance.now() - begin;
    const once = await run(2);
    const times: number[] = [];
    for (let k = 0; k < 7; k++) times.push(await run(Math.max(1, Math.ceil(60 / once))));
    times.sort((a, b) => a - b);
    const rate = (ms: number): string => ((2 * R * K * N) / ms / 1e6).toFixed(2);
    console.log(
      `${JSON.stringify(variant).padEnd(48)} ${times[3].toFixed(2)} ms, ${rate(times[3])} GFLOP/s (best ${rate(times[0])}), compiled in ${compiled.toFixed(0)} ms`,
    );
  }
  return 0;
}
