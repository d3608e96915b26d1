import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { Rng } from '../../src/base/rng.ts';
import { createCpuEngine } from '../../src/engine/cpu.ts';
import { layoutOf } from '../../src/layout/layout.ts';
import { groupsOf } from '../../src/simd/groups.ts';
import { Arena, compile } from '../../src/simd/module.ts';
import { roomFor } from '../../src/simd/room.ts';
import { makeSpec, randomBatch } from '../support/batches.ts';
import { configOf, startOf } from '../support/model-parity.ts';

/** The WebAssembly kernels one by one; whole models and memories are tested in test/parity. */

test('the compiled module matches its source, and is small', async () => {
  const folder = join(import.meta.dirname, '../../src/simd');
  const { compileAssembly } = (await import(join(folder, 'build.mjs'))) as {
    compileAssembly(): Promise<string>;
  };
  expect(readFileSync(join(folder, 'wasm.ts'), 'utf8'), 'node src/simd/build.mjs').toBe(
    await compileAssembly(),
  );
  expect(readFileSync(join(folder, 'wasm.ts')).length).toBeLessThan(100_000);
}, 120_000);

describe('kernels', () => {
  // Sizes on both sides of a tile of rows, of a panel of columns, and of a block of rows.
  const SIZES = [1, 2, 3, 4, 5, 6, 7, 9, 31, 33, 65].flatMap(rows =>
    [
      [1, 4],
      [1, 12],
      [1, 16],
      [2, 24],
      [5, 8],
      [16, 12],
      [3, 20],
    ].map(([k, n]) => ({ rows, k, n })),
  );

  test('x · W, y · Wᵀ and xᵀ · y agree with float64', async () => {
    const rng = new Rng(1, 2);
    for (const { rows, k, n } of SIZES) {
      const arena = new Arena(await compile());
      const { kernels } = arena;
      const k4 = Math.ceil(k / 4);
      const take = (count: number) => arena.take(4 * count);
      const at = { x: take(rows * 4 * k4), w: take(k * n), y: take(rows * n), panels: take(4 * k4 * n) };
      const scratch = arena.take(arena.kernels.outerScratch(k));
      const out = { x: take(rows * 4 * k4), w: take(k * n) };
      const [x, w, y] = [
        arena.floats(at.x, rows * 4 * k4),
        arena.floats(at.w, k * n),
        arena.floats(at.y, rows * n),
      ];
      for (let r = 0; r < rows; r++) for (let i = 0; i < k; i++) x[r * 4 * k4 + i] = rng.normal();
      for (let i = 0; i < w.length; i++) w[i] = rng.normal();
      kernels.pack(at.w, 4 * n, k, n / 4, at.panels);
      kernels.product(at.x, 16 * k4, rows, k, at.panels, at.y, 4 * n, n / 4);
      const close = (got: number, terms: number[]): void => {
        const expected = terms.reduce((sum, term) => sum + term, 0);
        const size = terms.reduce((sum, term) => sum + Math.abs(term), 0);
        expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-6 * Math.max(size, 1e-3));
      };
      const range = (count: number) => Array.from({ length: count }, (_, i) => i);
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < n; j++)
          close(
            y[r * n + j],
            range(k).map(i => x[r * 4 * k4 + i] * w[i * n + j]),
          );
      }
      kernels.packTransposed(at.w, 4 * n, k, n, at.panels);
      kernels.product(at.y, 4 * n, rows, n, at.panels, out.x, 16 * k4, k4);
      const back = arena.floats(out.x, rows * 4 * k4);
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < 4 * k4; i++)
          close(back[r * 4 * k4 + i], i < k ? range(n).map(j => y[r * n + j] * w[i * n + j]) : []);
      }
      kernels.outer(at.x, 16 * k4, k, rows, at.y, 4 * n, n / 4, out.w, 4 * n, scratch);
      const outer = arena.floats(out.w, k * n);
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < n; j++)
          close(
            outer[i * n + j],
            range(rows).map(r => x[r * 4 * k4 + i] * y[r * n + j]),
          );
      }
    }
  });

  test('tanh and σ stay within their error bounds, for arguments of any magnitude', async () => {
    const arena = new Arena(await compile());
    const xs = [0, 1e-6, -1e-3, 0.1, 0.5, -1, 3, -7, 9, 20, -60, 88, 1e4, -1e4, 3e38, -3e38];
    const at = arena.take(4 * xs.length);
    const numbers = arena.floats(at, xs.length);
    numbers.set(xs);
    arena.kernels.tanhOf(at, xs.length / 4);
    xs.forEach((x, i) => {
      expect(Math.abs(numbers[i] - Math.tanh(x)), `tanh ${x}`).toBeLessThanOrEqual(
        4e-7 * Math.abs(Math.tanh(x)),
      );
    });
    numbers.set(xs);
    // Without values, the heads are σ of all numbers.
    arena.kernels.headsForward(1, 0, xs.length / 4, 4, at, 0);
    xs.forEach((x, i) => {
      const expected = 1 / (1 + Math.exp(-x));
      expect(Math.abs(numbers[i] - expected), `σ ${x}`).toBeLessThanOrEqual(3e-7 * expected + 2e-35);
    });
  });
});

test('groups have the longest sequences first and no padding, and their number depends only on the batch and the model', () => {
  const lengths = Uint32Array.of(2, 5, 1, 5);
  expect(groupsOf({ B: 4, lengths }, 100)).toEqual([
    {
      order: [1, 3, 0, 2],
      lengths: [5, 5, 2, 1],
      T: 5,
      active: [4, 3, 2, 2, 2],
      first: [0, 4, 7, 9, 11],
      rows: 13,
    },
  ]);
  const many = groupsOf({ B: 33, lengths: new Uint32Array(33).fill(3) }, 100);
  expect(many.map(({ order }) => order.length)).toEqual([11, 11, 11]);
  expect(many.flatMap(({ order }) => order).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 33 }, (_, b) => b),
  );
});

test('1,000 steps need no more memory than the first, and a larger batch gets larger buffers', async () => {
  const engine = await createCpuEngine();
  const spec = makeSpec({ controller: 'lstm', memory: 'deque' });
  const model = await engine.model(spec, configOf({}), startOf(spec));
  const step = (lengths: number[]) => model.step(randomBatch(new Rng(3, 1), spec, lengths));
  step([9, 4]);
  const { bytes } = model;
  for (let k = 0; k < 1000; k++) step(k % 2 ? [9, 4] : [3]);
  expect(model.bytes).toBe(bytes);
  step(new Array(40).fill(300));
  expect(model.bytes).toBeGreaterThan(bytes);
  const [report] = (await model.reports()).slice(-1);
  expect(report).toMatchObject({ finite: true, sequences: 40 });
});

test('sizes above 4 GiB are refused; for a memory the error names the batch size that would fit', async () => {
  const engine = await createCpuEngine();
  await expect(engine.memory({ kind: 'stack', B: 65_536, T: 4096, M: 64 })).rejects.toThrow(
    /a memory of B=65536, T=4096, M=64 needs [\d.]+ GiB, but WebAssembly has at most 4 GiB: a batch of up to \d+ sequences/,
  );
  const layout = layoutOf(makeSpec({ hidden: 4096, width: 4096 }));
  expect(() => roomFor(layout, [16, 10_000, 2])).toThrow(InputError);
  expect(() => roomFor(layout, [16, 10_000, 2])).toThrow(
    /needs [\d.]+ GiB, but WebAssembly has at most 4 GiB: /,
  );
  expect(() => roomFor(layoutOf(makeSpec()), [512, 1000, 2])).not.toThrow();
});

test('arrays in shared memory and detached arrays are refused, and the error names them', async () => {
  const engine = await createCpuEngine();
  const shape = { kind: 'stack', B: 2, T: 3, M: 4 } as const;
  const memory = await engine.memory(shape);
  const [push, pop, value] = [new Float32Array(6), new Float32Array(6), new Float32Array(24)];
  const shared = new Float32Array(new SharedArrayBuffer(24));
  await expect(memory.forward(push, shared, value)).rejects.toThrow(
    /^pop is in shared memory, .*array\.slice/,
  );
  const detached = new Float32Array(24);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  await expect(memory.forward(push, pop, detached)).rejects.toThrow(
    /^value is detached: its buffer was transferred/,
  );
  const spec = makeSpec();
  const model = await engine.model(spec, configOf({}), startOf(spec));
  const batch = randomBatch(new Rng(3, 1), spec, [3, 2]);
  const bad = { ...batch, lengths: new Uint32Array(new SharedArrayBuffer(8)) };
  await expect(model.forward(bad)).rejects.toThrow(/^batch\.lengths is in shared memory/);
});
